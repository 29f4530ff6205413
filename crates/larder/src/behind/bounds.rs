//! How much may wait, how long, and how often it is tried.

use std::time::Duration;

use crate::error::{BuildError, Mistake};

/// The bounds of write-behind.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) flush_after: Duration,
    pub(crate) batch_max: usize,
    pub(crate) writes_max: usize,
    pub(crate) bytes_max: usize,
    pub(crate) room_timeout: Duration,
    pub(crate) journal_timeout: Duration,
    pub(crate) sink_timeout: Duration,
    pub(crate) tries_max: u32,
    pub(crate) backoff_step: Duration,
    pub(crate) backoff_max: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            flush_after: Duration::from_secs(1),
            batch_max: 500,
            writes_max: 100_000,
            bytes_max: 64 << 20,
            room_timeout: Duration::from_secs(5),
            journal_timeout: Duration::from_secs(10),
            sink_timeout: Duration::from_secs(30),
            tries_max: 100,
            backoff_step: Duration::from_millis(100),
            backoff_max: Duration::from_secs(10),
        }
    }
}

impl Bounds {
    /// # Errors
    /// Every bound that nothing could keep.
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        let none = Duration::ZERO;
        let wrong = [
            (self.batch_max == 0, "batch_max", "is zero; nothing could be flushed"),
            (self.writes_max == 0, "writes_max", "is zero; nothing could be written"),
            (self.bytes_max == 0, "bytes_max", "is zero; nothing could be written"),
            (self.tries_max == 0, "tries_max", "is zero; nothing could be flushed"),
            (self.journal_timeout == none, "journal_timeout", "is zero; nothing could be written"),
            (self.sink_timeout == none, "sink_timeout", "is zero; nothing could be flushed"),
            (self.backoff_step == none, "backoff_step", "is zero; the source would get no rest"),
        ];
        let mistakes = wrong.into_iter().filter(|(wrong, ..)| *wrong);
        BuildError::unless_empty(
            mistakes.map(|(_, field, problem)| Mistake::new(field, problem)).collect(),
        )
    }

    /// How long the source is left alone after so many failures in a row: between half and the whole
    /// of a time that doubles with each. `unit` is random.
    pub(crate) fn backoff(&self, failures: u32, unit: f64) -> Duration {
        let doubled = 2u32.saturating_pow(failures.saturating_sub(1));
        self.backoff_step.saturating_mul(doubled).min(self.backoff_max).mul_f64(0.5 + unit / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_left_alone_longer_after_each_failure_but_not_for_ever() {
        let bounds = Bounds::default();
        assert_eq!(bounds.backoff(1, 0.0), Duration::from_millis(50));
        assert_eq!(bounds.backoff(3, 1.0), Duration::from_millis(400));
        assert_eq!(bounds.backoff(u32::MAX, 1.0), bounds.backoff_max);
    }

    #[test]
    fn every_bound_that_nothing_could_keep_is_named_at_once() {
        let bounds = Bounds { batch_max: 0, tries_max: 0, ..Bounds::default() };
        let mistakes = bounds.check().expect_err("two are zero");
        let fields: Vec<_> = mistakes.mistakes().iter().map(Mistake::field).collect();
        assert_eq!(fields, ["batch_max", "tries_max"]);
        assert!(Bounds::default().check().is_ok());
    }
}
