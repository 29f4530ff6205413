//! Warm sets: what is read, when, how fast, and what is told of it.

use std::future::pending;
use std::io;
use std::sync::Arc;

use larder::conformance::manual::ManualClock;
use larder::warm::{Supply, UnknownSet, WarmProgress, WarmState, Warmer, WarmerBuilder};
use larder::{Cache, Larder, Origin};

use crate::support::{
    Fleet, Shelf, Source, Told, kept, millis, node, numbers, on, pass, seconds, settle, value,
};

/// Keys that are the same at each run.
fn always(keys: &[u64]) -> impl Fn() -> std::future::Ready<io::Result<Vec<u64>>> + use<> {
    let keys = keys.to_vec();
    move || std::future::ready(Ok(keys.clone()))
}

/// A node with one cache, and the shelf that fills it.
struct Room {
    clock: ManualClock,
    larder: Larder,
    cache: Cache<u64, u32>,
    shelf: Shelf,
    supply: Supply<u64>,
}

impl Room {
    fn new() -> Self {
        let (clock, larder) = node();
        let cache = numbers(&larder).build().expect("a cache");
        let shelf = Shelf::default();
        let supply = shelf.supply(&cache);
        Room { clock, larder, cache, shelf, supply }
    }

    /// A set of these keys.
    fn with(&self, keys: &[u64]) -> WarmerBuilder {
        Warmer::builder(&self.larder).set("popular", &self.supply, always(keys))
    }
}

fn counts(progress: &WarmProgress) -> (WarmState, [u64; 5]) {
    let WarmProgress { listed, present, shared, loaded, failed, .. } = progress;
    (progress.state, [*listed, *present, *shared, *loaded, *failed])
}

#[tokio::test]
async fn the_first_reads_of_a_warm_set_are_hits() {
    let room = Room::new();
    let warmer = room.with(&[3, 1, 2]).build().expect("a warmer");
    assert_eq!(counts(&warmer.progress()[0]), (WarmState::Idle, [0; 5]));
    warmer.start();
    warmer.finished().await;
    let source = Source::default();
    for key in [1, 2, 3] {
        let hit = room.cache.get_or_load(&key, source.load()).await.expect("an answer");
        assert_eq!((*hit, hit.origin()), (10 * key as u32, Origin::Memory));
    }
    assert_eq!(room.shelf.queries(), [[3, 1, 2]], "one query, in the order of the list");
    assert_eq!(counts(&warmer.progress()[0]), (WarmState::Done, [3, 0, 0, 3, 0]));
}

#[tokio::test]
async fn what_memory_holds_fresh_is_not_read_again() {
    let room = Room::new();
    let warmer = room.with(&[1, 2]).build().expect("a warmer");
    room.cache.get_or_load(&2, Source::default().load()).await.expect("loaded");
    warmer.begin_all();
    warmer.finished().await;
    assert_eq!(room.shelf.queries(), [[1]]);
    assert_eq!(counts(&warmer.progress()[0]), (WarmState::Done, [2, 1, 0, 1, 0]));
    assert_eq!(kept(&room.cache, 2), Some(1), "the value that was there has stayed");
    assert_eq!(room.cache.stats().hits, 0, "looking is no use of it");
}

#[tokio::test]
async fn what_another_node_has_comes_from_the_shared_tier() {
    let fleet = Fleet::new();
    let ((one, _), (two, _)) = (fleet.node(), fleet.node());
    let caches = [one, two].map(|larder| (numbers(&larder).build().expect("a cache"), larder));
    settle().await;
    let shelf = Shelf::default();
    let warm = caches.each_ref().map(|(cache, larder)| {
        let set = Warmer::builder(larder).set("popular", &shelf.supply(cache), always(&[1, 2]));
        set.build().expect("a warmer")
    });
    for warmer in &warm {
        warmer.begin_all();
        warmer.finished().await;
        settle().await;
    }
    assert_eq!(shelf.queries(), [[1, 2]], "the second node asked no source");
    assert_eq!(counts(&warm[1].progress()[0]), (WarmState::Done, [2, 0, 2, 0, 0]));
}

#[tokio::test]
async fn all_runs_together_keep_the_pace() {
    let room = Room::new();
    let warmer = room
        .with(&[1, 2, 3, 4, 5])
        .set("others", &room.supply, always(&[11, 12, 13, 14]))
        .keys_per_second(2)
        .batch_max(2)
        .build()
        .expect("a warmer");
    warmer.begin(["popular"]).expect("there is such a set");
    warmer.begin(["others"]).expect("there is such a set");
    settle().await;
    let read = || room.shelf.queries().iter().map(Vec::len).sum::<usize>();
    assert_eq!(read(), 2, "the first batch of both waits for nobody");
    for (after, keys) in [(millis(900), 2), (millis(200), 4), (seconds(1), 6), (seconds(2), 9)] {
        pass(&room.clock, after).await;
        assert_eq!(read(), keys);
    }
    warmer.finished().await;
    let elapsed: Vec<_> = warmer.progress().iter().map(|set| set.elapsed.as_secs()).collect();
    assert_eq!(elapsed, [3, 3]);
}

#[tokio::test]
async fn a_set_that_is_asked_for_again_while_it_runs_is_read_once() {
    let room = Room::new();
    let warmer = room.with(&[1, 2, 3]).batch_max(1).keys_per_second(1).build().expect("a warmer");
    warmer.begin_all();
    settle().await;
    warmer.begin(["popular"]).expect("there is such a set");
    settle().await;
    assert_eq!(counts(&warmer.progress()[0]), (WarmState::Running, [3, 0, 0, 1, 0]));
    pass(&room.clock, seconds(3)).await;
    warmer.finished().await;
    assert_eq!(room.shelf.queries(), [[1], [2], [3]]);
    // Once it is over it can run again.
    warmer.begin_all();
    warmer.finished().await;
    assert_eq!(counts(&warmer.progress()[0]), (WarmState::Done, [3, 3, 0, 0, 0]));
}

#[tokio::test]
async fn a_set_that_fails_does_not_end_the_others() {
    let room = Room::new();
    let (away, fine) = (Shelf::default(), &room.shelf);
    away.fails(true);
    let told = Told::new();
    let (clock, larder) = (room.clock.clone(), on(&room.clock).observer(told.clone()).build());
    let larder = larder.expect("a node");
    let cache = numbers(&larder).build().expect("a cache");
    let failing = || async { Err::<Vec<u64>, _>(io::Error::other("no such table")) };
    let panicking = || -> std::future::Ready<io::Result<Vec<u64>>> { panic!("the list panics") };
    let warmer = Warmer::builder(&larder)
        .set("unlisted", &fine.supply(&cache), failing)
        .set("panics", &fine.supply(&cache), panicking)
        .set("hangs", &fine.supply(&cache), pending::<io::Result<Vec<u64>>>)
        .set("unread", &away.supply(&cache), always(&[1, 2, 3, 4, 5, 6, 7, 8, 9]))
        .set("fine", &fine.supply(&cache), always(&[21]))
        .batch_max(2)
        .build()
        .expect("a warmer");
    warmer.begin_all();
    pass(&clock, seconds(12)).await;
    warmer.finished().await;
    let all = warmer.progress();
    let ends: Vec<_> = all.iter().map(|set| (set.set.as_str(), set.state)).collect();
    use WarmState::{Done, Failed};
    let expected = [
        ("unlisted", Failed),
        ("panics", Failed),
        ("hangs", Failed),
        ("unread", Failed),
        ("fine", Done),
    ];
    assert_eq!(ends, expected);
    let errors: Vec<&str> = all.iter().map(|set| set.error.as_deref().unwrap_or("")).collect();
    assert_eq!(errors[0], "no such table");
    assert_eq!(errors[2], "its keys were not listed within 10s");
    assert!(errors[3].starts_with("given up after 3 failed batches"), "{}", errors[3]);
    assert_eq!(away.queries().len(), 3, "a source that fails is left alone");
    assert_eq!(counts(&all[3]), (Failed, [9, 0, 0, 0, 6]));
    assert_eq!(told.count("SetWarmed"), 5);
    assert_eq!(kept(&cache, 21), Some(210));
}

#[tokio::test]
async fn a_failed_batch_is_counted_and_the_rest_is_read() {
    let room = Room::new();
    let warmer = room.with(&[1, 2, 3]).batch_max(1).keys_per_second(1).build().expect("a warmer");
    room.shelf.fails(true);
    warmer.begin_all();
    settle().await;
    room.shelf.fails(false);
    pass(&room.clock, seconds(3)).await;
    warmer.finished().await;
    let progress = &warmer.progress()[0];
    assert_eq!(counts(progress), (WarmState::Done, [3, 0, 0, 2, 1]));
    assert_eq!(progress.error.as_deref(), Some("the source failed: the shelf is locked"));
}

#[tokio::test]
async fn whoever_drops_or_closes_the_warmer_stops_its_runs() {
    for closes in [true, false] {
        let room = Room::new();
        let slow = room.with(&[1, 2, 3]).set("next", &room.supply, always(&[4]));
        let warmer = slow.batch_max(1).keys_per_second(1).build().expect("a warmer");
        warmer.begin_all();
        settle().await;
        if closes {
            warmer.close().await.expect("nothing to save");
            settle().await;
            let states: Vec<_> = warmer.progress().iter().map(|set| set.state).collect();
            assert_eq!(states, [WarmState::Stopped, WarmState::Stopped]);
            warmer.finished().await;
        }
        drop(warmer);
        pass(&room.clock, seconds(5)).await;
        assert_eq!(room.shelf.queries(), [[1]], "closes: {closes}");
    }
}

#[tokio::test]
async fn a_set_is_never_larger_than_its_limit() {
    let room = Room::new();
    let warmer = room.with(&[5, 4, 3, 2]).keys_max(3).build().expect("a warmer");
    warmer.begin_all();
    warmer.finished().await;
    assert_eq!(room.shelf.queries(), [[5, 4, 3]]);
    assert_eq!(warmer.progress()[0].left_out, 1);
}

#[tokio::test]
async fn an_invalidation_kills_what_a_run_is_about_to_keep() {
    let room = Room::new();
    let warmer = room.with(&[1, 2]).batch_max(1).keys_per_second(1).build().expect("a warmer");
    warmer.begin_all();
    settle().await;
    room.shelf.set(1, 7);
    assert!(room.larder.invalidate_tag("shelf").await.position().is_some());
    assert_eq!(kept(&room.cache, 1), None, "a warm value has the tags of its load");
    pass(&room.clock, seconds(2)).await;
    assert_eq!(value(room.cache.get(&2).await), Some(20));
}

#[tokio::test]
async fn single_loads_warm_as_well_and_absent_ones_are_no_failure() {
    let room = Room::new();
    let loads = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&loads);
    let supply = Supply::single(&room.cache, move |key: u64| {
        seen.lock().expect("no test panics in here").push(key);
        async move { Ok::<_, io::Error>((key < 20).then_some(key as u32)) }
    });
    let keys: Vec<u64> = (1..=20).collect();
    let warmer = Warmer::builder(&room.larder).set("all", &supply, always(&keys)).build();
    let warmer = warmer.expect("a warmer");
    warmer.begin_all();
    warmer.finished().await;
    assert_eq!(*loads.lock().expect("no test panics in here"), keys);
    assert_eq!(counts(&warmer.progress()[0]), (WarmState::Done, [20, 0, 0, 20, 0]));
    assert_eq!((kept(&room.cache, 19), kept(&room.cache, 20)), (Some(19), None));
}

#[tokio::test]
async fn a_name_that_is_no_set_begins_nothing() {
    let room = Room::new();
    let warmer = room.with(&[1]).build().expect("a warmer");
    let unknown = warmer.begin(["popular", "poplar"]).expect_err("no such set");
    assert_eq!(unknown, UnknownSet { name: "poplar".to_owned() });
    settle().await;
    assert_eq!(warmer.progress()[0].state, WarmState::Idle);
}

#[tokio::test]
async fn every_mistake_is_told_at_once() {
    let room = Room::new();
    let wrong = room
        .with(&[])
        .set("popular", &room.supply, always(&[]))
        .set("hot-keys", &room.supply, always(&[]))
        .restored(&room.supply)
        .restored(&room.supply)
        .keys_per_second(0)
        .file_bytes_max(1)
        .save_interval(millis(0))
        .build()
        .expect_err("mistakes");
    let fields: Vec<_> = wrong.mistakes().iter().map(|mistake| mistake.field()).collect();
    let expected =
        ["set", "set", "restored", "restored", "keys_per_second", "file_bytes_max", "save_interval"];
    assert_eq!(fields, expected);
}
