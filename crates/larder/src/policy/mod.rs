//! Decides how long a value of a cache may be used, and when it is loaded again. Pure: the clock
//! and the dice are arguments.

mod early;
mod lifetime;

use std::time::Duration;

pub(crate) use early::{early_window, refreshes_early};
pub(crate) use lifetime::{AskedTimes, Lifetime};

use crate::codec::Form;
use crate::read::Consistency;

/// What a cache does with its values. [`CacheBuilder`](crate::CacheBuilder)
/// documents each field.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) fresh_for: Duration,
    pub(crate) stale_for: Duration,
    pub(crate) fail_safe_for: Duration,
    pub(crate) fail_safe_throttle: Duration,
    pub(crate) negative_for: Duration,
    pub(crate) errors_for: Duration,
    pub(crate) jitter: f64,
    pub(crate) early_refresh: f64,
    pub(crate) sliding: bool,
    pub(crate) soft_timeout: Option<Duration>,
    pub(crate) hard_timeout: Option<Duration>,
    pub(crate) value_bytes_max: usize,
    pub(crate) form: Form,
    pub(crate) memory_bytes_max: Option<u64>,
    pub(crate) refreshes_max: usize,
    pub(crate) replica_lag: Option<Duration>,
    pub(crate) consistency: Consistency,
}

impl Policy {
    /// Whether values are kept in memory at all.
    pub(crate) fn keeps_in_memory(&self) -> bool {
        self.memory_bytes_max != Some(0)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            fresh_for: Duration::from_secs(300),
            stale_for: Duration::ZERO,
            fail_safe_for: Duration::ZERO,
            fail_safe_throttle: Duration::from_secs(1),
            negative_for: Duration::from_secs(1),
            errors_for: Duration::ZERO,
            jitter: 0.1,
            early_refresh: 0.0,
            sliding: false,
            soft_timeout: None,
            hard_timeout: Some(Duration::from_secs(10)),
            value_bytes_max: 1 << 20,
            form: Form::default(),
            memory_bytes_max: None,
            refreshes_max: 16,
            replica_lag: None,
            consistency: Consistency::Bounded,
        }
    }
}
