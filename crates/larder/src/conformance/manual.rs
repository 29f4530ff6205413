//! A clock that moves when it is told to, and randomness that a seed repeats.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::clock::{BoxFuture, Clock, Moment};
use crate::random::Random;
use crate::sync::Mutex;

#[derive(Debug)]
struct Reading {
    now: Moment,
    asleep: Vec<Waker>,
}

/// A clock that stands still until [`pass`](Self::pass). Clones are the same clock.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Reading>>);

impl Default for ManualClock {
    /// Starts at one minute, so that moments before the start exist.
    fn default() -> Self {
        let now = Moment::START.plus(Duration::from_secs(60));
        ManualClock(Arc::new(Mutex::new(Reading { now, asleep: Vec::new() })))
    }
}

impl ManualClock {
    /// Moves all readings forward, and wakes every timer that is due.
    pub fn pass(&self, span: Duration) {
        let asleep = {
            let mut reading = self.0.lock();
            reading.now = reading.now.plus(span);
            std::mem::take(&mut reading.asleep)
        };
        asleep.into_iter().for_each(Waker::wake);
    }

    fn now(&self) -> Moment {
        self.0.lock().now
    }
}

impl Clock for ManualClock {
    fn coarse(&self) -> Moment {
        self.now()
    }

    fn precise(&self) -> Moment {
        self.now()
    }

    fn with_suspend(&self) -> Moment {
        self.now()
    }

    fn sleep_until(&self, deadline: Moment) -> BoxFuture<'static, ()> {
        let clock = Arc::clone(&self.0);
        Box::pin(std::future::poll_fn(move |context| {
            let mut reading = clock.lock();
            if reading.now >= deadline {
                return Poll::Ready(());
            }
            reading.asleep.push(context.waker().clone());
            Poll::Pending
        }))
    }
}

/// The SplitMix64 generator (Steele, Lea and Flood 2014): equal seeds, equal numbers.
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    /// A generator that begins at `seed`.
    pub fn new(seed: u64) -> Self {
        SeededRandom(AtomicU64::new(seed))
    }
}

impl Random for SeededRandom {
    fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
