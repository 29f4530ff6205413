//! What a value may be answered for, and to whom: the contract of one node.

use larder::{Consistency, Invalidation, Larder, Origin, Pattern};

use crate::support::{Source, kept, millis, node, numbers, seconds, settle, value};

#[tokio::test]
async fn a_miss_asks_the_source_once_and_a_hit_never() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    for origin in [Origin::Loaded, Origin::Memory, Origin::Memory] {
        let hit = cache.get_or_load(&7, source.load()).await.expect("loaded");
        assert_eq!((*hit, hit.origin(), hit.is_stale()), (1, origin, false));
    }
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn an_absent_value_asks_the_source_once_too() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    for origin in [Origin::Loaded, Origin::Memory] {
        let lookup = cache.get_or_load(&7, source.shaped(|_| None)).await.expect("an answer");
        assert_eq!((lookup.value(), lookup.origin()), (None, origin));
    }
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn an_answer_says_how_long_ago_its_load_began() {
    let (clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    let gate = source.waits();
    let turn = async {
        gate.begun().await;
        clock.pass(seconds(2));
        gate.open();
    };
    let (hit, ()) = tokio::join!(cache.get_or_load(&7, source.load()), turn);
    assert_eq!(hit.expect("loaded").age(), seconds(2));
    clock.pass(millis(1_500));
    assert_eq!(cache.get(&7).await.expect("kept").age(), millis(3_500));
}

#[tokio::test]
async fn a_peek_neither_loads_nor_counts() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    assert!(cache.peek(&7).is_none());
    cache.get_or_load(&7, Source::default().load()).await.expect("loaded");
    let before = cache.stats();
    assert_eq!(kept(&cache, 7), Some(1));
    assert_eq!(cache.stats(), before);
}

#[tokio::test]
async fn a_bypass_reads_the_source_and_keeps_nothing_of_it() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    assert_eq!(*cache.read(&7).bypass().get_or_load(source.load()).await.expect("loaded"), 1);
    assert_eq!(kept(&cache, 7), None);
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    assert_eq!(*cache.read(&7).bypass().get_or_load(source.load()).await.expect("loaded"), 3);
    assert_eq!(kept(&cache, 7), Some(2), "the entry is the one from before the bypass");
    assert!(cache.read(&7).bypass().get().await.is_none());
}

#[tokio::test]
async fn a_read_that_skips_memory_still_leaves_its_value_there() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    let hit = cache.read(&7).skip_memory().get_or_load(source.load()).await.expect("loaded");
    assert_eq!((*hit, hit.origin()), (2, Origin::Loaded));
    assert_eq!(kept(&cache, 7), Some(2));
}

#[tokio::test]
async fn one_process_answers_every_consistency_from_memory() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    let position = larder.position();
    let consistencies = [
        Consistency::Eventual,
        Consistency::Bounded,
        Consistency::AtLeast(position),
        Consistency::Latest,
    ];
    for consistency in consistencies {
        let read = cache.read(&7).consistency(consistency.clone());
        let hit = read.get_or_load(source.load()).await.expect("an answer");
        assert_eq!((*hit, hit.origin()), (1, Origin::Memory), "{consistency:?}");
    }
}

#[tokio::test]
async fn equal_keys_of_two_caches_are_two_entries() {
    let (_clock, larder) = node();
    let users = larder.cache::<u64, u32>("users").build().expect("a cache");
    let rooms = larder.cache::<u64, u32>("rooms").build().expect("a cache");
    let source = Source::default();
    users.get_or_load(&7, source.load()).await.expect("loaded");
    assert_eq!(*rooms.get_or_load(&7, source.load()).await.expect("loaded"), 2);
    assert!(users.clear().await.position().is_some());
    assert_eq!((kept(&users, 7), kept(&rooms, 7)), (None, Some(2)));
}

/// Everything that may name the entry of key 7 with tag `red`.
fn ways_to_name_it() -> Vec<(&'static str, Invalidation)> {
    let new = Invalidation::new;
    vec![
        ("key", new().key("numbers", &7u64)),
        ("prefix", new().prefix("numbers", &())),
        ("tag", new().tag("red")),
        ("cache", new().cache("numbers")),
        ("everything", new().everything()),
        ("glob", new().pattern(Pattern::glob("numbers:?").expect("a glob"))),
        ("regex", new().pattern(Pattern::regex("numbers:[0-9]").expect("a regex"))),
    ]
}

async fn invalidate(larder: &Larder, how: Invalidation) {
    assert!(larder.invalidate(how).await.position().is_some());
}

#[tokio::test]
async fn a_load_begun_before_an_invalidation_is_answered_to_its_caller_and_never_again() {
    for (name, how) in ways_to_name_it() {
        let (_clock, larder) = node();
        let cache = numbers(&larder).build().expect("a cache");
        let source = Source::default();
        let gate = source.waits();
        let meanwhile = async {
            gate.begun().await;
            invalidate(&larder, how).await;
            gate.open();
        };
        let (old, ()) = tokio::join!(cache.get_or_load(&7, source.tagged("red")), meanwhile);
        assert_eq!(old.expect("loaded").value(), Some(&1), "by {name}");
        assert_eq!(kept(&cache, 7), None, "kept though it was named by {name}");
        let new = cache.get_or_load(&7, source.load()).await.expect("loaded");
        assert_eq!(*new, 2, "served though it was named by {name}");
    }
}

#[tokio::test]
async fn who_asks_after_an_invalidation_never_joins_a_load_from_before_it() {
    for (name, how) in ways_to_name_it().into_iter().filter(|(name, _)| *name != "tag") {
        let (_clock, larder) = node();
        let cache = numbers(&larder).build().expect("a cache");
        let source = Source::default();
        let gate = source.waits();
        let later = async {
            gate.begun().await;
            invalidate(&larder, how).await;
            let reading = cache.get_or_load(&7, source.load());
            let opening = async {
                settle().await;
                gate.open();
            };
            tokio::join!(reading, opening).0
        };
        let (old, new) = tokio::join!(cache.get_or_load(&7, source.load()), later);
        assert_eq!((*old.expect("loaded"), *new.expect("loaded")), (1, 2), "by {name}");
        assert_eq!(kept(&cache, 7), Some(2), "the older load pushed the newer one out, by {name}");
    }
}

#[tokio::test]
async fn who_waits_for_a_load_that_is_named_meanwhile_gets_a_newer_one() {
    for (name, how) in ways_to_name_it() {
        let (_clock, larder) = node();
        let cache = numbers(&larder).build().expect("a cache");
        let source = Source::default();
        let gate = source.waits();
        let meanwhile = async {
            gate.begun().await;
            settle().await;
            invalidate(&larder, how).await;
            gate.open();
        };
        let waiting = async {
            settle().await;
            cache.get_or_load(&7, source.load()).await
        };
        let leading = cache.get_or_load(&7, source.tagged("red"));
        let (_, waited, ()) = tokio::join!(leading, waiting, meanwhile);
        assert_eq!(*waited.expect("loaded"), 2, "by {name}");
    }
}

#[tokio::test]
async fn a_value_loaded_after_an_invalidation_stays() {
    for (name, how) in ways_to_name_it() {
        let (_clock, larder) = node();
        let cache = numbers(&larder).build().expect("a cache");
        invalidate(&larder, how).await;
        cache.get_or_load(&7, Source::default().tagged("red")).await.expect("loaded");
        settle().await;
        assert_eq!(value(cache.get(&7).await), Some(1), "lost to an older {name}");
    }
}
