//! The numbers of the caches, each alone and all together.

use larder::{CacheStats, Larder};
use serde::{Deserialize, Serialize};

/// The numbers of a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// All caches together.
    pub total: Counts,
    /// Each cache, by name.
    pub caches: Vec<FiguresRow>,
    /// Invalidations that wait for the shared tier.
    pub waiting: u64,
    /// The number of the newest row of the audit trail; 0 without any.
    pub newest_in_log: u64,
}

/// The numbers of one cache.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FiguresRow {
    /// Its name.
    pub name: String,
    /// Its numbers.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What was counted since the process began, or since [`Larder::reset_stats`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Reads answered fresh from memory.
    pub hits_memory: u64,
    /// Reads answered fresh from the shared tier.
    pub hits_shared: u64,
    /// Reads answered past the fresh time.
    pub stale: u64,
    /// Reads that waited for the source, also those that could not trust the cache.
    pub misses: u64,
    /// Loads that began.
    pub loads: u64,
    /// Loads that failed, panicked or were given up.
    pub load_errors: u64,
    /// Invalidations that name the cache.
    pub invalidations: u64,
    /// Entries in memory now.
    pub entries: u64,
    /// What these weigh.
    pub bytes: u64,
    /// The share of reads that the cache answered, fresh or stale, 0 to 1; `None` before the first.
    pub hit_ratio: Option<f64>,
}

impl Figures {
    /// The numbers of `larder`.
    pub fn of(larder: &Larder) -> Self {
        let stats = larder.stats();
        let all = stats.caches.iter().fold(CacheStats::default(), |all, (_, one)| plus(all, one));
        let row = |(name, stats)| FiguresRow { name, counts: Counts::of(&stats) };
        let mut caches: Vec<FiguresRow> = stats.caches.into_iter().map(row).collect();
        caches.sort_by(|one, other| one.name.cmp(&other.name));
        Figures {
            total: Counts::of(&all),
            caches,
            waiting: stats.backlog as u64,
            newest_in_log: larder.audit(1).first().map_or(0, |newest| newest.number),
        }
    }
}

impl Counts {
    fn of(stats: &CacheStats) -> Self {
        Counts {
            hits_memory: stats.hits,
            hits_shared: stats.shared_hits,
            stale: stats.stale_hits,
            misses: stats.misses + stats.bypasses,
            loads: stats.loads,
            load_errors: stats.load_errors,
            invalidations: stats.invalidations,
            entries: stats.entries,
            bytes: stats.bytes,
            hit_ratio: stats.hit_ratio(),
        }
    }
}

/// Of what is shown only.
fn plus(mut all: CacheStats, one: &CacheStats) -> CacheStats {
    all.hits += one.hits;
    all.shared_hits += one.shared_hits;
    all.stale_hits += one.stale_hits;
    all.misses += one.misses;
    all.bypasses += one.bypasses;
    all.loads += one.loads;
    all.load_errors += one.load_errors;
    all.invalidations += one.invalidations;
    all.entries += one.entries;
    all.bytes += one.bytes;
    all
}
