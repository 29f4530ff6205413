//! Sources that failed a moment ago and are not asked again yet: the throttle of fail-safe, and
//! errors that a cache was told to keep.

use quick_cache::sync::Cache as Map;

use crate::clock::Moment;
use crate::error::Error;
use crate::memory::key::MemoryKey;

/// The most keys that are held off at once; the oldest are asked again.
const HELD_MAX: usize = 1_024;

/// The keys of one cache whose source is left alone.
pub(crate) struct Holdoffs {
    held: Map<MemoryKey, Holdoff>,
}

/// What is known of a source that failed.
#[derive(Debug, Clone)]
pub(crate) struct Holdoff {
    /// Until then a stale value is served without asking.
    pub(crate) throttled_until: Moment,
    /// Until then the error is answered without asking.
    pub(crate) error_until: Moment,
    pub(crate) error: Error,
}

impl Default for Holdoffs {
    fn default() -> Self {
        Holdoffs { held: Map::new(HELD_MAX) }
    }
}

impl Holdoffs {
    pub(crate) fn begin(&self, key: &MemoryKey, holdoff: Holdoff) {
        self.held.insert(key.clone(), holdoff);
    }

    pub(crate) fn end(&self, key: &MemoryKey) {
        if !self.held.is_empty() {
            self.held.remove(key);
        }
    }

    /// What is held against a key at `now`.
    pub(crate) fn of(&self, key: &MemoryKey, now: Moment) -> Option<Holdoff> {
        if self.held.is_empty() {
            return None;
        }
        self.held.get(key).filter(|held| now < held.throttled_until.max(held.error_until))
    }
}
