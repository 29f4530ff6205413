//! Values that are served while they are loaded again, or because their source fails.

use futures_util::FutureExt;
use larder::conformance::manual::ManualClock;
use larder::{Cache, Error, Larder, Loaded, Origin};

use crate::support::{Source, Told, kept, millis, node, numbers, on, pass, seconds, settle};

/// Fresh for two seconds, then stale for ten.
fn stale_while_revalidate(larder: &Larder) -> Cache<u64, u32> {
    numbers(larder).fresh_for(seconds(2)).stale_for(seconds(10)).build().expect("a cache")
}

/// Fresh for two seconds, then good for ten when the source fails.
fn fail_safe(larder: &Larder) -> Cache<u64, u32> {
    let builder = numbers(larder).fresh_for(seconds(2)).fail_safe_for(seconds(10));
    builder.fail_safe_throttle(seconds(1)).build().expect("a cache")
}

#[tokio::test]
async fn of_three_requests_one_misses_one_is_fresh_and_one_is_stale() {
    let (clock, larder) = node();
    let cache = stale_while_revalidate(&larder);
    let source = Source::default();
    let mut flow = Vec::new();
    for wait in [0, 1, 2] {
        clock.pass(seconds(wait));
        let hit = cache.get_or_load(&7, source.load()).await.expect("an answer");
        flow.push((*hit, hit.origin(), hit.is_stale()));
    }
    let expected =
        [(1, Origin::Loaded, false), (1, Origin::Memory, false), (1, Origin::Memory, true)];
    assert_eq!(flow, expected);
    settle().await;
    assert_eq!(kept(&cache, 7), Some(2), "the stale request did not refresh");
    let stats = cache.stats();
    assert_eq!((stats.misses, stats.hits, stats.stale_hits), (1, 1, 1));
}

#[tokio::test]
async fn a_stale_value_is_answered_without_waiting_for_its_one_reload() {
    let (clock, larder) = node();
    let cache = stale_while_revalidate(&larder);
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.pass(seconds(3));
    let gate = source.waits();
    for _ in 0..10 {
        let answer = cache.get_or_load(&7, source.load()).now_or_never();
        let hit = answer.expect("the caller had to wait").expect("an answer");
        assert_eq!((*hit, hit.is_stale()), (1, true));
        settle().await;
    }
    gate.open();
    settle().await;
    assert_eq!(source.loads(), 2, "one reload for ten readers");
    let hit = cache.get_or_load(&7, source.load()).await.expect("an answer");
    assert_eq!((*hit, hit.is_stale()), (2, false));
}

#[tokio::test]
async fn a_value_older_than_its_stale_time_is_waited_for() {
    let (clock, larder) = node();
    let cache = stale_while_revalidate(&larder);
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.pass(seconds(12));
    assert!(cache.peek(&7).is_none());
    let hit = cache.get_or_load(&7, source.load()).await.expect("loaded");
    assert_eq!((*hit, hit.origin()), (2, Origin::Loaded));
}

#[tokio::test]
async fn a_reload_that_is_named_while_it_runs_is_not_kept() {
    let (clock, larder) = node();
    let cache = stale_while_revalidate(&larder);
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.pass(seconds(3));
    let gate = source.waits();
    cache.get_or_load(&7, source.load()).await.expect("stale");
    gate.begun().await;
    assert!(cache.invalidate(&7).await.position().is_some());
    gate.open();
    settle().await;
    assert_eq!(kept(&cache, 7), None);
}

#[tokio::test]
async fn no_more_reloads_run_at_a_time_than_the_cache_allows() {
    let (clock, larder) = node();
    let cache =
        numbers(&larder).fresh_for(seconds(2)).stale_for(seconds(10)).refreshes_max(1).build();
    let (cache, source) = (cache.expect("a cache"), Source::default());
    for key in [1, 2] {
        cache.get_or_load(&key, source.load()).await.expect("loaded");
    }
    clock.pass(seconds(3));
    let gate = source.waits();
    for key in [1, 2] {
        assert!(cache.get_or_load(&key, source.load()).await.expect("stale").is_stale());
    }
    settle().await;
    assert_eq!(source.loads(), 3);
    gate.open();
    settle().await;
    cache.get_or_load(&2, source.load()).await.expect("stale");
    settle().await;
    assert_eq!(source.loads(), 4, "the place was not given back");
}

#[tokio::test]
async fn a_stale_value_is_served_when_its_source_fails_and_its_loss_is_told() {
    let (clock, told) = (ManualClock::default(), Told::new());
    let larder = on(&clock).observer(told.clone()).build().expect("a node");
    let cache = fail_safe(&larder);
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.pass(seconds(3));
    source.fails();
    let hit = cache.get_or_load(&7, source.load()).await.expect("fail-safe");
    assert_eq!((*hit, hit.is_stale(), hit.age()), (1, true, seconds(3)));
    assert_eq!((told.count("LoadFailed"), told.count("FailSafe")), (1, 1));
    assert_eq!(cache.stats().fail_safes, 1);
}

#[tokio::test]
async fn a_panicking_source_is_a_failing_source() {
    let (clock, larder) = node();
    let cache = fail_safe(&larder);
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.pass(seconds(3));
    source.panics();
    assert_eq!(*cache.get_or_load(&7, source.load()).await.expect("fail-safe"), 1);
}

#[tokio::test]
async fn a_failing_source_is_left_alone_for_the_throttle_and_then_asked_again() {
    let (clock, larder) = node();
    let cache = fail_safe(&larder);
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.pass(seconds(3));
    source.fails();
    for _ in 0..5 {
        assert_eq!(*cache.get_or_load(&7, source.load()).await.expect("fail-safe"), 1);
    }
    assert_eq!(source.loads(), 2);
    clock.pass(seconds(1));
    let hit = cache.get_or_load(&7, source.load()).await.expect("the source is back");
    assert_eq!((*hit, hit.is_stale()), (3, false));
}

#[tokio::test]
async fn a_value_beyond_its_fail_safe_time_gives_way_to_the_error() {
    let (clock, larder) = node();
    let cache = fail_safe(&larder);
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.pass(seconds(12));
    source.fails();
    let error = cache.get_or_load(&7, source.load()).await.expect_err("nothing to fall back on");
    assert!(matches!(error, Error::Source(_)), "{error}");
}

#[tokio::test]
async fn fail_safe_never_serves_what_was_invalidated() {
    let (clock, larder) = node();
    let cache = fail_safe(&larder);
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    assert!(cache.invalidate(&7).await.position().is_some());
    source.fails();
    cache.get_or_load(&7, source.load()).await.expect_err("the value is gone");
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.pass(seconds(3));
    let gate = source.waits_and_fails();
    let meanwhile = async {
        gate.begun().await;
        assert!(cache.invalidate(&7).await.position().is_some());
        gate.open();
    };
    let (answer, ()) = tokio::join!(cache.get_or_load(&7, source.load()), meanwhile);
    answer.expect_err("the value was invalidated while its reload ran");
}

#[tokio::test]
async fn a_slow_source_is_waited_for_until_the_soft_timeout_and_its_load_still_fills() {
    let (clock, larder) = node();
    let builder = numbers(&larder).fresh_for(seconds(2)).fail_safe_for(seconds(60));
    let cache = builder.soft_timeout(millis(100)).build().expect("a cache");
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.pass(seconds(3));
    let gate = source.waits();
    let turn = async {
        gate.begun().await;
        pass(&clock, millis(100)).await;
    };
    let (hit, ()) = tokio::join!(cache.get_or_load(&7, source.load()), turn);
    let hit = hit.expect("the stale value");
    assert_eq!((*hit, hit.is_stale()), (1, true));
    gate.open();
    settle().await;
    assert_eq!(*cache.get_or_load(&7, source.load()).await.expect("filled late"), 2);
    assert_eq!(source.loads(), 2);
}

#[tokio::test]
async fn the_soft_timeout_is_nothing_to_a_caller_without_a_stale_value() {
    let (clock, larder) = node();
    let cache = numbers(&larder).soft_timeout(millis(100)).build().expect("a cache");
    let source = Source::default();
    let gate = source.waits();
    let turn = async {
        gate.begun().await;
        pass(&clock, seconds(5)).await;
        gate.open();
    };
    let (hit, ()) = tokio::join!(cache.get_or_load(&7, source.load()), turn);
    assert_eq!(*hit.expect("loaded"), 1);
}

/// Loads the key in exactly one second.
async fn load_slowly(cache: &Cache<u64, u32>, clock: &ManualClock, source: &Source) {
    let gate = source.waits();
    let turn = async {
        gate.begun().await;
        pass(clock, seconds(1)).await;
        gate.open();
    };
    let (hit, ()) = tokio::join!(cache.get_or_load(&7, source.load()), turn);
    hit.expect("loaded");
}

#[tokio::test]
async fn a_costly_value_is_refreshed_before_it_expires_and_a_cheap_one_is_not() {
    for (cost, expected) in [("a second", 2), ("nothing", 1)] {
        let (clock, larder) = node();
        let builder = numbers(&larder).fresh_for(seconds(60)).early_refresh(1.0);
        let cache = builder.build().expect("a cache");
        let source = Source::default();
        if cost == "a second" {
            load_slowly(&cache, &clock, &source).await;
        } else {
            cache.get_or_load(&7, source.load()).await.expect("loaded");
        }
        for _ in 0..599 {
            clock.pass(millis(100));
            let hit = cache.get_or_load(&7, source.load()).await.expect("an answer");
            assert!(!hit.is_stale(), "an early refresh serves a fresh value");
            settle().await;
        }
        let early = source.loads();
        assert!(early == expected, "{early} loads of a value that costs {cost}");
    }
}

#[tokio::test]
async fn the_loader_is_shown_what_it_replaces_and_may_say_that_it_is_unchanged() {
    let (clock, larder) = node();
    let cache = stale_while_revalidate(&larder);
    cache.get_or_load(&7, Source::default().tagged("red")).await.expect("loaded");
    clock.pass(seconds(12) - millis(1));
    let check = |load: larder::Load<u32>| async move {
        assert_eq!(load.shown(), Some(&1));
        Ok::<_, std::io::Error>(Loaded::<u32>::not_modified())
    };
    cache.get_or_load(&7, check).await.expect("stale");
    settle().await;
    let kept = cache.peek(&7).expect("kept");
    assert_eq!((kept.value(), kept.is_stale()), (Some(&1), false));
    assert!(larder.invalidate_tag("red").await.position().is_some());
    assert!(cache.peek(&7).is_none(), "the unchanged value lost its tag");
}

#[tokio::test]
async fn an_unchanged_value_that_was_named_meanwhile_is_not_kept() {
    let (clock, larder) = node();
    let cache = stale_while_revalidate(&larder);
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.pass(seconds(3));
    let gate = source.waits();
    cache.get_or_load(&7, source.shaped(|_| Loaded::<u32>::not_modified())).await.expect("stale");
    gate.begun().await;
    assert!(cache.invalidate(&7).await.position().is_some());
    gate.open();
    settle().await;
    assert!(cache.peek(&7).is_none());
}

#[tokio::test]
async fn unchanged_is_an_error_where_nothing_was_shown() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let load = Source::default().shaped(|_| Loaded::<u32>::not_modified());
    let error = cache.get_or_load(&7, load).await.expect_err("nothing to keep");
    assert!(matches!(error, Error::NothingToKeep), "{error}");
}
