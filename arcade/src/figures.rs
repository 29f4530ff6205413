//! Decides which numbers of the cache Arcade shows. The only module that reads the cache's
//! statistics; knows neither metrics nor HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use larder::{CacheStats, Larder};
use parking_lot::Mutex;
use serde::Serialize;

/// The counts of one cache. All of them only grow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheFigures {
    /// The cache's name.
    pub name: String,
    /// Reads answered by a fresh entry of the memory tier.
    pub hits_memory: u64,
    /// Reads answered by a fresh entry of the shared tier.
    pub hits_shared: u64,
    /// Reads answered by an entry past its fresh time.
    pub stale: u64,
    /// Reads that asked the source.
    pub misses: u64,
    /// How often the source was read for it; the readers that waited for one of these reads are
    /// misses too.
    pub source_reads: u64,
    /// How many reads of the source the cache has spared: all reads through it, less its loads.
    /// Those who waited for another's load count, and a load behind a stale answer counts against.
    pub saved_reads: u64,
    /// Faults of the cache and of loads.
    pub errors: u64,
    /// Invalidations that named the cache.
    pub invalidations: u64,
}

impl CacheFigures {
    fn of(name: String, stats: &CacheStats, source_reads: u64) -> Self {
        // A read that could not trust the cache asked the source like any other miss.
        let misses = stats.misses + stats.bypasses;
        let reads = stats.hits + stats.shared_hits + stats.stale_hits + misses;
        CacheFigures {
            name,
            source_reads,
            hits_memory: stats.hits,
            hits_shared: stats.shared_hits,
            stale: stats.stale_hits,
            misses,
            // A load is counted when it begins, a read when it ends.
            saved_reads: reads.saturating_sub(stats.loads),
            errors: stats.load_errors + stats.undecodable,
            invalidations: stats.invalidations,
        }
    }

    /// Reads answered by a fresh entry.
    pub fn hits(&self) -> u64 {
        self.hits_memory + self.hits_shared
    }

    /// The share of reads that a fresh entry answered, in percent; `None` without reads.
    pub fn hit_rate(&self) -> Option<f64> {
        let reads = self.hits() + self.stale + self.misses;
        (reads > 0).then(|| (self.hits() as f64 * 10_000.0 / reads as f64).round() / 100.0)
    }

    /// These counts and those of `other` together.
    #[must_use]
    pub fn plus(&self, other: &CacheFigures) -> CacheFigures {
        self.each(other, u64::saturating_add)
    }

    fn since(&self, earlier: &CacheFigures) -> CacheFigures {
        self.each(earlier, u64::saturating_sub)
    }

    fn each(&self, other: &CacheFigures, join: fn(u64, u64) -> u64) -> CacheFigures {
        CacheFigures {
            name: self.name.clone(),
            hits_memory: join(self.hits_memory, other.hits_memory),
            hits_shared: join(self.hits_shared, other.hits_shared),
            stale: join(self.stale, other.stale),
            misses: join(self.misses, other.misses),
            source_reads: join(self.source_reads, other.source_reads),
            saved_reads: join(self.saved_reads, other.saved_reads),
            errors: join(self.errors, other.errors),
            invalidations: join(self.invalidations, other.invalidations),
        }
    }
}

/// How often the source was read for each cache.
#[derive(Debug, Default)]
pub struct SourceReads(Mutex<BTreeMap<&'static str, u64>>);

impl SourceReads {
    /// Counts one for a cache.
    pub fn count(&self, cache: &'static str) {
        *self.0.lock().entry(cache).or_default() += 1;
    }

    fn of(&self, cache: &str) -> u64 {
        self.0.lock().get(cache).copied().unwrap_or(0)
    }
}

/// The figures of every cache, in all and since the last reset.
#[derive(Debug)]
pub struct Figures {
    larder: Larder,
    source_reads: Arc<SourceReads>,
    // Prometheus must never see a count fall, so a reset moves the zero of the admin page only.
    zero: Mutex<Vec<CacheFigures>>,
}

impl Figures {
    /// The figures of the caches in `larder`, whose source reads somebody else counts.
    pub fn new(larder: Larder, source_reads: Arc<SourceReads>) -> Self {
        Figures { larder, source_reads, zero: Mutex::new(Vec::new()) }
    }

    /// Counts since the start.
    pub fn in_all(&self) -> Vec<CacheFigures> {
        let figures = |(name, stats): (String, CacheStats)| {
            let source_reads = self.source_reads.of(&name);
            CacheFigures::of(name, &stats, source_reads)
        };
        self.larder.stats().caches.into_iter().map(figures).collect()
    }

    /// Counts since the last reset.
    pub fn since_reset(&self) -> Vec<CacheFigures> {
        let zero = self.zero.lock();
        let zero_of = |name: &str| zero.iter().find(|zero| zero.name == name);
        let since = |now: CacheFigures| match zero_of(&now.name) {
            Some(zero) => now.since(zero),
            None => now,
        };
        self.in_all().into_iter().map(since).collect()
    }

    /// Counts from here on.
    pub fn reset(&self) {
        *self.zero.lock() = self.in_all();
    }
}
