//! How much is read, how fast, and how much is kept of it.

use std::time::Duration;

use crate::error::Mistake;

/// The smallest file of hot keys that is worth one.
const FILE_BYTES_MIN: usize = 4_096;

/// The largest: it is in memory as a whole while it is read.
const FILE_BYTES_MAX: usize = 256 << 20;

/// The limits of a warmer.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) keys_per_second: u32,
    pub(super) restored_per_second: u32,
    pub(super) batch_max: usize,
    pub(super) keys_max: usize,
    pub(super) hot_keys_max: usize,
    pub(super) file_bytes_max: usize,
    pub(super) list_timeout: Duration,
    pub(super) save_interval: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            keys_per_second: 500,
            restored_per_second: 10_000,
            batch_max: 100,
            keys_max: 10_000,
            hot_keys_max: 10_000,
            file_bytes_max: 4 << 20,
            list_timeout: Duration::from_secs(10),
            save_interval: Duration::from_secs(5 * 60),
        }
    }
}

impl Limits {
    pub(super) fn mistakes(&self) -> Vec<Mistake> {
        let limits = self;
        let mut mistakes = Vec::new();
        let mut refuse = |wrong: bool, field, problem: &str| {
            if wrong {
                mistakes.push(Mistake::new(field, problem));
            }
        };
        let counts = [
            ("keys_per_second", limits.keys_per_second as usize),
            ("restored_per_second", limits.restored_per_second as usize),
            ("batch_max", limits.batch_max),
            ("keys_max", limits.keys_max),
            ("hot_keys_max", limits.hot_keys_max),
        ];
        for (field, count) in counts {
            refuse(count == 0, field, "is zero; nothing would ever be read");
        }
        refuse(
            !(FILE_BYTES_MIN..=FILE_BYTES_MAX).contains(&limits.file_bytes_max),
            "file_bytes_max",
            "must be 4 KiB to 256 MiB",
        );
        for (field, time) in
            [("list_timeout", limits.list_timeout), ("save_interval", limits.save_interval)]
        {
            refuse(time < Duration::from_millis(1), field, "must be at least 1 ms");
        }
        mistakes
    }
}
