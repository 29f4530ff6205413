//! What write-behind says of itself.

use std::time::Duration;

use super::state::{Parked, State};

/// The numbers of one cache's write-behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WriteBehindStats {
    /// Keys whose last write the source does not have.
    pub pending: usize,
    /// What takes room: these, the parked, and those on their way into the journal, in bytes.
    pub bytes: usize,
    /// For how long the oldest of them waits.
    pub oldest_age: Option<Duration>,
    /// Writes that the journal keeps, or kept.
    pub acknowledged: u64,
    /// Writes that were found in the journal at the start.
    pub replayed: u64,
    /// Writes that a later one of their key has replaced before the source had them.
    pub coalesced: u64,
    /// Writes that the source has taken.
    pub flushed: u64,
    /// In so many batches.
    pub batches: u64,
    /// Batches that the source failed to take.
    pub retries: u64,
    /// Writes that are parked now.
    pub parked: usize,
}

impl WriteBehindStats {
    pub(super) fn of<V>(state: &State<V>, oldest_age: Option<Duration>) -> Self {
        let counts = state.counts;
        WriteBehindStats {
            pending: state.len(),
            bytes: state.used.bytes,
            oldest_age,
            acknowledged: counts.acknowledged,
            replayed: counts.replayed,
            coalesced: counts.coalesced,
            flushed: counts.flushed,
            batches: counts.batches,
            retries: counts.retries,
            parked: state.parked().len(),
        }
    }
}

/// A write that the source gets only if somebody says so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParkedWrite {
    /// Its number in the journal.
    pub sequence: u64,
    /// The text of its key; `None` where the record is damaged.
    pub key: Option<String>,
    /// Whether it removes the key.
    pub removes: bool,
    /// Why it is parked.
    pub reason: String,
}

impl ParkedWrite {
    pub(super) fn of<V>(sequence: u64, parked: &Parked<V>) -> Self {
        let write = parked.write.as_ref();
        ParkedWrite {
            sequence,
            key: write.map(|write| write.key().to_string()),
            removes: write.is_some_and(|write| write.wish.payload.is_none()),
            reason: parked.reason.clone(),
        }
    }
}

/// What [`close`](super::WriteBehind::close) has left in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "what is left waits for the next process"]
pub struct Drained {
    /// Writes that the source does not have: the next process flushes them.
    pub left: usize,
    /// Writes that it has, but of which other nodes were not told yet, or the journal not.
    pub untold: usize,
    /// Parked writes.
    pub parked: usize,
}

impl Drained {
    pub(super) fn of<V>(state: &State<V>) -> Self {
        Drained {
            left: state.used.writes.saturating_sub(state.parked().len()),
            untold: state.unannounced + state.forgettable_count(),
            parked: state.parked().len(),
        }
    }
}
