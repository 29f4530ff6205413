//! Real time, for tests of real processes: they have no clock that could be turned.

use std::time::{Duration, Instant};

/// Measures real time from its start.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "a process has no clock to be turned")]
    pub fn started() -> Self {
        Stopwatch(Instant::now())
    }

    /// What has passed since its start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
