//! What is cached: rows that count their changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::pause;

/// How many rows there are.
pub const KEYS: usize = 200;

/// Rows of which each has a version. Clones share them.
#[derive(Debug, Clone)]
pub struct Source {
    rows: Arc<[AtomicU64]>,
    loads: Arc<AtomicU64>,
    takes: Duration,
}

impl Source {
    /// Every row at version 0. A load takes this long after it has read its row, so that what it
    /// read may be old when it ends.
    pub fn new(takes: Duration) -> Self {
        let rows = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
        Source { rows, loads: Arc::default(), takes }
    }

    /// Changes a row. Its version is this one from now on.
    pub fn change(&self, key: usize) -> u64 {
        self.rows[key].fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Reads a row as a loader does. Never fails.
    pub async fn load(&self, key: usize) -> u64 {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let version = self.rows[key].load(Ordering::SeqCst);
        if !self.takes.is_zero() {
            pause(self.takes).await;
        }
        version
    }

    /// How long a load takes.
    pub fn takes(&self) -> Duration {
        self.takes
    }

    /// How often a row was loaded.
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}
