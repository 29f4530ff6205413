//! What time one node thinks it is: an offset, a drift, a lagging coarse reading, and suspends
//! that its monotonic clock does not count.

use std::sync::Arc;

use larder::clock::{BoxFuture, Clock, Moment};
use larder::tasks::Tasks;
use parking_lot::Mutex;

use crate::exec::{Executor, Nanos, Owner, millis};

/// The coarse clock moves in ticks of this length, as a kernel's does.
const TICK: Nanos = millis(4);

/// The faults of one machine's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockFaults {
    /// What it shows when the simulation begins.
    pub(crate) offset: Nanos,
    /// Millionths by which it runs fast, or slow if negative.
    pub(crate) drift_ppm: i64,
}

/// The clocks of one machine. Survives the runs of the node on it.
#[derive(Clone)]
pub(crate) struct SimClock {
    executor: Executor,
    faults: ClockFaults,
    /// Virtual nanoseconds that the machine has slept.
    suspended: Arc<Mutex<Nanos>>,
}

impl SimClock {
    pub(crate) fn new(executor: Executor, faults: ClockFaults) -> Self {
        SimClock { executor, faults, suspended: Arc::default() }
    }

    /// The machine slept for `span`: its monotonic clock did not move, its other one did.
    pub(crate) fn suspend(&self, span: Nanos) {
        *self.suspended.lock() += span;
    }

    /// How long the machine has been awake, by its own clock.
    pub(crate) fn monotonic(&self) -> Nanos {
        self.local(self.executor.now() - *self.suspended.lock())
    }

    fn local(&self, elapsed: Nanos) -> Nanos {
        let drift = i128::from(elapsed) * i128::from(self.faults.drift_ppm) / 1_000_000;
        let local = i128::from(self.faults.offset) + i128::from(elapsed) + drift;
        u64::try_from(local).unwrap_or(0)
    }

    /// The virtual time at which the monotonic clock shows `local`, or a little later.
    fn virtual_time(&self, local: Nanos) -> Nanos {
        let elapsed = i128::from(local.saturating_sub(self.faults.offset));
        let exact = elapsed * 1_000_000 / i128::from(1_000_000 + self.faults.drift_ppm);
        u64::try_from(exact)
            .unwrap_or(u64::MAX / 2)
            .saturating_add(*self.suspended.lock())
            .saturating_add(2)
    }
}

impl Clock for SimClock {
    fn coarse(&self) -> Moment {
        let now = self.monotonic();
        Moment::from_nanos(now - now % TICK)
    }

    fn precise(&self) -> Moment {
        Moment::from_nanos(self.monotonic())
    }

    fn with_suspend(&self) -> Moment {
        Moment::from_nanos(self.local(self.executor.now()))
    }

    fn sleep_until(&self, deadline: Moment) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            // A suspend in the meantime moves the deadline, so look again after each wake-up.
            while clock.precise() < deadline {
                let at = clock.virtual_time(deadline.as_nanos());
                clock.executor.timer(at.max(clock.executor.now() + 1)).await;
            }
        })
    }
}

/// The task set of one run of a node.
pub(crate) struct SimTasks {
    pub(crate) executor: Executor,
    pub(crate) owner: Owner,
}

impl Tasks for SimTasks {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        self.executor.spawn(self.owner, work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{Dice, Stream};

    #[test]
    fn sleeps_end_on_time_whatever_the_drift_and_suspends_show_on_one_clock_only() {
        let executor = Executor::new(Dice::new(1, Stream::Scheduler), millis(1));
        let faults = ClockFaults { offset: millis(3_600_000), drift_ppm: -9_000 };
        let clock = SimClock::new(executor.clone(), faults);
        let deadline = Moment::from_nanos(clock.monotonic() + millis(500));
        let woken = Arc::new(Mutex::new(None));
        let (seen, sleeper) = (Arc::clone(&woken), clock.clone());
        executor.spawn(
            Owner::WORLD,
            Box::pin(async move {
                sleeper.sleep_until(deadline).await;
                *seen.lock() = Some(sleeper.precise());
            }),
        );
        executor.run_until(millis(300));
        clock.suspend(millis(200));
        executor.run_until(millis(2_000));
        let late = woken.lock().expect("the sleep ended").since(deadline);
        assert!(late.as_millis() < 3, "{late:?} late");
        let gap = clock.with_suspend().since(clock.precise()).as_millis();
        assert!((198..=202).contains(&gap), "{gap} ms");
        assert!(clock.coarse() <= clock.precise());
    }
}
