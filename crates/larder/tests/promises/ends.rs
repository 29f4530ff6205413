//! Values that end by themselves: nothing serves them from then on, on any node.

use std::io;

use larder::clock::BoxFuture;
use larder::{Cache, CacheBuilder, Load, Loaded, Origin};

use crate::support::{Fleet, Source, kept, millis, node, numbers, pass, seconds, settle, value};

/// A loader of a number that ends so many seconds after its load began.
fn ending(
    source: &Source,
    after_s: u64,
) -> impl FnOnce(Load<u32>) -> BoxFuture<'static, io::Result<Loaded<u32>>> + Send + use<> {
    source.shaped(move |number| Loaded::value(number).kept_at_most(seconds(after_s)))
}

/// A loader that finds the value as it was, and says so.
fn unmodified(
    source: &Source,
    said: fn(Loaded<u32>) -> Loaded<u32>,
) -> impl FnOnce(Load<u32>) -> BoxFuture<'static, io::Result<Loaded<u32>>> + Send + use<> {
    source.shaped(move |_| said(Loaded::not_modified()))
}

#[tokio::test]
async fn sliding_never_carries_a_value_past_the_end_that_its_loader_gave_it() {
    let (clock, larder) = node();
    let cache = numbers(&larder).fresh_for(seconds(10)).sliding().build().expect("a cache");
    let source = Source::default();
    cache.get_or_load(&7, ending(&source, 25)).await.expect("loaded");
    for step in [9_000, 9_000, 6_999] {
        clock.pass(millis(step));
        assert_eq!(value(cache.get(&7).await), Some(1));
    }
    clock.pass(millis(1));
    assert_eq!((kept(&cache, 7), value(cache.get(&7).await)), (None, None));
    let next = cache.get_or_load(&7, ending(&source, 25)).await.expect("loaded");
    assert_eq!(next.value(), Some(&2));
}

#[tokio::test]
async fn neither_fresh_nor_stale_nor_fail_safe_time_passes_the_end() {
    let (clock, larder) = node();
    let builder = numbers(&larder).fresh_for(seconds(10)).stale_for(seconds(20));
    let cache = builder.fail_safe_for(seconds(60)).build().expect("a cache");
    let source = Source::default();
    for (key, end) in [(5, 5), (15, 15), (40, 40)] {
        cache.get_or_load(&key, ending(&source, end)).await.expect("loaded");
    }
    clock.pass(millis(4_999));
    assert_eq!(kept(&cache, 5), Some(1), "it is fresh");
    clock.pass(millis(1));
    assert_eq!(kept(&cache, 5), None);
    clock.pass(millis(9_999));
    assert_eq!(kept(&cache, 15), Some(2), "it is stale");
    clock.pass(millis(1));
    assert_eq!(kept(&cache, 15), None);
    clock.pass(seconds(20));
    source.fails();
    let saved = cache.get_or_load(&40, ending(&source, 40)).await.expect("fail-safe");
    assert_eq!((saved.value(), saved.is_stale()), (Some(&3), true));
    clock.pass(seconds(5));
    source.fails();
    cache.get_or_load(&40, ending(&source, 40)).await.expect_err("it has ended");
}

#[tokio::test]
async fn an_end_that_is_now_means_answered_and_not_kept() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let answer = cache.get_or_load(&7, ending(&Source::default(), 0)).await.expect("loaded");
    assert_eq!((answer.value(), kept(&cache, 7)), (Some(&1), None));
}

#[tokio::test]
async fn a_value_that_is_set_ends_too() {
    let (clock, larder) = node();
    let cache = numbers(&larder).sliding().build().expect("a cache");
    assert!(cache.set(&7, Loaded::value(3).kept_at_most(seconds(5))).await.stored);
    clock.pass(millis(4_999));
    assert_eq!(value(cache.get(&7).await), Some(3));
    clock.pass(millis(1));
    assert_eq!(kept(&cache, 7), None);
}

#[tokio::test]
async fn an_unmodified_value_keeps_its_end_unless_its_loader_names_another() {
    let (clock, larder) = node();
    let builder = numbers(&larder).fresh_for(seconds(10)).fail_safe_for(seconds(60));
    let (cache, source) = (builder.build().expect("a cache"), Source::default());
    for key in [1, 2] {
        cache.get_or_load(&key, ending(&source, 25)).await.expect("loaded");
    }
    clock.pass(seconds(12));
    for key in [1, 2] {
        cache.get_or_load(&key, unmodified(&source, |same| same)).await.expect("as it was");
    }
    clock.pass(seconds(11));
    let longer = |same: Loaded<u32>| same.kept_at_most(seconds(60));
    cache.get_or_load(&1, unmodified(&source, |same| same)).await.expect("as it was");
    cache.get_or_load(&2, unmodified(&source, longer)).await.expect("as it was");
    clock.pass(millis(1_999));
    assert_eq!((kept(&cache, 1), kept(&cache, 2)), (Some(1), Some(2)));
    clock.pass(millis(1));
    assert_eq!((kept(&cache, 1), kept(&cache, 2)), (None, Some(2)));
}

#[tokio::test]
async fn what_has_ended_leaves_memory_though_nobody_reads_it() {
    let (clock, larder) = node();
    let cache = numbers(&larder).fail_safe_for(seconds(3_600)).build().expect("a cache");
    cache.get_or_load(&7, ending(&Source::default(), 25)).await.expect("loaded");
    settle().await;
    assert_eq!(larder.stats().entries, 1);
    for _ in 0..2 {
        clock.pass(seconds(30));
        settle().await;
    }
    assert_eq!(larder.stats().entries, 0);
}

#[tokio::test]
async fn absence_does_not_slide() {
    let (clock, larder) = node();
    let builder = numbers(&larder).fresh_for(seconds(60)).negative_for(seconds(5));
    let (cache, source) = (builder.sliding().build().expect("a cache"), Source::default());
    let absent = || source.shaped(|_| None::<u32>);
    for _ in 0..3 {
        cache.get_or_load(&7, absent()).await.expect("an answer");
        clock.pass(seconds(2));
    }
    let lookup = cache.get_or_load(&7, source.shaped(Some)).await.expect("an answer");
    assert_eq!(lookup.value(), Some(&2), "the new row is hidden by an absence that slid");
}

/// The caches of two nodes that share one tier.
async fn pair(fleet: &Fleet, with: fn(CacheBuilder<u64, u32>) -> CacheBuilder<u64, u32>) -> Pair {
    let nodes = [fleet.node().0, fleet.node().0];
    let [a, b] = [0, 1].map(|node| with(numbers(&nodes[node])).build().expect("a cache"));
    settle().await;
    Pair { _nodes: nodes, a, b }
}

struct Pair {
    _nodes: [larder::Larder; 2],
    a: Cache<u64, u32>,
    b: Cache<u64, u32>,
}

#[tokio::test]
async fn another_node_slides_a_value_no_further_than_the_end_that_its_loader_gave_it() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let pair = pair(&fleet, |cache| cache.fresh_for(seconds(10)).sliding()).await;
    pair.a.get_or_load(&1, ending(&source, 25)).await.expect("loaded");
    assert!(pair.a.set(&2, Loaded::value(1).kept_at_most(seconds(25))).await.stored);
    settle().await;
    pass(&fleet.clock, seconds(5)).await;
    for key in [1, 2] {
        let shared = pair.b.get_or_load(&key, ending(&source, 25)).await.expect("an answer");
        assert_eq!((shared.value(), shared.origin()), (Some(&1), Origin::Shared));
    }
    for step in [4_000, 8_000, 7_900] {
        pass(&fleet.clock, millis(step)).await;
        for key in [1, 2] {
            assert_eq!(value(pair.b.get(&key).await), Some(1), "it did not slide");
        }
    }
    pass(&fleet.clock, millis(200)).await;
    assert_eq!([1, 2].map(|key| kept(&pair.b, key)), [None, None]);
    assert_eq!(value(pair.b.get(&1).await), None);
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn neither_the_shared_tier_nor_the_stale_time_of_another_node_outlasts_the_end() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let with = |cache: CacheBuilder<u64, u32>| {
        cache.fresh_for(seconds(10)).stale_for(seconds(60)).fail_safe_throttle(seconds(0))
    };
    let pair = pair(&fleet, with).await;
    pair.a.get_or_load(&7, ending(&source, 25)).await.expect("loaded");
    settle().await;
    pass(&fleet.clock, seconds(5)).await;
    let shared = pair.b.get_or_load(&7, ending(&source, 25)).await.expect("an answer");
    assert_eq!(shared.origin(), Origin::Shared);
    pass(&fleet.clock, millis(19_800)).await;
    assert_eq!(value(pair.a.peek_shared(&7).await), Some(1));
    source.fails();
    let saved = pair.b.get_or_load(&7, ending(&source, 25)).await.expect("stale");
    assert_eq!((saved.value(), saved.is_stale()), (Some(&1), true));
    pass(&fleet.clock, millis(400)).await;
    assert_eq!(value(pair.a.peek_shared(&7).await), None);
    source.fails();
    pair.b.get_or_load(&7, ending(&source, 25)).await.expect_err("it has ended");
}
