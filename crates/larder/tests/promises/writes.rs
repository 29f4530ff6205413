//! Values that are set, and what the node says of itself.

use larder::{Cache, Origin};

use crate::support::{Source, kept, node, numbers, seconds, settle, value};

async fn set(cache: &Cache<u64, u32>, key: u64, number: u32) -> bool {
    let outcome = cache.set(&key, number).await;
    assert!(outcome.invalidated.position().is_some());
    outcome.stored
}

#[tokio::test]
async fn what_was_set_is_read_and_the_last_one_stays() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    for number in 1..=3 {
        assert!(set(&cache, 7, number).await);
        let hit = cache.get(&7).await.expect("set");
        assert_eq!((hit.value(), hit.origin()), (Some(&number), Origin::Memory));
    }
    assert_eq!(cache.stats().sets, 3);
}

#[tokio::test]
async fn a_set_value_is_invalidated_like_any_other() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    assert!(set(&cache, 7, 1).await);
    assert!(cache.exists(&7).await);
    assert!(cache.remove(&7).await.position().is_some());
    assert!(!cache.exists(&7).await);
    assert!(set(&cache, 7, 2).await);
    assert!(cache.clear().await.position().is_some());
    assert!(!cache.exists(&7).await);
}

#[tokio::test]
async fn a_load_from_before_a_set_never_replaces_what_was_set() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    let gate = source.waits();
    let meanwhile = async {
        gate.begun().await;
        let outcome = cache.set(&7, 100).await;
        assert!(outcome.invalidated.position().is_some());
        gate.open();
        outcome.stored
    };
    let (old, stored) = tokio::join!(cache.get_or_load(&7, source.load()), meanwhile);
    assert_eq!(*old.expect("loaded"), 1);
    settle().await;
    assert_eq!(kept(&cache, 7), stored.then_some(100), "the outcome is not what happened");
}

#[tokio::test]
async fn a_set_ends_what_was_known_to_be_absent() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).negative_for(seconds(60)).build().expect("a cache");
    cache.get_or_load(&7, Source::default().shaped(|_| None)).await.expect("an answer");
    assert!(set(&cache, 7, 5).await);
    assert_eq!(value(cache.get(&7).await), Some(5));
}

#[tokio::test]
async fn many_values_are_set_in_one_call_and_answered_in_its_order() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let entries = (0..50).map(|key| (key, key as u32));
    let outcomes = cache.set_many(entries).await;
    assert!(outcomes.len() == 50 && outcomes.iter().all(|outcome| outcome.stored));
    let keys: Vec<u64> = (0..50).collect();
    let found: Vec<_> = cache.get_many(&keys).await.into_iter().map(value).collect();
    assert_eq!(found, (0..50).map(Some).collect::<Vec<_>>());
}

#[tokio::test]
async fn setting_and_invalidating_move_the_position_and_reading_does_not() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let start = larder.position();
    cache.get_or_load(&7, Source::default().load()).await.expect("loaded");
    assert_eq!(larder.position(), start);
    assert!(set(&cache, 7, 1).await);
    let written = larder.position();
    assert_ne!(written, start);
    let invalidated = cache.invalidate(&7).await;
    assert_ne!(larder.position(), written);
    assert_eq!(invalidated.position(), Some(&larder.position()));
}

#[tokio::test]
async fn the_numbers_of_a_cache_are_those_of_what_was_done() {
    let (clock, larder) = node();
    let cache = numbers(&larder).fresh_for(seconds(10)).stale_for(seconds(10)).build();
    let (cache, source) = (cache.expect("a cache"), Source::default());
    for key in [1, 2, 1, 1] {
        cache.get_or_load(&key, source.load()).await.expect("loaded");
    }
    assert!(cache.get(&3).await.is_none());
    source.fails();
    cache.get_or_load(&4, source.load()).await.expect_err("down");
    clock.pass(seconds(12));
    cache.get_or_load(&1, source.load()).await.expect("stale");
    settle().await;
    assert!(set(&cache, 5, 5).await);
    assert!(cache.invalidate(&5).await.position().is_some());
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.stale_hits), (2, 4, 1), "{stats:?}");
    assert_eq!((stats.loads, stats.load_errors), (4, 1), "{stats:?}");
    assert_eq!((stats.sets, stats.invalidations, stats.entries), (1, 1, 2), "{stats:?}");
    assert_eq!(stats.hit_ratio(), Some(3.0 / 7.0));
    larder.reset_stats();
    assert_eq!((cache.stats().hits, cache.stats().entries), (0, 2));
}

#[tokio::test]
async fn a_node_answers_its_ping_and_names_its_caches() {
    let (_clock, larder) = node();
    let _numbers = numbers(&larder).build().expect("a cache");
    let _texts = larder.cache::<u64, String>("texts").build().expect("a cache");
    larder.ping().await.expect("the embedded shard is always there");
    let names: Vec<_> = larder.stats().caches.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["numbers", "texts"]);
}

#[tokio::test]
async fn a_closed_node_still_answers_reads() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    larder.close().await;
    assert!(cache.get_or_load(&7, source.load()).await.is_ok());
    assert!(cache.get_or_load(&8, source.load()).await.is_ok());
    assert!(cache.invalidate(&7).await.position().is_some());
    assert_eq!(kept(&cache, 7), None);
}
