//! Hot keys over a restart: which come back, with which values, and what a bad file costs.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use larder::conformance::manual::ManualClock;
use larder::warm::{HOT_KEYS, Saved, Supply, WarmState, Warmer, WarmerBuilder};
use larder::{Cache, Key, Larder, Loaded, ReadableKey};

use crate::support::{Shelf, Source, Told, kept, millis, numbers, on, pass, seconds, settle};

/// A file of this test alone, which goes with it.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static PLACES: AtomicU64 = AtomicU64::new(0);
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let name = format!("larder-hot-keys-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory).expect("a directory of its own");
        Place(directory)
    }

    fn file(&self) -> PathBuf {
        self.0.join("hot-keys")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

/// A process with one cache, over a shelf that outlives it.
struct Process {
    clock: ManualClock,
    larder: Larder,
    cache: Cache<u64, u32>,
    supply: Supply<u64>,
    told: Arc<Told>,
}

impl Process {
    fn start(shelf: &Shelf) -> Self {
        let (clock, told) = (ManualClock::default(), Told::new());
        let larder = on(&clock).observer(told.clone()).build().expect("a node");
        let cache = numbers(&larder).build().expect("a cache");
        let supply = shelf.supply(&cache);
        Process { clock, larder, cache, supply, told }
    }

    fn warmer(&self, place: &Place) -> WarmerBuilder {
        Warmer::builder(&self.larder).restored(&self.supply).hot_keys_in(place.file())
    }

    /// Saves, once what was hot before is warm.
    async fn save(&self, warmer: &Warmer) -> Saved {
        warmer.restore();
        done(warmer).await;
        warmer.save().await.expect("a file").expect("nothing to wait for")
    }

    /// Reads as users do.
    async fn ask(&self, keys: impl IntoIterator<Item = u64>) {
        let source = Source::default();
        for key in keys {
            self.cache.get_or_load(&key, source.load()).await.expect("an answer");
        }
    }
}

/// Waits for what runs on threads of its own, in real time: no clock of a test turns it.
async fn done(warmer: &Warmer) {
    until("the runs end", || has_ended(warmer)).await;
    warmer.finished().await;
}

/// The same where a batch waits for its turn: the clock goes on.
async fn done_in_time(clock: &ManualClock, warmer: &Warmer) {
    let ended = || {
        clock.pass(millis(1));
        has_ended(warmer)
    };
    until("the runs end", ended).await;
}

fn has_ended(warmer: &Warmer) -> bool {
    warmer.progress().iter().all(|set| !set.state.is_under_way())
}

/// Lets threads of their own work until it is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(seconds(20), waited).await;
    waited.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// A file that remembers these keys.
async fn remembered(place: &Place, keys: impl IntoIterator<Item = u64>) -> Saved {
    let process = Process::start(&Shelf::default());
    let warmer = process.warmer(place).build().expect("a warmer");
    process.ask(keys).await;
    let saved = process.save(&warmer).await;
    assert_eq!(warmer.close().await.expect("a file"), Some(saved));
    saved
}

#[tokio::test]
async fn what_users_made_hot_is_warm_again_after_a_restart_with_the_values_of_now() {
    let (place, shelf) = (Place::new(), Shelf::default());
    let saved = remembered(&place, [1, 2, 3]).await;
    assert_eq!((saved.keys, saved.left_out), (3, 0));
    // While no process runs, somebody writes.
    shelf.set(2, 99);
    let next = Process::start(&shelf);
    let warmer = next.warmer(&place).build().expect("a warmer");
    warmer.start();
    done(&warmer).await;
    assert_eq!([1, 2, 3, 4].map(|key| kept(&next.cache, key)), [Some(10), Some(99), Some(30), None]);
    let progress = &warmer.progress()[0];
    assert_eq!(
        (progress.set.as_str(), progress.state, progress.loaded),
        (HOT_KEYS, WarmState::Done, 3)
    );
    assert_eq!(next.told.count("HotKeysLost"), 0);
}

#[tokio::test]
async fn expired_and_absent_entries_are_not_hot() {
    let (place, shelf) = (Place::new(), Shelf::default());
    let process = Process::start(&shelf);
    let warmer = process.warmer(&place).build().expect("a warmer");
    let brief = |_| async { Ok::<_, io::Error>(Loaded::value(1).fresh_for(seconds(1))) };
    process.cache.get_or_load(&1, brief).await.expect("loaded");
    pass(&process.clock, seconds(2)).await;
    process.ask([2]).await;
    let absent = process.cache.get_or_load(&3, |_| async { Ok::<_, io::Error>(None) });
    absent.await.expect("an answer");
    let saved = process.save(&warmer).await;
    assert_eq!((saved.keys, saved.left_out), (1, 0));
}

#[tokio::test]
async fn above_the_limit_the_costliest_loads_are_remembered() {
    let (place, shelf) = (Place::new(), Shelf::default());
    let process = Process::start(&shelf);
    let warmer = process.warmer(&place).hot_keys_max(2).build().expect("a warmer");
    for (key, took) in [(1, 30), (2, 500), (3, 10), (4, 90)] {
        let clock = process.clock.clone();
        let load = move |_| async move {
            clock.pass(millis(took));
            Ok::<_, io::Error>(1)
        };
        process.cache.get_or_load(&key, load).await.expect("loaded");
    }
    let saved = process.save(&warmer).await;
    assert_eq!((saved.keys, saved.left_out), (2, 2));
    let next = Process::start(&shelf);
    let restoring = next.warmer(&place).build().expect("a warmer");
    restoring.start();
    done(&restoring).await;
    assert_eq!(shelf.queries(), [[2, 4]], "the costliest first");
}

#[tokio::test]
async fn the_file_is_never_longer_than_it_may_be_and_its_owners_alone() {
    let (place, shelf) = (Place::new(), Shelf::default());
    let process = Process::start(&shelf);
    let warmer = process.warmer(&place).file_bytes_max(4_096).build().expect("a warmer");
    process.ask(0..1_000).await;
    let saved = process.save(&warmer).await;
    assert!(saved.bytes <= 4_096 && saved.keys > 300, "{saved:?}");
    assert_eq!((saved.keys + saved.left_out, length(&place)), (1_000, saved.bytes as u64));
    #[cfg(unix)]
    {
        let about = fs::metadata(place.file()).expect("a file");
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777, 0o600);
    }
    let others: Vec<_> = fs::read_dir(&place.0).expect("a directory").collect();
    assert_eq!(others.len(), 1, "nothing is left beside it");
}

fn length(place: &Place) -> u64 {
    fs::metadata(place.file()).expect("a file").len()
}

#[tokio::test]
async fn a_bad_file_is_told_and_the_start_is_a_cold_one() {
    let place = Place::new();
    remembered(&place, [1, 2]).await;
    let good = fs::read(place.file()).expect("a file");
    let mut damaged = good.clone();
    damaged[20] ^= 1;
    let mut newer = good.clone();
    newer[8] += 1;
    let bad = [
        ("damaged", damaged),
        ("cut off", good[..good.len() - 3].to_vec()),
        ("of another version", newer),
        ("foreign", b"#!/bin/sh\nrm -r".to_vec()),
        ("empty", Vec::new()),
        ("too long", vec![0; 5_000]),
    ];
    for (what, bytes) in bad {
        fs::write(place.file(), bytes).expect("written");
        let shelf = Shelf::default();
        let next = Process::start(&shelf);
        let warmer = next.warmer(&place).file_bytes_max(4_096).build().expect("a warmer");
        warmer.start();
        done(&warmer).await;
        assert_eq!(next.told.count("HotKeysLost"), 1, "{what}");
        let progress = &warmer.progress()[0];
        assert_eq!((progress.state, progress.listed), (WarmState::Done, 0), "{what}");
        assert!(progress.error.as_deref().is_some_and(|told| told.contains("hot-keys")), "{what}");
        assert!(shelf.queries().is_empty(), "{what}");
        // The next one is good again.
        next.ask([7]).await;
        assert!(warmer.close().await.expect("a file").is_some(), "{what}");
    }
    fs::remove_file(place.file()).expect("removed");
    fs::create_dir(place.file()).expect("made");
    let next = Process::start(&Shelf::default());
    let warmer = next.warmer(&place).build().expect("a warmer");
    warmer.start();
    done(&warmer).await;
    assert_eq!(next.told.count("HotKeysLost"), 1);
    assert!(warmer.save().await.is_err(), "it cannot be replaced either");
}

/// A file that names so many caches, each of them like this, with the right checksum.
fn naming(namespace: &[u8], caches: usize, cache: &[u8]) -> Vec<u8> {
    let mut bytes = namespace.to_vec();
    let mut rest = caches;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes.extend_from_slice(&cache.repeat(caches));
    bytes.extend_from_slice(&twox_hash::XxHash3_64::oneshot(&bytes).to_le_bytes());
    bytes
}

#[tokio::test]
async fn a_hostile_file_costs_no_more_than_a_good_one() {
    let place = Place::new();
    remembered(&place, [1, 2, 3]).await;
    let good = fs::read(place.file()).expect("a file");
    // Eight bytes of magic, the format, and `test` after its length; then one cache.
    let (namespace, cache) = (&good[..14], &good[15..good.len() - 8]);
    assert!(naming(namespace, 1, cache) == good);
    for (what, bytes, listed, left_out, lost) in [
        ("a cache again and again", naming(namespace, 1_000, cache), 3, 999 * 3, 999),
        ("many caches of no bytes", naming(namespace, 1_300_000, &[0; 3]), 0, 0, 1),
    ] {
        fs::write(place.file(), bytes).expect("written");
        let next = Process::start(&Shelf::default());
        let warmer = next.warmer(&place).build().expect("a warmer");
        warmer.restore();
        done(&warmer).await;
        let progress = &warmer.progress()[0];
        assert_eq!((progress.state, progress.listed), (WarmState::Done, listed), "{what}");
        assert_eq!((progress.left_out, next.told.count("HotKeysLost")), (left_out, lost), "{what}");
    }
}

#[tokio::test]
async fn without_a_file_nothing_is_lost() {
    let (place, shelf) = (Place::new(), Shelf::default());
    let next = Process::start(&shelf);
    let warmer = next.warmer(&place).build().expect("a warmer");
    warmer.restore();
    done(&warmer).await;
    assert_eq!((warmer.progress()[0].state, next.told.count("HotKeysLost")), (WarmState::Done, 0));
}

#[tokio::test]
async fn keys_of_another_type_cache_or_namespace_stay_cold() {
    #[derive(Clone, PartialEq, Eq, Hash, Key, ReadableKey)]
    struct Renamed {
        room: u64,
    }
    let place = Place::new();
    remembered(&place, [1, 2]).await;
    let cold = |larder: &Larder, supply: &Supply<Renamed>| {
        let warmer = Warmer::builder(larder).restored(supply).hot_keys_in(place.file());
        warmer.build().expect("a warmer")
    };
    for (namespace, name, why) in [
        ("test", "numbers", "another type"),
        ("test", "others", "no such cache"),
        ("live", "numbers", "another namespace"),
    ] {
        let larder = Larder::new(namespace).expect("a node");
        let cache = larder.cache::<Renamed, u32>(name).build().expect("a cache");
        let never =
            |key: Renamed| async move { Err::<u32, _>(io::Error::other(key.room.to_string())) };
        let warmer = cold(&larder, &Supply::single(&cache, never));
        warmer.start();
        done(&warmer).await;
        let progress = &warmer.progress()[0];
        assert_eq!((progress.state, progress.listed, progress.failed), (WarmState::Done, 0, 0));
        let error = progress.error.as_deref().unwrap_or_default();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn keys_that_are_stored_as_a_digest_are_left_out() {
    let place = Place::new();
    let larder = Larder::new("test").expect("a node");
    let cache = larder.cache::<String, u32>("texts").build().expect("a cache");
    let load = || async { Ok::<_, io::Error>(1) };
    for text in ["short".to_owned(), "x".repeat(600)] {
        cache.get_or_load(&text, move |_| load()).await.expect("loaded");
    }
    let supply = Supply::single(&cache, move |_| load());
    let warmer = Warmer::builder(&larder).restored(&supply).hot_keys_in(place.file());
    let warmer = warmer.build().expect("a warmer");
    warmer.restore();
    done(&warmer).await;
    let saved = warmer.close().await.expect("a file").expect("nothing to wait for");
    assert_eq!((saved.keys, saved.left_out), (1, 1));
}

#[tokio::test]
async fn a_crash_loses_no_more_than_what_became_hot_since_the_last_saving() {
    let (place, shelf) = (Place::new(), Shelf::default());
    let process = Process::start(&shelf);
    let warmer = process.warmer(&place).save_interval(seconds(60)).build().expect("a warmer");
    warmer.start();
    done(&warmer).await;
    process.ask([1, 2]).await;
    pass(&process.clock, seconds(59)).await;
    assert!(!place.file().exists());
    pass(&process.clock, seconds(2)).await;
    // The file is written on a thread of its own.
    until("a file appears", || place.file().exists()).await;
    // It dies here: nobody closes it.
    drop(process);
    let next = Process::start(&shelf);
    let restoring = next.warmer(&place).build().expect("a warmer");
    restoring.start();
    done(&restoring).await;
    assert_eq!([1, 2].map(|key| kept(&next.cache, key)), [Some(10), Some(20)]);
    drop(warmer);
}

#[tokio::test]
async fn a_process_that_ends_before_it_is_warm_does_not_forget_what_was_hot() {
    let place = Place::new();
    remembered(&place, [1, 2, 3]).await;
    let before = fs::read(place.file()).expect("a file");
    for fails in [false, true] {
        let shelf = Shelf::default();
        let brief = Process::start(&shelf);
        shelf.fails(fails);
        let slow = brief.warmer(&place).batch_max(1).restored_per_second(1).build();
        let warmer = slow.expect("a warmer");
        warmer.start();
        match fails {
            true => {
                // The file is read on a thread of its own, and only then the clock matters.
                until("the first key is asked for", || !shelf.queries().is_empty()).await;
                pass(&brief.clock, seconds(4)).await;
                done(&warmer).await;
                assert_eq!(warmer.progress()[0].state, WarmState::Failed);
            }
            false => settle().await,
        }
        assert_eq!(warmer.save().await.expect("no fault"), None, "fails: {fails}");
        assert_eq!(warmer.close().await.expect("no fault"), None, "fails: {fails}");
        assert!(fs::read(place.file()).expect("a file") == before, "fails: {fails}");
    }
}

#[tokio::test]
async fn a_warmer_that_restored_nothing_replaces_nothing() {
    let place = Place::new();
    remembered(&place, [1, 2, 3]).await;
    let before = fs::read(place.file()).expect("a file");
    let next = Process::start(&Shelf::default());
    let warmer = next.warmer(&place).build().expect("a warmer");
    next.ask([7]).await;
    assert_eq!(warmer.save().await.expect("no fault"), None);
    assert_eq!(warmer.close().await.expect("no fault"), None);
    assert!(fs::read(place.file()).expect("a file") == before);
}

/// Also where so few keys are hot that the run is done with all of them failed.
#[tokio::test]
async fn keys_of_a_source_that_is_away_are_kept_for_one_interval_and_not_for_ever() {
    for (batch_max, state) in [(1, WarmState::Failed), (100, WarmState::Done)] {
        let (place, shelf) = (Place::new(), Shelf::default());
        remembered(&place, [1, 2, 3]).await;
        let before = fs::read(place.file()).expect("a file");
        let next = Process::start(&shelf);
        shelf.fails(true);
        let warmer = next.warmer(&place).batch_max(batch_max).save_interval(seconds(60)).build();
        let warmer = warmer.expect("a warmer");
        // It does not save by itself: who asks gets the answer.
        warmer.begin([HOT_KEYS]).expect("such a set");
        done_in_time(&next.clock, &warmer).await;
        assert_eq!(warmer.progress()[0].state, state);
        next.ask([7]).await;
        pass(&next.clock, seconds(59)).await;
        assert_eq!(warmer.save().await.expect("no fault"), None, "{state:?}");
        assert!(fs::read(place.file()).expect("a file") == before, "{state:?}");
        pass(&next.clock, seconds(2)).await;
        let saved = warmer.save().await.expect("a file").expect("it has had its time");
        assert_eq!(saved.keys, 1, "{state:?}");
    }
}

#[tokio::test]
async fn a_source_that_comes_back_in_time_gives_every_key_back() {
    let (place, shelf) = (Place::new(), Shelf::default());
    remembered(&place, [1, 2, 3]).await;
    let next = Process::start(&shelf);
    shelf.fails(true);
    let warmer = next.warmer(&place).build().expect("a warmer");
    for (fails, saved) in [(true, None), (false, Some(3))] {
        shelf.fails(fails);
        warmer.begin([HOT_KEYS]).expect("such a set");
        done_in_time(&next.clock, &warmer).await;
        let found = warmer.save().await.expect("no fault");
        assert_eq!(found.map(|found| found.keys), saved, "fails: {fails}");
    }
}

#[tokio::test]
async fn hot_keys_come_before_the_sets_and_at_their_own_pace() {
    let (place, shelf) = (Place::new(), Shelf::default());
    remembered(&place, [1, 2, 3, 4]).await;
    let next = Process::start(&shelf);
    let list = || async { Ok::<_, io::Error>(vec![11, 12]) };
    let warmer = next.warmer(&place).set("popular", &next.supply, list);
    let warmer = warmer.batch_max(1).keys_per_second(1).restored_per_second(100).build();
    let warmer = warmer.expect("a warmer");
    warmer.start();
    let read = || shelf.queries().iter().map(Vec::len).sum::<usize>();
    // The file is read on a thread of its own.
    until("the first keys are asked for", || read() > 0).await;
    for _ in 0..5 {
        next.clock.pass(millis(10));
        settle().await;
    }
    assert_eq!(read(), 5, "all of the four, and the first of the set");
    pass(&next.clock, seconds(1)).await;
    assert_eq!(read(), 6);
    done(&warmer).await;
    assert_eq!(shelf.queries()[4..], [[11], [12]]);
}
