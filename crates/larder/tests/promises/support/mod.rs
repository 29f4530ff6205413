//! What the tests of the promises share: nodes on a manual clock, scripted sources, a fleet.

mod cable;
mod notebook;
mod rows;
mod shelf;
mod site;
mod source;
mod told;

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::poll;
use larder::conformance::manual::{ManualClock, SeededRandom};
use larder::{Cache, CacheBuilder, Larder, LarderBuilder, Lookup};

pub(crate) use cable::{Cable, Fleet};
pub(crate) use notebook::Notebook;
pub(crate) use rows::{Away, Rows};
pub(crate) use shelf::Shelf;
pub(crate) use site::Site;
pub(crate) use source::{Gate, Source};
pub(crate) use told::Told;

pub(crate) const SEED: u64 = 0xF2E5_4001;

/// More turns than any chain of wake-ups in this crate is long.
const TURNS: usize = 200;

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// An embedded node whose time and luck are the test's.
pub(crate) fn on(clock: &ManualClock) -> LarderBuilder {
    println!("seed {SEED:#x}");
    let random = Arc::new(SeededRandom::new(SEED));
    Larder::builder("test").clock(Arc::new(clock.clone())).random(random)
}

/// An embedded node with every default but its clock.
pub(crate) fn node() -> (ManualClock, Larder) {
    let clock = ManualClock::default();
    let larder = on(&clock).build().expect("valid settings");
    (clock, larder)
}

/// A cache whose times are exact.
pub(crate) fn numbers(larder: &Larder) -> CacheBuilder<u64, u32> {
    larder.cache("numbers").jitter(0.0)
}

/// What a read answered, without how.
pub(crate) fn value(lookup: Option<Lookup<u32>>) -> Option<u32> {
    lookup.and_then(Lookup::found).map(|hit| *hit)
}

/// What memory has of a key, fresh or stale.
pub(crate) fn kept(cache: &Cache<u64, u32>, key: u64) -> Option<u32> {
    value(cache.peek(&key))
}

/// Lets every task run until it waits for something that only the test can do.
pub(crate) async fn settle() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}

/// Turns the clock in steps that are shorter than any interval of a node, so that no node finds
/// itself behind only because the test was in a hurry.
pub(crate) async fn pass(clock: &ManualClock, span: Duration) {
    const STEP: Duration = millis(100);
    let mut left = span;
    while !left.is_zero() {
        let step = left.min(STEP);
        clock.pass(step);
        settle().await;
        left -= step;
    }
}

/// What `work` gives, while time goes on; fails the test if it takes longer than `limit`.
pub(crate) async fn within<T>(
    clock: &ManualClock,
    limit: Duration,
    work: impl Future<Output = T>,
) -> T {
    const STEP: Duration = millis(10);
    let mut work = pin!(work);
    for _ in 0..=limit.as_millis() / STEP.as_millis() {
        for _ in 0..TURNS {
            if let Poll::Ready(done) = poll!(&mut work) {
                return done;
            }
            tokio::task::yield_now().await;
        }
        clock.pass(STEP);
    }
    panic!("no answer within {limit:?}");
}
