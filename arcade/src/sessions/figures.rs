//! What write-behind of activity says of itself. Knows neither how it works nor who shows it.

use larder::behind::WriteBehindStats;

/// The numbers of one process.
#[derive(Debug, Clone, Copy)]
pub struct ActivityFigures {
    /// What waits, what came, what went.
    pub writes: WriteBehindStats,
    /// Activity that was not noted, because no journal took it in time.
    pub skipped: u64,
    /// Why somebody must look at it, if somebody must.
    pub problem: Option<&'static str>,
}
