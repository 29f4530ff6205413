//! The two clocks of a benchmark: how long it took, and how long this thread really ran.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

fn read(id: ClockId) -> Duration {
    let time = clock_gettime(id);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The time that `work` takes.
pub fn elapsed<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = read(ClockId::Monotonic);
    std::hint::black_box(work());
    read(ClockId::Monotonic).saturating_sub(begun)
}

/// The time that `work` runs on this thread: what other programs of a busy machine take is not
/// in it.
pub fn on_cpu<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = read(ClockId::ThreadCPUTime);
    std::hint::black_box(work());
    read(ClockId::ThreadCPUTime).saturating_sub(begun)
}
