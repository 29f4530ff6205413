//! The memory tier: its bounds, what it counts, and what leaves it unread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use larder::clock::{BoxFuture, Clock, Moment};
use larder::conformance::manual::ManualClock;
use larder::{Cache, Larder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::support::{
    Fleet, Site, Source, Told, kept, millis, node, numbers, on, pass, seconds, settle, within,
};

const MIB: u64 = 1 << 20;

type Texts = Cache<u64, String>;

fn texts(larder: &Larder) -> Texts {
    larder.cache("texts").jitter(0.0).build().expect("a cache")
}

async fn put(cache: &Texts, key: u64, bytes: usize) {
    let text = "x".repeat(bytes);
    let load = move |_| async move { Ok::<_, std::io::Error>(text) };
    cache.get_or_load(&key, load).await.expect("loaded");
}

fn count(cache: &Texts, keys: u64) -> usize {
    (0..keys).filter(|key| cache.peek(key).is_some()).count()
}

#[tokio::test]
async fn memory_holds_as_many_small_entries_as_it_was_told() {
    let (_clock, larder) = node();
    let cache = texts(&larder);
    for key in 0..10_000 {
        put(&cache, key, 20).await;
    }
    // The map is split by hash, and its parts fill unevenly.
    let held = count(&cache, 10_000);
    assert!(held >= 9_800, "only {held} of 10,000 entries are held");
}

#[tokio::test]
async fn memory_never_holds_more_entries_than_it_was_told() {
    let clock = ManualClock::default();
    let larder = on(&clock).entries_max(500).build().expect("a node");
    let cache = texts(&larder);
    for key in 0..5_000 {
        put(&cache, key, 20).await;
        assert!(larder.stats().entries <= 500);
    }
    let stats = cache.stats();
    assert_eq!(stats.entries, larder.stats().entries);
    assert_eq!(stats.evictions + stats.entries, 5_000);
}

#[tokio::test]
async fn memory_never_weighs_more_bytes_than_it_was_told() {
    let clock = ManualClock::default();
    let larder = on(&clock).bytes_max(4 * MIB).build().expect("a node");
    let cache = texts(&larder);
    for key in 0..2_000 {
        put(&cache, key, 10_000).await;
        assert!(larder.stats().weight <= 4 * MIB);
    }
    let kept = count(&cache, 2_000) as u64 * 10_000;
    assert!(kept > 3 * MIB, "only {kept} bytes of 4 MiB hold values");
}

#[tokio::test]
async fn a_handful_of_entries_fits_where_a_handful_is_the_limit() {
    for entries_max in [2, 3, 10] {
        let clock = ManualClock::default();
        let larder = on(&clock).entries_max(entries_max).build().expect("a node");
        let cache = texts(&larder);
        for key in 0..entries_max {
            put(&cache, key, 20).await;
        }
        assert_eq!(count(&cache, entries_max) as u64, entries_max);
    }
}

#[tokio::test]
async fn a_large_value_within_its_limit_is_kept() {
    let clock = ManualClock::default();
    let larder = on(&clock).bytes_max(4 * MIB).build().expect("a node");
    let cache = texts(&larder);
    put(&cache, 1, 1_000_000).await;
    let stats = cache.stats();
    assert!(cache.peek(&1).is_some() || stats.not_kept == 1, "lost without a word: {stats:?}");
}

#[tokio::test]
async fn entries_that_are_read_stay_while_others_pass_through() {
    let clock = ManualClock::default();
    let larder = on(&clock).entries_max(1_000).build().expect("a node");
    let cache = texts(&larder);
    for key in 0..100 {
        put(&cache, key, 20).await;
    }
    for stranger in 100..20_000 {
        put(&cache, stranger, 20).await;
        if stranger % 10 == 0 {
            put(&cache, stranger / 10 % 100, 20).await;
        }
    }
    assert!(count(&cache, 100) >= 95, "{} of 100 hot entries stayed", count(&cache, 100));
}

#[tokio::test]
async fn expired_entries_leave_memory_without_being_read() {
    let (clock, told) = (ManualClock::default(), Told::new());
    let larder = on(&clock).observer(told.clone()).build().expect("a node");
    let cache = numbers(&larder).fresh_for(seconds(5)).stale_for(seconds(5)).build();
    let (cache, source) = (cache.expect("a cache"), Source::default());
    for key in 0..100 {
        cache.get_or_load(&key, source.load()).await.expect("loaded");
    }
    assert!(larder.stats().weight > 0);
    settle().await;
    pass(&clock, seconds(60)).await;
    assert_eq!((larder.stats().entries, larder.stats().weight), (0, 0));
    assert_eq!((cache.stats().entries, cache.stats().bytes), (0, 0));
    assert_eq!(told.count("ExpiredDropped { entries: 100 }"), 1);
}

#[tokio::test]
async fn replacing_a_value_counts_it_once() {
    let (_clock, larder) = node();
    let cache = texts(&larder);
    for bytes in [5_000, 10, 3_000] {
        assert!(cache.set(&7, "x".repeat(bytes)).await.stored);
        assert_eq!(cache.stats().entries, 1);
    }
    let bytes = cache.stats().bytes;
    assert!((3_000..4_000).contains(&bytes), "{bytes} bytes for 3,000 letters");
}

#[tokio::test]
async fn a_cache_with_a_budget_of_its_own_takes_nothing_from_the_others() {
    let (_clock, larder) = node();
    let own = larder.cache::<u64, String>("own").memory_bytes_max(MIB).build().expect("a cache");
    let others = texts(&larder);
    put(&others, 1, 20).await;
    for key in 0..500 {
        put(&own, key, 10_000).await;
    }
    assert!(own.stats().bytes <= MIB && own.stats().evictions > 300);
    assert!(others.peek(&1).is_some());
}

/// A value that cannot be encoded or decoded without being noticed.
#[derive(Clone, larder::Entry)]
#[entry(fingerprint = "a value that must not be coded")]
struct Opaque;

impl Serialize for Opaque {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("encoded")
    }
}

impl<'de> Deserialize<'de> for Opaque {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("decoded")
    }
}

#[tokio::test]
async fn nothing_is_encoded_or_decoded_in_one_process() {
    let (_clock, larder) = node();
    let cache = larder.cache::<u64, Opaque>("opaque").build().expect("a cache");
    for _ in 0..3 {
        cache.get_or_load(&7, |_| async { Ok::<_, std::io::Error>(Opaque) }).await.expect("kept");
    }
    assert!(cache.set(&8, Opaque).await.stored);
    assert!(cache.get(&8).await.is_some());
    assert_eq!(cache.stats().hits, 3);
}

/// A machine that was suspended: only the clock that counts it has moved.
struct Suspended {
    awake: ManualClock,
    slept_ms: AtomicU64,
}

impl Clock for Suspended {
    fn coarse(&self) -> Moment {
        self.awake.coarse()
    }

    fn precise(&self) -> Moment {
        self.awake.precise()
    }

    fn with_suspend(&self) -> Moment {
        self.awake.precise().plus(millis(self.slept_ms.load(Ordering::SeqCst)))
    }

    fn sleep_until(&self, deadline: Moment) -> BoxFuture<'static, ()> {
        self.awake.sleep_until(deadline)
    }
}

#[tokio::test]
async fn what_was_in_memory_before_the_machine_slept_is_gone_after_it() {
    let (awake, told) = (ManualClock::default(), Told::new());
    let clock = Arc::new(Suspended { awake: awake.clone(), slept_ms: AtomicU64::new(0) });
    let larder = Larder::builder("test").clock(clock.clone()).observer(told.clone()).build();
    let larder = larder.expect("a node");
    let cache = numbers(&larder).build().expect("a cache");
    cache.get_or_load(&7, Source::default().load()).await.expect("loaded");
    settle().await;
    pass(&awake, seconds(1)).await;
    assert_eq!(kept(&cache, 7), Some(1));
    clock.slept_ms.store(3_600_000, Ordering::SeqCst);
    pass(&awake, seconds(1)).await;
    assert_eq!(kept(&cache, 7), None);
    assert_eq!(told.count("Suspended"), 1);
}

#[tokio::test]
async fn a_process_that_stood_still_after_its_machine_slept_asks_before_it_trusts_memory() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let a = Site::of(&fleet).await;
    let clock = Arc::new(Suspended { awake: fleet.clock.clone(), slept_ms: AtomicU64::new(0) });
    let (larder, cable) = fleet.node_with(|builder| builder.clock(clock.clone()));
    let cache = numbers(&larder).build().expect("a cache");
    settle().await;
    cable.deafen();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    clock.slept_ms.store(3_600_000, Ordering::SeqCst);
    assert!(a.cache.invalidate(&7).await.position().is_some());
    // No task ran meanwhile that could have noticed the sleep.
    fleet.clock.pass(millis(600));
    let read = cache.get_or_load(&7, source.load());
    let hit = within(&fleet.clock, seconds(2), read).await;
    assert_eq!(*hit.expect("loaded"), 2);
}
