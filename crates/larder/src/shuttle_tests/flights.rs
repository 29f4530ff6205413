//! Who leads and who waits: one leader a key, a lead that is dropped is handed on, and nobody
//! waits in vain; a lost wake-up shows as a deadlock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use shuttle::future::block_on;
use shuttle::thread;

use super::explore;
use crate::clock::Moment;
use crate::flight::{Arrived, Flights, Joined, Lead, Route, Wanted};
use crate::key::EncodedKey;
use crate::memory::key::{CacheId, MemoryKey};
use crate::wait::{self, Signal};

const HASH: u64 = 1;

/// The flights of one key, and how many of its leaders could still be joined.
#[derive(Clone, Default)]
struct Runway {
    flights: Arc<Flights>,
    leading: Arc<AtomicU32>,
    drops: Arc<AtomicU32>,
}

impl Runway {
    fn key() -> MemoryKey {
        MemoryKey::new(CacheId(0), &EncodedKey::new("rooms", &7u64))
    }

    fn join(&self) -> Joined<u32> {
        self.flights.join(&Wanted {
            hash: HASH,
            key: &Runway::key(),
            shard: 0,
            route: Route::Whole,
            joins_since: Moment::START,
        })
    }

    fn led(&self) {
        let others = self.leading.fetch_add(1, Ordering::Relaxed);
        promise!(others == 0, "two leaders of one key");
    }

    fn ends(&self) {
        self.leading.fetch_sub(1, Ordering::Relaxed);
    }

    /// Leads to the end, or drops the lead if it is one of the first `drops`.
    fn lead(&self, lead: Lead<u32>) -> Option<u32> {
        self.led();
        thread::yield_now();
        self.ends();
        let drops =
            self.drops.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if drops.is_ok() {
            drop(lead);
            return None;
        }
        lead.take_out();
        lead.publish(5);
        Some(5)
    }

    /// One caller, from joining to the answer.
    fn call(&self) -> Option<u32> {
        match self.join() {
            Joined::Leads(lead) => self.lead(lead),
            Joined::Waits(mut waiter) => match block_on(waiter.arrived()) {
                Arrived::Result(result) => Some(result),
                Arrived::Leads(lead) => self.lead(lead),
            },
        }
    }
}

#[test]
fn a_dropped_lead_is_handed_on_and_nobody_waits_in_vain() {
    explore(|| {
        let runway = Runway::default();
        runway.drops.store(1, Ordering::Relaxed);
        let callers = [(); 2].map(|()| {
            let runway = runway.clone();
            thread::spawn(move || runway.call())
        });
        let mine = runway.call();
        let others = callers.map(|caller| caller.join().expect("the caller was answered"));
        let unanswered = others.iter().chain([&mine]).filter(|answer| answer.is_none()).count();
        promise!(unanswered == 1, "{unanswered} callers without an answer, and one dropped its lead");
        promise!(runway.flights.len() == 0, "a flight was left behind");
    });
}

#[test]
fn a_waiter_who_gives_up_passes_the_lead_on() {
    explore(|| {
        let runway = Runway::default();
        let Joined::Leads(lead) = runway.join() else { panic!("somebody else leads") };
        let Joined::Waits(mut first) = runway.join() else { panic!("two leaders") };
        let Joined::Waits(mut second) = runway.join() else { panic!("two leaders") };
        let gives_up = Arc::new(Signal::default());
        let impatient = thread::spawn({
            let gives_up = Arc::clone(&gives_up);
            move || drop(block_on(wait::until(first.arrived(), gives_up.wait())))
        });
        let patient = thread::spawn(move || matches!(block_on(second.arrived()), Arrived::Leads(_)));
        let dropping = thread::spawn(move || drop(lead));
        gives_up.set(());
        impatient.join().expect("it gave up, or led");
        dropping.join().expect("the lead was dropped");
        promise!(patient.join().expect("the waiter was woken"), "a result, but nobody loaded");
    });
}

#[test]
fn the_end_of_a_detached_flight_leaves_its_successor_in_the_table() {
    explore(|| {
        let runway = Runway::default();
        let Joined::Leads(old) = runway.join() else { panic!("somebody else leads") };
        runway.flights.detach(HASH, &Runway::key());
        let ending = thread::spawn(move || {
            old.take_out();
            old.publish(4);
        });
        let caller = thread::spawn({
            let runway = runway.clone();
            move || runway.call()
        });
        let mine = runway.call();
        ending.join().expect("the old flight ended");
        let other = caller.join().expect("the caller was answered");
        promise!((mine, other) == (Some(5), Some(5)), "{mine:?} and {other:?}, but 4 was detached");
    });
}
