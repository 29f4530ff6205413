//! The audit trail, as rows with a date.

use std::time::Duration;

use larder::record::Mode;
use larder::{Audited, Larder};
use serde::{Deserialize, Serialize};

/// One invalidation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogRow {
    /// Counts the invalidations of its process, from 1.
    pub number: u64,
    /// When it was asked for, in milliseconds since 1970, by the clock of its server.
    pub at_ms: i64,
    /// Who asked.
    pub by: Option<String>,
    /// Why.
    pub because: Option<String>,
    /// What it names, the first of them.
    pub names: Vec<String>,
    /// How many names it has in all.
    pub names_count: u64,
    /// Whether values are only stale, not gone.
    pub soft: bool,
    /// How many stored values its patterns matched.
    pub matched: Option<u64>,
    /// Where it is in the log; `None` while it is not shared.
    pub position: Option<String>,
}

/// Which part of the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRange {
    /// At most so many, the newest.
    pub last: usize,
    /// None before this time, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// None after it.
    pub to_ms: Option<i64>,
}

impl LogRange {
    /// The most rows that may be asked for.
    pub const LAST_MAX: usize = 1_000;

    /// How many rows there are for who does not say how many.
    pub const LAST_DEFAULT: usize = 50;

    /// The latest time that may be asked for: the largest whole number that JSON carries safely.
    pub const TIME_MAX: i64 = 1 << 53;

    /// This part of the trail of `larder`, newest first. `now_ms` is the wall clock.
    pub fn of(&self, larder: &Larder, now_ms: i64) -> Vec<LogRow> {
        let rows = larder.audit(usize::MAX).into_iter().map(|audited| row(audited, now_ms));
        rows.filter(|row| self.has(row.at_ms)).take(self.last).collect()
    }

    fn has(&self, at_ms: i64) -> bool {
        self.from_ms.is_none_or(|from| from <= at_ms) && self.to_ms.is_none_or(|to| at_ms <= to)
    }
}

fn row(audited: Audited, now_ms: i64) -> LogRow {
    LogRow {
        number: audited.number,
        at_ms: now_ms.saturating_sub(milliseconds(audited.ago)),
        by: audited.by.as_deref().map(str::to_owned),
        because: audited.because.as_deref().map(str::to_owned),
        names: audited.names,
        names_count: audited.names_count as u64,
        soft: audited.mode == Mode::Soft,
        matched: audited.matched,
        position: audited.position.map(|position| position.to_string()),
    }
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
