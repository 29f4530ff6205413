//! Writes that are acknowledged before the source has them: what readers get, and what the source.

use std::sync::Arc;
use std::time::Duration;

use larder::behind::WriteBehind;
use larder::conformance::manual::ManualClock;
use larder::{Cache, Larder, Origin};

use crate::support::{
    Cable, Fleet, Notebook, Rows, Source, kept, millis, node, numbers, pass, seconds, settle, value,
    within,
};

/// A node with write-behind over its rows.
struct Desk {
    clock: ManualClock,
    _larder: Larder,
    cache: Cache<u64, u32>,
    rows: Rows,
    notebook: Notebook,
    writes: WriteBehind<u64, u32>,
}

impl Desk {
    async fn new() -> Self {
        let (clock, larder) = node();
        Desk::of(clock, larder, Rows::default()).await
    }

    async fn of(clock: ManualClock, larder: Larder, rows: Rows) -> Self {
        let (cache, notebook) = (numbers(&larder).build().expect("a cache"), Notebook::default());
        let opening = WriteBehind::builder(&cache, notebook.journal()).open(rows.sink());
        let writes = opening.await.expect("a journal of its own");
        Desk { clock, _larder: larder, cache, rows, notebook, writes }
    }

    async fn put(&self, key: u64, number: u32) -> u64 {
        let putting = self.writes.put(&key, number);
        within(&self.clock, seconds(1), putting).await.expect("acknowledged")
    }

    async fn read(&self, key: u64) -> Option<u32> {
        let reading = self.cache.get_or_load(&key, self.rows.load(key));
        value(Some(within(&self.clock, seconds(1), reading).await.expect("an answer")))
    }
}

#[tokio::test]
async fn an_acknowledged_write_is_read_at_once_and_reaches_the_source_in_time() {
    let desk = Desk::new().await;
    desk.put(7, 1).await;
    assert_eq!((desk.read(7).await, desk.rows.of(7)), (Some(1), None));
    pass(&desk.clock, millis(900)).await;
    assert_eq!(desk.rows.of(7), None, "it waits for more writes of its key");
    pass(&desk.clock, millis(200)).await;
    assert_eq!(desk.rows.of(7), Some(1));
    assert!(desk.notebook.sequences().is_empty(), "the journal has nothing to remember");
}

#[tokio::test]
async fn a_key_written_many_times_reaches_the_source_once_with_its_last_value() {
    let desk = Desk::new().await;
    for number in 1..=100 {
        desk.put(7, number).await;
        assert_eq!(desk.read(7).await, Some(number));
    }
    let last = desk.put(8, 1).await;
    pass(&desk.clock, seconds(2)).await;
    assert_eq!(desk.rows.batches(), [[(7, last - 1), (8, last)]]);
    assert_eq!((desk.rows.of(7), desk.rows.of(8)), (Some(100), Some(1)));
    let stats = desk.writes.stats();
    assert_eq!((stats.acknowledged, stats.coalesced, stats.flushed), (101, 99, 2), "{stats:?}");
    assert_eq!((stats.batches, stats.pending, stats.bytes), (1, 0, 0), "{stats:?}");
}

#[tokio::test]
async fn no_read_of_the_node_gets_the_source_while_a_write_waits() {
    let desk = Desk::new().await;
    desk.rows.set(7, 1);
    desk.put(7, 2).await;
    // As if memory had evicted it.
    assert!(desk.cache.invalidate(&7).await.position().is_some());
    assert_eq!(desk.read(7).await, Some(2));
    assert_eq!(value(desk.cache.get(&7).await), Some(2));
    let both = desk.cache.get_many(&[7, 8]).await.into_iter().map(value).collect::<Vec<_>>();
    assert_eq!(both, [Some(2), None]);
    let skipping = desk.cache.read(&7).skip_memory().get_or_load(desk.rows.load(7));
    let skipped = skipping.await.expect("an answer");
    assert_eq!((skipped.value(), skipped.origin()), (Some(&2), Origin::Memory));
    let source = desk.cache.read(&7).bypass().get_or_load(desk.rows.load(7)).await;
    assert_eq!(source.expect("an answer").value(), Some(&1), "who asks for the source gets it");
    assert_eq!(desk.read(7).await, Some(2));
}

#[tokio::test]
async fn a_load_that_a_write_overtakes_is_not_kept() {
    let desk = Desk::new().await;
    let source = Source::default();
    let gate = source.waits();
    let meanwhile = async {
        gate.begun().await;
        desk.put(7, 100).await;
        gate.open();
    };
    let (old, ()) = tokio::join!(desk.cache.get_or_load(&7, source.load()), meanwhile);
    assert_eq!(*old.expect("loaded"), 1);
    settle().await;
    assert_eq!(desk.read(7).await, Some(100));
    assert!(desk.cache.invalidate(&7).await.position().is_some());
    assert_eq!(desk.read(7).await, Some(100));
}

#[tokio::test]
async fn a_removed_key_is_absent_for_readers_and_goes_from_the_source() {
    let desk = Desk::new().await;
    desk.rows.set(7, 1);
    assert_eq!(desk.read(7).await, Some(1));
    desk.writes.remove(&7).await.expect("acknowledged");
    // Longer than the cache keeps what is absent.
    assert!(desk.cache.invalidate(&7).await.position().is_some());
    assert_eq!((desk.read(7).await, desk.rows.of(7)), (None, Some(1)));
    pass(&desk.clock, seconds(2)).await;
    assert_eq!((desk.read(7).await, desk.rows.of(7)), (None, None));
}

#[tokio::test]
async fn writes_in_flight_share_their_appends() {
    let desk = Desk::new().await;
    let puts = (0..100).map(|key| desk.put(key, 1));
    futures_util::future::join_all(puts).await;
    assert!(desk.notebook.appends() <= 2, "{} appends", desk.notebook.appends());
}

#[tokio::test]
async fn closing_flushes_what_waits_and_takes_no_more() {
    let desk = Desk::new().await;
    let (_, drained) = tokio::join!(desk.put(7, 1), async {
        settle().await;
        within(&desk.clock, seconds(1), desk.writes.close(seconds(5))).await
    });
    assert_eq!((drained.left, drained.untold, drained.parked), (0, 0, 0));
    assert_eq!(desk.rows.of(7), Some(1));
    let refused = desk.writes.put(&8, 1).await.expect_err("closed");
    assert!(matches!(refused, larder::behind::WriteError::Closed), "{refused}");
    assert!(desk.notebook.sequences().is_empty());
}

#[tokio::test]
async fn a_cache_has_write_behind_once() {
    let desk = Desk::new().await;
    let again = WriteBehind::builder(&desk.cache, desk.notebook.journal());
    let refused = again.open(desk.rows.sink()).await.expect_err("taken");
    assert!(refused.to_string().contains("`numbers`"), "{refused}");
}

/// Two nodes that share a tier and a source; the first has write-behind.
struct Pair {
    desk: Desk,
    cable: Arc<Cable>,
    other: Cache<u64, u32>,
    fleet: Fleet,
}

async fn pair() -> Pair {
    let fleet = Fleet::new();
    let other = numbers(&fleet.node().0).build().expect("a cache");
    let (larder, cable) = fleet.node();
    let desk = Desk::of(fleet.clock.clone(), larder, Rows::default()).await;
    settle().await;
    Pair { desk, cable, other, fleet }
}

impl Pair {
    async fn read_elsewhere(&self, key: u64) -> Option<u32> {
        let reading = self.other.get_or_load(&key, self.desk.rows.load(key));
        value(Some(within(&self.fleet.clock, seconds(1), reading).await.expect("an answer")))
    }
}

#[tokio::test]
async fn other_nodes_get_an_acknowledged_write_from_the_shared_tier() {
    let pair = pair().await;
    pair.desk.rows.set(7, 1);
    assert_eq!(pair.read_elsewhere(7).await, Some(1));
    pair.desk.put(7, 2).await;
    settle().await;
    assert_eq!((pair.read_elsewhere(7).await, pair.desk.rows.of(7)), (Some(2), Some(1)));
}

#[tokio::test]
async fn what_other_nodes_loaded_before_the_flush_is_gone_after_it() {
    const STALENESS_MAX: Duration = seconds(1);
    let pair = pair().await;
    pair.desk.rows.set(7, 1);
    pair.desk.put(7, 2).await;
    // The shared tier loses the write, and the other node loads what the source has.
    assert!(pair.other.invalidate(&7).await.position().is_some());
    assert_eq!(pair.read_elsewhere(7).await, Some(1));
    assert_eq!(pair.desk.read(7).await, Some(2), "the writer's node got what another node loaded");
    let skipping = pair.desk.cache.read(&7).skip_memory().get_or_load(pair.desk.rows.load(7));
    assert_eq!(value(Some(skipping.await.expect("an answer"))), Some(2));
    pass(&pair.fleet.clock, seconds(1) + millis(100) + STALENESS_MAX).await;
    assert_eq!((pair.read_elsewhere(7).await, pair.desk.read(7).await), (Some(2), Some(2)));
}

#[tokio::test]
async fn what_a_slow_read_brings_from_the_shared_tier_never_hides_a_write() {
    let pair = pair().await;
    pair.desk.rows.set(7, 1);
    let gate = pair.cable.hold("read");
    let meanwhile = async {
        gate.begun().await;
        pair.desk.put(7, 2).await;
        // The shared tier loses the write, and gets from another node what the source has.
        assert!(pair.other.invalidate(&7).await.position().is_some());
        assert_eq!(pair.read_elsewhere(7).await, Some(1));
        settle().await;
        gate.open();
    };
    tokio::join!(pair.desk.read(7), meanwhile);
    assert_ne!(kept(&pair.desk.cache, 7), Some(1), "memory has what is older than the write");
    assert_eq!(pair.desk.read(7).await, Some(2));
}
