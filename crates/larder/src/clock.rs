//! Decides what time it is, and nothing else. Every lifetime in this crate is counted on the
//! clock that the caller injects; no wall clocks of two machines are ever compared.

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A point on one process's monotonic clock, in nanoseconds since an arbitrary start.
///
/// Moments of two processes are never compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(u64);

impl Moment {
    /// The earliest moment.
    pub const START: Moment = Moment(0);
    /// A moment that is never reached.
    pub const NEVER: Moment = Moment(u64::MAX);

    /// The moment `nanos` nanoseconds after the clock's start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Moment(nanos)
    }

    /// Nanoseconds since the clock's start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This moment moved by `span`; stays at [`Moment::NEVER`] instead of overflowing.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Moment(self.0.saturating_add(nanos(span)))
    }

    /// This moment moved back by `span`; stops at [`Moment::START`].
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Moment(self.0.saturating_sub(nanos(span)))
    }

    /// How long after `earlier` this moment is; zero if it is not after it.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Duration::from_nanos(self.0))
    }
}

/// A span in nanoseconds, at most `u64::MAX`.
pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// A boxed future, as the injected traits return them.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The time source of a node.
///
/// [`coarse`](Clock::coarse) and [`precise`](Clock::precise) read the same clock; the coarse
/// reading may lag by a scheduler tick (4 ms on most kernels) and costs a few nanoseconds.
pub trait Clock: Send + Sync + 'static {
    /// The cheap reading, used on every memory hit. Never ahead of [`precise`](Clock::precise).
    fn coarse(&self) -> Moment;
    /// The exact reading, used to measure loads and to ask the log.
    fn precise(&self) -> Moment;
    /// A clock that also counts the time the machine was suspended.
    fn with_suspend(&self) -> Moment;
    /// Completes once `precise() >= deadline`. Dropping the future cancels the timer.
    fn sleep_until(&self, deadline: Moment) -> BoxFuture<'static, ()>;
}

/// The clock of the operating system; timers run on tokio.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[inline]
fn read(id: ClockId) -> Moment {
    let time = clock_gettime(id);
    Moment(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

impl Clock for SystemClock {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[inline]
    fn coarse(&self) -> Moment {
        read(ClockId::MonotonicCoarse)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn coarse(&self) -> Moment {
        read(ClockId::Monotonic)
    }

    fn precise(&self) -> Moment {
        read(ClockId::Monotonic)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn with_suspend(&self) -> Moment {
        read(ClockId::Boottime)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn with_suspend(&self) -> Moment {
        read(ClockId::Monotonic)
    }

    fn sleep_until(&self, deadline: Moment) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(deadline.since(self.precise())))
    }
}

/// The clock of a node. The system's coarse reading is called directly: a hit pays for every step
/// on the way to it.
#[derive(Clone)]
pub(crate) enum NodeClock {
    System,
    Injected(Arc<dyn Clock>),
}

impl NodeClock {
    #[inline]
    pub(crate) fn coarse(&self) -> Moment {
        match self {
            NodeClock::System => SystemClock.coarse(),
            NodeClock::Injected(clock) => clock.coarse(),
        }
    }
}

impl Deref for NodeClock {
    type Target = dyn Clock;

    fn deref(&self) -> &Self::Target {
        match self {
            NodeClock::System => &SystemClock,
            NodeClock::Injected(clock) => &**clock,
        }
    }
}

impl From<Option<Arc<dyn Clock>>> for NodeClock {
    fn from(injected: Option<Arc<dyn Clock>>) -> Self {
        injected.map_or(NodeClock::System, NodeClock::Injected)
    }
}
