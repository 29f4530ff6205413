//! Which version of each key a reader may still see: what was made known of the source, and when.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder_rig::Stopwatch;

/// How late a node may see what another one has made known.
pub(crate) const STALENESS_MAX: Duration = Duration::from_secs(1);

/// The source of one key, and what became known of its changes.
pub(crate) struct History {
    version: AtomicU64,
    /// The highest version that is known to anybody: most reads need no more to be found current.
    known: AtomicU64,
    /// When a version became known, and the highest until then. Times grow, and so do versions.
    changes: Mutex<Vec<(Duration, u64)>>,
}

impl History {
    pub(crate) fn new() -> Self {
        let [version, known] = [0, 0].map(AtomicU64::new);
        History { version, known, changes: Mutex::default() }
    }

    /// The source's version now.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    /// The next version, from now on.
    pub(crate) fn change(&self) -> u64 {
        self.version.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// This version is known from now on.
    pub(crate) fn make_known(&self, version: u64, clock: &Stopwatch) {
        let mut changes = self.changes.lock().expect("nobody panics with it");
        let highest = changes.last().map_or(version, |(_, before)| version.max(*before));
        changes.push((clock.elapsed(), highest));
        self.known.fetch_max(version, Ordering::SeqCst);
    }

    /// The version that was known at `at`, if that is higher than `than`.
    pub(crate) fn newer_at(&self, at: Duration, than: u64) -> Option<u64> {
        if self.known.load(Ordering::SeqCst) <= than {
            return None;
        }
        let changes = self.changes.lock().expect("nobody panics with it");
        let until = changes.partition_point(|(known, _)| *known <= at);
        let (_, version) = changes[..until].last()?;
        (*version > than).then_some(*version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_counts_from_when_it_was_known() {
        let (history, clock) = (History::new(), Stopwatch::started());
        assert_eq!(history.change(), 1);
        let before = clock.elapsed();
        history.make_known(2, &clock);
        history.make_known(1, &clock);
        let after = clock.elapsed();
        assert_eq!(history.newer_at(before, 0), None);
        assert_eq!(history.newer_at(after, 0), Some(2));
        assert_eq!(history.newer_at(after, 2), None);
    }
}
