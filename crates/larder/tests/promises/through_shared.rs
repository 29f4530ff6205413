//! Values that are written through to a source, on nodes that share one tier.

use std::io::Error;

use futures_util::poll;
use larder::{Cache, Invalidation, Loaded, Origin, Pattern};

use crate::support::{Fleet, Gate, Site, Source, kept, millis, pass, seconds, settle, value, within};

async fn two() -> (Fleet, Site, Site) {
    let fleet = Fleet::new();
    let (a, b) = (Site::of(&fleet).await, Site::of(&fleet).await);
    (fleet, a, b)
}

fn gives(number: u32) -> impl FnOnce() -> std::future::Ready<Result<u32, Error>> {
    move || std::future::ready(Ok(number))
}

/// Whether a write of `number` on this cache was stored.
async fn wrote(cache: &Cache<u64, u32>, number: u32) -> bool {
    cache.write_through(&7, gives(number)).run().await.expect("written").stored
}

/// A write that lasts until the gate is open.
async fn slow_write(cache: &Cache<u64, u32>, number: u32, gate: &Gate) -> bool {
    let write = || async {
        gate.clone().pass().await;
        Ok::<_, Error>(number)
    };
    cache.write_through(&7, write).run().await.expect("written").stored
}

#[tokio::test]
async fn what_one_node_writes_the_others_read() {
    let (_fleet, a, b) = two().await;
    let source = Source::default();
    b.read(7, &source).await;
    settle().await;
    assert!(wrote(&a.cache, 70).await);
    settle().await;
    assert_eq!(a.read(7, &source).await, (70, Origin::Memory));
    assert_eq!(b.read(7, &source).await, (70, Origin::Shared));
    assert!(wrote(&b.cache, 71).await, "over a value that is there");
    settle().await;
    assert_eq!(a.read(7, &source).await, (71, Origin::Shared));
}

#[tokio::test]
async fn what_one_node_creates_the_others_read() {
    let (_fleet, a, b) = two().await;
    let source = Source::default();
    b.cache.get_or_load(&7, source.shaped(|_| None)).await.expect("absence is remembered");
    settle().await;
    let written = a.cache.create_through(gives(70), |number| u64::from(*number) / 10).run().await;
    assert!(written.expect("written").stored);
    settle().await;
    assert_eq!(a.read(7, &source).await, (70, Origin::Memory));
    assert_eq!(b.read(7, &source).await, (70, Origin::Shared));
}

#[tokio::test]
async fn whoever_lost_the_lease_only_invalidates() {
    let (_fleet, a, b) = two().await;
    let gate = Gate::new();
    let meanwhile = async {
        gate.begun().await;
        let stored = wrote(&b.cache, 71).await;
        gate.open();
        stored
    };
    let (first, second) = tokio::join!(slow_write(&a.cache, 70, &gate), meanwhile);
    settle().await;
    assert_eq!((first, second), (false, false), "neither knows which of them wrote last");
    for site in [&a, &b] {
        assert_eq!((kept(&site.cache, 7), value(site.cache.get(&7).await)), (None, None));
    }
}

#[tokio::test]
async fn a_write_beside_a_load_only_invalidates_and_the_load_is_not_kept() {
    let (_fleet, a, b) = two().await;
    let source = Source::default();
    let gate = source.waits();
    let meanwhile = async {
        gate.begun().await;
        let stored = wrote(&b.cache, 70).await;
        gate.open();
        stored
    };
    let (_, stored) = tokio::join!(a.cache.get_or_load(&7, source.load()), meanwhile);
    settle().await;
    assert!(!stored);
    assert_eq!((kept(&a.cache, 7), value(b.cache.get(&7).await)), (None, None));
}

#[tokio::test]
async fn who_misses_an_entry_while_it_is_written_waits_and_shares_it() {
    let (fleet, a, b) = two().await;
    let (source, gate) = (Source::default(), Gate::new());
    let reading = async {
        gate.begun().await;
        let mut reading = Box::pin(b.cache.get_or_load(&7, source.load()));
        for _ in 0..20 {
            assert!(poll!(&mut reading).is_pending(), "it did not wait");
            tokio::task::yield_now().await;
        }
        gate.open();
        let hit = within(&fleet.clock, seconds(1), reading).await.expect("an answer");
        (*hit, hit.origin())
    };
    let (stored, read) = tokio::join!(slow_write(&a.cache, 70, &gate), reading);
    assert!(stored);
    assert_eq!((read, source.loads()), ((70, Origin::Shared), 0));
}

#[tokio::test]
async fn the_lease_of_a_write_that_lasts_longer_than_it_is_renewed() {
    let (fleet, a, _b) = two().await;
    let gate = Gate::new();
    let meanwhile = async {
        gate.begun().await;
        pass(&fleet.clock, seconds(25)).await;
        gate.open();
    };
    let (stored, ()) = tokio::join!(slow_write(&a.cache, 70, &gate), meanwhile);
    assert!(stored, "its lease ran out");
}

#[tokio::test]
async fn a_write_whose_tags_were_named_meanwhile_only_invalidates() {
    let pattern = || Pattern::glob("numbers:*").expect("a glob");
    let named = [
        Invalidation::new().tag("red"),
        Invalidation::new().tag("red").soft(),
        Invalidation::new().cache("numbers"),
        Invalidation::new().pattern(pattern()),
    ];
    for created in [true, false] {
        for named in named.clone() {
            let (_fleet, a, b) = two().await;
            let write = || async {
                assert!(b.larder.invalidate(named.clone()).await.position().is_some());
                Ok::<_, Error>(Loaded::value(70).tag("red"))
            };
            let written = match created {
                true => a.cache.create_through(write, |_| 7).run().await,
                false => a.cache.write_through(&7, write).run().await,
            };
            assert!(!written.expect("written").stored, "{named:?}, created: {created}");
            settle().await;
            assert_eq!((kept(&a.cache, 7), value(b.cache.get(&7).await)), (None, None));
        }
    }
}

#[tokio::test]
async fn whoever_creates_what_another_has_named_since_it_was_written_only_invalidates() {
    let (_fleet, a, b) = two().await;
    let create = || async {
        // Written by us; then by another, who is done before we ask for the lease.
        assert!(b.cache.invalidate(&7).await.position().is_some());
        Ok::<_, Error>(70)
    };
    assert!(!a.cache.create_through(create, |_| 7).run().await.expect("written").stored);
    settle().await;
    assert_eq!((kept(&a.cache, 7), value(b.cache.get(&7).await)), (None, None));
}

#[tokio::test]
async fn whoever_creates_a_row_while_the_scan_of_a_pattern_has_begun_only_invalidates() {
    let (_fleet, a, b) = two().await;
    let pattern = Invalidation::new().pattern(Pattern::glob("numbers:*").expect("a glob"));
    let gate = b.cable.hold("scan");
    let create = || async {
        gate.begun().await;
        Ok::<_, Error>(70)
    };
    let creating = async {
        let stored = a.cache.create_through(create, |_| 7).run().await.expect("written").stored;
        gate.open();
        stored
    };
    let (stored, scanned) = tokio::join!(creating, b.larder.invalidate(pattern));
    assert!(scanned.position().is_some());
    assert!(!stored, "the scan may have passed it already");
}

#[tokio::test]
async fn whoever_creates_a_row_after_more_steps_of_the_log_than_it_keeps_only_invalidates() {
    let (fleet, a, b) = two().await;
    let create = || async {
        for key in 0..101 {
            assert!(b.cache.invalidate(&(key + 100)).await.position().is_some());
        }
        Ok::<_, Error>(70)
    };
    a.cable.deafen();
    assert!(!a.cache.create_through(create, |_| 7).run().await.expect("written").stored);
    pass(&fleet.clock, seconds(1)).await;
    assert!(a.cache.create_through(gives(70), |_| 7).run().await.expect("written").stored);
}

#[tokio::test]
async fn a_fault_of_the_shared_tier_is_no_fault_of_the_write() {
    for (verb, stored) in
        [("lease", false), ("write_through", false), ("tail", true), ("append", true)]
    {
        let (fleet, a, b) = two().await;
        b.read(7, &Source::default()).await;
        settle().await;
        a.cable.refuse_after(0, verb);
        let written = a.cache.write_through(&7, gives(70)).run();
        let written = within(&fleet.clock, seconds(2), written).await.expect("written");
        assert_eq!((*written.answer, written.stored), (70, stored), "without {verb}");
        a.cable.refuse_after(1_000, verb);
        pass(&fleet.clock, seconds(1)).await;
        assert_ne!(kept(&b.cache, 7), Some(1), "the old value outlived the write, without {verb}");
    }
}

#[tokio::test]
async fn a_write_while_cut_off_is_made_and_told_when_the_way_is_free_again() {
    let (fleet, a, b) = two().await;
    for create in [false, true] {
        b.read(7, &Source::default()).await;
        a.cut_off().await;
        let written = async {
            match create {
                true => a.cache.create_through(gives(70), |_| 7).run().await,
                false => a.cache.write_through(&7, gives(70)).run().await,
            }
        };
        let written = within(&fleet.clock, seconds(2), written).await.expect("written");
        assert!(!written.stored && written.invalidated.position().is_none());
        assert_eq!(*written.answer, 70);
        a.cable.mend();
        pass(&fleet.clock, seconds(1)).await;
        assert_eq!(kept(&b.cache, 7), None, "the old value outlived the write");
    }
}

#[tokio::test]
async fn a_call_that_is_cancelled_before_it_writes_leaves_everything() {
    let (_fleet, a, b) = two().await;
    assert!(wrote(&b.cache, 1).await);
    settle().await;
    let gate = a.cable.hold("lease");
    let mut writing = Box::pin(a.cache.write_through(&7, gives(70)).run());
    assert!(poll!(&mut writing).is_pending(), "it waits for its lease");
    drop(writing);
    gate.open();
    settle().await;
    assert_eq!(kept(&b.cache, 7), Some(1));
    assert!(wrote(&b.cache, 2).await, "the lease was not given back");
}

#[tokio::test]
async fn a_write_that_is_cancelled_is_told_to_the_others() {
    let (fleet, a, b) = two().await;
    assert!(wrote(&b.cache, 1).await);
    let gate = Gate::new();
    let mut writing = Box::pin(slow_write(&a.cache, 70, &gate));
    while poll!(&mut writing).is_pending() && gate_has_not_begun(&gate).await {}
    drop(writing);
    pass(&fleet.clock, millis(500)).await;
    assert_eq!((kept(&b.cache, 7), value(b.cache.get(&7).await)), (None, None));
    assert!(wrote(&b.cache, 2).await, "the lease was not given back");
}

async fn gate_has_not_begun(gate: &Gate) -> bool {
    let mut begun = Box::pin(gate.begun());
    let pending = poll!(&mut begun).is_pending();
    tokio::task::yield_now().await;
    pending
}
