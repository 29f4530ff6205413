//! What a node counts. Hits are many, also stale ones while the log is away, so that they have a
//! [`Tally`]; a shared counter is enough for everything else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::sync::Mutex;
use crate::tally::Tally;

/// One cache's numbers since the node began, or since they were last reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheStats {
    /// Reads answered fresh from memory.
    pub hits: u64,
    /// Reads answered with a stale value, from memory or the shared tier.
    pub stale_hits: u64,
    /// Reads answered fresh from the shared tier.
    pub shared_hits: u64,
    /// Reads that had to wait for a load, their own or another's.
    pub misses: u64,
    /// Loads that began.
    pub loads: u64,
    /// Loads that failed, panicked or were given up.
    pub load_errors: u64,
    /// How long all loads took together.
    pub load_time: Duration,
    /// Values served because their source failed.
    pub fail_safes: u64,
    /// Reads that went to the source because the log could not be confirmed.
    pub bypasses: u64,
    /// Values written by `set`.
    pub sets: u64,
    /// Invalidations that name this cache: one of its keys, a prefix, or the whole cache.
    pub invalidations: u64,
    /// Values answered but not kept, or not in the shared tier: see
    /// [`NotKept`](crate::event::NotKept) for the reasons.
    pub not_kept: u64,
    /// Values of the shared tier that could not be decoded.
    pub undecodable: u64,
    /// Fills that the shared tier refused.
    pub fills_rejected: u64,
    /// Entries evicted from memory for want of room.
    pub evictions: u64,
    /// Entries in memory now.
    pub entries: u64,
    /// What these weigh, in bytes.
    pub bytes: u64,
}

impl CacheStats {
    /// Reads answered from memory or the shared tier, fresh or stale, as a share of all reads;
    /// `None` before the first read.
    pub fn hit_ratio(&self) -> Option<f64> {
        let hits = self.hits + self.shared_hits + self.stale_hits;
        let reads = hits + self.misses + self.bypasses;
        (reads > 0).then(|| hits as f64 / reads as f64)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident => $field:ident),* $(,)?) => {
        /// The counters of one cache.
        #[derive(Default)]
        pub(crate) struct Counters {
            hits: Tally,
            stale_hits: Tally,
            load_nanos: AtomicU64,
            entries: AtomicU64,
            bytes: AtomicU64,
            $($field: AtomicU64,)*
            /// What was counted when the numbers were last reset.
            baseline: Mutex<CacheStats>,
        }

        impl Counters {
            $($(#[$doc])* pub(crate) fn $name(&self) {
                self.$field.fetch_add(1, Ordering::Relaxed);
            })*

            fn totals(&self) -> CacheStats {
                CacheStats {
                    hits: self.hits.sum(),
                    stale_hits: self.stale_hits.sum(),
                    load_time: Duration::from_nanos(self.load_nanos.load(Ordering::Relaxed)),
                    entries: self.entries.load(Ordering::Relaxed),
                    bytes: self.bytes.load(Ordering::Relaxed),
                    $($field: self.$field.load(Ordering::Relaxed),)*
                }
            }

            /// The numbers since the last reset; entries and bytes are those of now.
            pub(crate) fn stats(&self) -> CacheStats {
                let (now, base) = (self.totals(), *self.baseline.lock());
                CacheStats {
                    hits: now.hits.saturating_sub(base.hits),
                    stale_hits: now.stale_hits.saturating_sub(base.stale_hits),
                    load_time: now.load_time.saturating_sub(base.load_time),
                    entries: now.entries,
                    bytes: now.bytes,
                    $($field: now.$field.saturating_sub(base.$field),)*
                }
            }
        }
    };
}

counters! {
    shared_hit => shared_hits,
    miss => misses,
    load_began => loads,
    load_failed => load_errors,
    fail_safe => fail_safes,
    bypassed => bypasses,
    set => sets,
    invalidated => invalidations,
    kept_nothing => not_kept,
    could_not_decode => undecodable,
    fill_rejected => fills_rejected,
    evicted => evictions,
}

impl Counters {
    #[inline]
    pub(crate) fn hit(&self) {
        self.hits.add_one();
    }

    /// While the log is away, every hit may be one.
    #[inline]
    pub(crate) fn stale_hit(&self) {
        self.stale_hits.add_one();
    }

    pub(crate) fn loaded(&self, took: Duration) {
        self.load_nanos.fetch_add(crate::clock::nanos(took), Ordering::Relaxed);
    }

    pub(crate) fn entered(&self, weight: u64) {
        self.entries.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(weight, Ordering::Relaxed);
    }

    pub(crate) fn left(&self, weight: u64) {
        self.entries.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(weight, Ordering::Relaxed);
    }

    pub(crate) fn reset(&self) {
        *self.baseline.lock() = self.totals();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_of_all_threads_are_added_up_and_a_reset_starts_again() {
        let counters = Counters::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| counters.hit()));
            }
        });
        assert_eq!(counters.stats().hits, 4_000);
        counters.reset();
        counters.hit();
        assert_eq!(counters.stats().hits, 1);
    }

    #[test]
    fn the_hit_ratio_counts_every_read_once() {
        let stats =
            CacheStats { hits: 6, shared_hits: 1, stale_hits: 1, misses: 2, ..CacheStats::default() };
        assert_eq!(stats.hit_ratio(), Some(0.8));
        assert_eq!(CacheStats::default().hit_ratio(), None);
    }
}
