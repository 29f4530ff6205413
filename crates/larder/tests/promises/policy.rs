//! How long values are kept.

use larder::conformance::manual::ManualClock;
use larder::{Error, Loaded, Origin};

use crate::support::{Source, Told, kept, millis, node, numbers, on, seconds, settle, value};

#[tokio::test]
async fn a_value_expires_when_its_time_is_over_and_not_before() {
    let (clock, larder) = node();
    let cache = numbers(&larder).fresh_for(seconds(1)).build().expect("a cache");
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.pass(millis(999));
    assert_eq!(kept(&cache, 7), Some(1));
    clock.pass(millis(1));
    assert_eq!(kept(&cache, 7), None);
    assert_eq!(value(cache.get(&7).await), None);
    assert_eq!(*cache.get_or_load(&7, source.load()).await.expect("loaded"), 2);
}

#[tokio::test]
async fn a_value_is_fresh_for_five_minutes_unless_told_otherwise() {
    let (clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    cache.get_or_load(&7, Source::default().load()).await.expect("loaded");
    clock.pass(seconds(300) - millis(1));
    assert_eq!(kept(&cache, 7), Some(1));
    clock.pass(millis(1));
    assert_eq!(kept(&cache, 7), None);
}

#[tokio::test]
async fn the_time_of_a_slow_load_counts_as_age_of_its_value() {
    let (clock, larder) = node();
    let cache = numbers(&larder).fresh_for(seconds(5)).build().expect("a cache");
    let source = Source::default();
    let gate = source.waits();
    let turn = async {
        gate.begun().await;
        clock.pass(seconds(3));
        gate.open();
    };
    let (hit, ()) = tokio::join!(cache.get_or_load(&7, source.load()), turn);
    hit.expect("loaded");
    clock.pass(seconds(2));
    assert_eq!(kept(&cache, 7), None);
}

#[tokio::test]
async fn a_time_of_zero_means_answered_and_not_kept() {
    let (clock, told) = (ManualClock::default(), Told::new());
    let larder = on(&clock).observer(told.clone()).build().expect("a node");
    let never = numbers(&larder).fresh_for(seconds(0)).stale_for(seconds(60)).build();
    let (never, source) = (never.expect("a cache"), Source::default());
    for number in [1, 2] {
        let hit = never.get_or_load(&7, source.load()).await.expect("loaded");
        assert_eq!((*hit, hit.origin()), (number, Origin::Loaded));
    }
    assert_eq!((never.stats().not_kept, told.count("NotKept")), (2, 2));
    assert!(!never.set(&7, 3).await.stored);
    assert_eq!(kept(&never, 7), None);
}

#[tokio::test]
async fn a_loader_may_say_how_long_its_value_is_fresh_also_not_at_all() {
    let (clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    let briefly = source.shaped(|number| Loaded::value(number).fresh_for(seconds(2)));
    cache.get_or_load(&7, briefly).await.expect("loaded");
    clock.pass(millis(1_999));
    assert_eq!(kept(&cache, 7), Some(1));
    clock.pass(millis(1));
    assert_eq!(kept(&cache, 7), None);
    let never = source.shaped(|number| Loaded::value(number).fresh_for(seconds(0)));
    cache.get_or_load(&7, never).await.expect("loaded");
    assert_eq!(kept(&cache, 7), None);
}

#[tokio::test]
async fn jitter_only_shortens_and_by_a_tenth_at_most() {
    let (clock, larder) = node();
    let cache = larder.cache::<u64, u32>("numbers").fresh_for(seconds(100)).build();
    let (cache, source) = (cache.expect("a cache"), Source::default());
    for key in 0..200 {
        cache.get_or_load(&key, source.load()).await.expect("loaded");
    }
    let left = || (0..200).filter(|key| kept(&cache, *key).is_some()).count();
    clock.pass(millis(89_999));
    assert_eq!(left(), 200);
    clock.pass(millis(5_000));
    assert!((50..150).contains(&left()), "{} of 200 live half of the tenth", left());
    clock.pass(millis(5_001));
    assert_eq!(left(), 0);
}

#[tokio::test]
async fn absence_is_remembered_for_its_own_time() {
    let (clock, larder) = node();
    let cache = numbers(&larder).negative_for(seconds(5)).build().expect("a cache");
    let source = Source::default();
    let absent = || source.shaped(|_| None::<u32>);
    cache.get_or_load(&7, absent()).await.expect("an answer");
    clock.pass(millis(4_999));
    cache.get_or_load(&7, absent()).await.expect("an answer");
    assert_eq!(source.loads(), 1);
    clock.pass(millis(1));
    let lookup = cache.get_or_load(&7, source.shaped(Some)).await.expect("an answer");
    assert_eq!(lookup.value(), Some(&2));
}

#[tokio::test]
async fn a_new_row_is_never_hidden_longer_than_absence_is_remembered() {
    let (clock, larder) = node();
    let builder = numbers(&larder).negative_for(seconds(1)).stale_for(seconds(60));
    let cache = builder.fail_safe_for(seconds(60)).build().expect("a cache");
    let source = Source::default();
    cache.get_or_load(&7, source.shaped(|_| None::<u32>)).await.expect("an answer");
    clock.pass(seconds(2));
    assert!(cache.peek(&7).is_none());
    let lookup = cache.get_or_load(&7, source.shaped(Some)).await.expect("an answer");
    assert_eq!(lookup.value(), Some(&2), "the new row is hidden by an old absence");
}

#[tokio::test]
async fn absence_is_not_remembered_where_its_time_is_zero() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).negative_for(seconds(0)).build().expect("a cache");
    let source = Source::default();
    for _ in 0..2 {
        cache.get_or_load(&7, source.shaped(|_| None::<u32>)).await.expect("an answer");
    }
    assert_eq!(source.loads(), 2);
}

#[tokio::test]
async fn absence_is_an_error_only_where_the_answer_has_no_place_for_it() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    cache.get_or_load(&7, source.shaped(|_| None::<u32>)).await.expect("an answer");
    let error = cache.get_or_load(&7, source.load()).await.expect_err("there is none");
    assert!(matches!(error, Error::Absent), "{error}");
    assert!(!cache.exists(&7).await);
    assert!(cache.get(&7).await.expect("absence is known").value().is_none());
}

#[tokio::test]
async fn creating_a_row_and_naming_its_key_ends_its_absence() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).negative_for(seconds(60)).build().expect("a cache");
    let source = Source::default();
    cache.get_or_load(&7, source.shaped(|_| None::<u32>)).await.expect("an answer");
    assert!(cache.invalidate(&7).await.position().is_some());
    assert_eq!(*cache.get_or_load(&7, source.load()).await.expect("loaded"), 2);
}

#[tokio::test]
async fn a_sliding_value_lives_while_it_is_read_and_dies_when_it_is_not() {
    let (clock, larder) = node();
    let cache = numbers(&larder).fresh_for(seconds(10)).sliding().build().expect("a cache");
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    for _ in 0..20 {
        clock.pass(seconds(9));
        let hit = cache.get_or_load(&7, source.load()).await.expect("an answer");
        assert_eq!((*hit, hit.is_stale()), (1, false));
    }
    clock.pass(seconds(10));
    assert_eq!(*cache.get_or_load(&7, source.load()).await.expect("loaded"), 2);
}

#[tokio::test]
async fn sliding_never_saves_a_value_from_an_invalidation() {
    let (clock, larder) = node();
    let cache = numbers(&larder).fresh_for(seconds(10)).sliding().build().expect("a cache");
    cache.get_or_load(&7, Source::default().tagged("red")).await.expect("loaded");
    clock.pass(seconds(9));
    assert_eq!(value(cache.get(&7).await), Some(1));
    assert!(larder.invalidate_tag("red").await.position().is_some());
    assert_eq!(value(cache.get(&7).await), None);
}

#[tokio::test]
async fn a_sliding_value_slides_by_the_time_that_its_loader_gave_it() {
    let (clock, larder) = node();
    let cache = numbers(&larder).fresh_for(seconds(100)).sliding().build().expect("a cache");
    let source = Source::default();
    let briefly = source.shaped(|number| Loaded::value(number).fresh_for(seconds(10)));
    cache.get_or_load(&7, briefly).await.expect("loaded");
    clock.pass(seconds(9));
    assert_eq!(value(cache.get(&7).await), Some(1));
    clock.pass(seconds(9));
    assert_eq!(value(cache.get(&7).await), Some(1), "it did not slide");
    clock.pass(seconds(11));
    assert_eq!(value(cache.get(&7).await), None, "it slid by more than its own time");
}

#[tokio::test]
async fn nothing_is_kept_longer_than_the_node_allows() {
    let clock = ManualClock::default();
    let larder = on(&clock).ttl_max(seconds(100)).build().expect("a node");
    let builder = numbers(&larder).fresh_for(seconds(80)).stale_for(seconds(80));
    let cache = builder.fail_safe_for(seconds(80)).build().expect("a cache");
    let source = Source::default();
    let long = source.shaped(|number| Loaded::value(number).fresh_for(seconds(1_000)));
    cache.get_or_load(&1, source.load()).await.expect("loaded");
    cache.get_or_load(&2, long).await.expect("loaded");
    clock.pass(seconds(99));
    assert_eq!((kept(&cache, 1), kept(&cache, 2)), (Some(1), Some(2)));
    clock.pass(seconds(1));
    assert_eq!((kept(&cache, 1), kept(&cache, 2)), (None, None), "kept beyond ttl_max");
}

#[tokio::test]
async fn a_sliding_value_too_is_kept_no_longer_than_the_node_allows() {
    let clock = ManualClock::default();
    let larder = on(&clock).ttl_max(seconds(100)).build().expect("a node");
    let cache = numbers(&larder).fresh_for(seconds(10)).sliding().build().expect("a cache");
    let source = Source::default();
    for _ in 0..15 {
        cache.get_or_load(&7, source.load()).await.expect("an answer");
        clock.pass(seconds(9));
    }
    assert!(source.loads() > 1, "a value from 135 s ago, where ttl_max is 100 s");
}

#[tokio::test]
async fn each_value_of_a_batch_lives_for_its_own_time() {
    let (clock, larder) = node();
    let cache = numbers(&larder).fresh_for(seconds(30)).build().expect("a cache");
    let entry = |key: u64, time| (key, Loaded::value(key as u32).fresh_for(seconds(time)));
    let entries = [entry(1, 30), entry(2, 10), entry(3, 0)];
    let stored: Vec<bool> =
        cache.set_many(entries).await.into_iter().map(|outcome| outcome.stored).collect();
    assert_eq!(stored, [true, true, false]);
    clock.pass(seconds(10));
    assert_eq!([1, 2, 3].map(|key| kept(&cache, key)), [Some(1), None, None]);
    clock.pass(seconds(20));
    assert_eq!(kept(&cache, 1), None);
}

#[tokio::test]
async fn a_value_above_its_size_limit_is_answered_told_and_not_kept() {
    let (clock, told) = (ManualClock::default(), Told::new());
    let larder = on(&clock).observer(told.clone()).build().expect("a node");
    let cache = larder.cache::<u64, String>("texts").value_bytes_max(1_000).build();
    let cache = cache.expect("a cache");
    let text = |bytes: usize| move |_| async move { Ok::<_, Error>("x".repeat(bytes)) };
    assert_eq!(cache.get_or_load(&1, text(5_000)).await.expect("loaded").len(), 5_000);
    cache.get_or_load(&2, text(900)).await.expect("loaded");
    assert_eq!((cache.peek(&1).is_some(), cache.peek(&2).is_some()), (false, true));
    assert!(!cache.set(&3, "x".repeat(5_000)).await.stored);
    assert_eq!((cache.stats().not_kept, told.count("NotKept")), (1, 1));
}

#[tokio::test]
async fn a_value_with_too_many_tags_is_answered_told_and_not_kept() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    let with_tags = |count: usize| {
        source.shaped(move |number| {
            (0..count).fold(Loaded::value(number), |loaded, tag| loaded.tag(format!("tag {tag}")))
        })
    };
    let lookup = cache.get_or_load(&1, with_tags(65)).await.expect("loaded");
    assert_eq!(lookup.value(), Some(&1));
    cache.get_or_load(&2, with_tags(60)).await.expect("loaded");
    settle().await;
    assert_eq!((kept(&cache, 1), kept(&cache, 2)), (None, Some(2)));
    assert_eq!(cache.stats().not_kept, 1);
}
