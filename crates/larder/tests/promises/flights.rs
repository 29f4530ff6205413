//! One load per key, and what becomes of the others when it panics, hangs, fails or is dropped.

use futures_util::future::join_all;
use futures_util::poll;
use larder::Error;

use crate::support::{Source, kept, millis, node, numbers, on, pass, seconds, settle};
use larder::conformance::manual::ManualClock;

#[tokio::test]
async fn a_hundred_callers_of_a_slow_source_cause_one_load() {
    let (clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    let gate = source.waits();
    let turn = async {
        gate.begun().await;
        pass(&clock, millis(500)).await;
        gate.open();
    };
    let reads = join_all((0..100).map(|_| cache.get_or_load(&7, source.load())));
    let (hits, ()) = tokio::join!(reads, turn);
    assert!(hits.into_iter().all(|hit| *hit.expect("loaded") == 1));
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn a_dropped_caller_hands_its_load_to_a_waiter() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    let _never_opened = source.waits();
    let mut leading = Box::pin(cache.get_or_load(&7, source.load()));
    assert!(poll!(&mut leading).is_pending());
    let mut waiting = Box::pin(cache.get_or_load(&7, source.load()));
    assert!(poll!(&mut waiting).is_pending());
    drop(leading);
    assert_eq!(*waiting.await.expect("loaded by the waiter"), 2);
    assert_eq!(larder.stats().flights, 0);
}

#[tokio::test]
async fn a_dropped_caller_without_waiters_leaves_nothing_behind() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    let _never_opened = source.waits();
    let mut leading = Box::pin(cache.get_or_load(&7, source.load()));
    assert!(poll!(&mut leading).is_pending());
    drop(leading);
    settle().await;
    assert_eq!(larder.stats().flights, 0);
    assert_eq!(*cache.get_or_load(&7, source.load()).await.expect("loaded"), 2);
}

#[tokio::test]
async fn everyone_who_waits_for_a_panicking_loader_gets_an_answer() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    let gate = source.waits_and_panics();
    let reads = join_all((0..10).map(|_| cache.get_or_load(&7, source.load())));
    let (reads, ()) = tokio::join!(reads, async { gate.open() });
    for read in reads {
        match read {
            Ok(hit) => assert!(*hit > 1),
            Err(error) => assert!(matches!(error, Error::LoaderPanicked { .. }), "{error}"),
        }
    }
    assert!(*cache.get_or_load(&7, source.load()).await.expect("the panic is over") > 1);
    assert_eq!(cache.stats().load_errors, 1);
}

#[tokio::test]
async fn a_failed_load_is_told_to_all_who_wait_and_then_forgotten() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    let gate = source.waits_and_fails();
    let reads = join_all((0..10).map(|_| cache.get_or_load(&7, source.load())));
    let (reads, ()) = tokio::join!(reads, async { gate.open() });
    for read in reads {
        let error = read.expect_err("the source failed");
        assert!(matches!(error, Error::Source(_)), "{error}");
    }
    assert_eq!(source.loads(), 1);
    assert_eq!(*cache.get_or_load(&7, source.load()).await.expect("it is back"), 2);
}

#[tokio::test]
async fn an_error_is_cached_for_as_long_as_asked_and_no_longer() {
    let (clock, larder) = node();
    let cache = numbers(&larder).errors_for(seconds(5)).build().expect("a cache");
    let source = Source::default();
    source.fails();
    for _ in 0..3 {
        cache.get_or_load(&7, source.load()).await.expect_err("the error is kept");
    }
    assert_eq!(source.loads(), 1);
    clock.pass(seconds(5));
    assert_eq!(*cache.get_or_load(&7, source.load()).await.expect("asked again"), 2);
}

#[tokio::test]
async fn a_caller_is_told_when_its_time_is_over_and_the_load_still_fills() {
    let (clock, larder) = node();
    let cache = numbers(&larder).hard_timeout(seconds(3)).build().expect("a cache");
    let source = Source::default();
    let gate = source.waits();
    let turn = async {
        gate.begun().await;
        pass(&clock, seconds(3)).await;
    };
    let (answer, ()) = tokio::join!(cache.get_or_load(&7, source.load()), turn);
    let error = answer.expect_err("it takes too long");
    assert!(matches!(error, Error::TimedOut { after_ms: 3_000 }), "{error}");
    gate.open();
    settle().await;
    assert_eq!(kept(&cache, 7), Some(1), "the late value was thrown away");
}

#[tokio::test]
async fn a_hanging_load_keeps_nobody_who_comes_after_its_time() {
    let (clock, larder) = node();
    let cache = numbers(&larder).hard_timeout(seconds(3)).build().expect("a cache");
    let source = Source::default();
    let hanging = source.waits();
    let turn = async {
        hanging.begun().await;
        pass(&clock, seconds(3)).await;
    };
    let (answer, ()) = tokio::join!(cache.get_or_load(&7, source.load()), turn);
    answer.expect_err("it hangs");
    assert_eq!(*cache.get_or_load(&7, source.load()).await.expect("a load of its own"), 2);
}

#[tokio::test]
async fn a_load_that_never_ends_is_given_up_and_its_place_is_free_again() {
    let clock = ManualClock::default();
    let larder = on(&clock).loads_max(1).load_time_max(seconds(20)).build().expect("a node");
    let cache = numbers(&larder).hard_timeout(seconds(3)).build().expect("a cache");
    let source = Source::default();
    let hanging = source.waits();
    let turn = async {
        hanging.begun().await;
        pass(&clock, seconds(3)).await;
    };
    let (answer, ()) = tokio::join!(cache.get_or_load(&7, source.load()), turn);
    answer.expect_err("it hangs");
    pass(&clock, seconds(20)).await;
    assert_eq!(cache.stats().load_errors, 1, "the load was not given up");
    assert_eq!(*cache.get_or_load(&8, source.load()).await.expect("there is room again"), 2);
}

#[tokio::test]
async fn no_more_loads_run_at_a_time_than_the_node_allows() {
    let clock = ManualClock::default();
    let larder = on(&clock).loads_max(2).build().expect("a node");
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    let gates: Vec<_> = (0..3).map(|_| source.waits()).collect();
    let keys = [1, 2, 3];
    let reads = join_all(keys.iter().map(|key| cache.get_or_load(key, source.load())));
    let watch = async {
        settle().await;
        assert_eq!(source.loads(), 2);
        gates.iter().for_each(|gate| gate.open());
    };
    let (hits, ()) = tokio::join!(reads, watch);
    assert!(hits.into_iter().all(|hit| hit.is_ok()));
    assert_eq!(source.loads(), 3);
}

#[tokio::test]
async fn a_loader_may_read_another_key_of_its_own_cache() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let (inner, source) = (cache.clone(), Source::default());
    let load = move |_| async move {
        let part = inner.get_or_load(&8, source.load()).await?;
        Ok::<u32, Error>(*part + 100)
    };
    assert_eq!(*cache.get_or_load(&7, load).await.expect("loaded"), 101);
    assert_eq!(kept(&cache, 8), Some(1));
}
