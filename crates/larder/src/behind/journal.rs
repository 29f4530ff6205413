//! What a journal must do: keep records durably, in order, until they are forgotten. Knows neither
//! keys nor values: a record is bytes with a number.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::clock::BoxFuture;

/// Where acknowledged writes wait for the source. Each cache has a journal of its own in it.
///
/// A journal belongs to one process at a time: two that flushed the same key would do so in any
/// order.
pub trait Journal: Send + Sync + 'static {
    /// Takes the journal of a cache for this process, and answers the largest sequence that it ever
    /// held, also if that record is forgotten. A new journal answers the time of its store, in
    /// microseconds: sequences go on growing where a journal was lost.
    ///
    /// # Errors
    /// Another process or another cache of this one has it, or it cannot be read.
    fn open<'a>(&'a self, cache: &'a str) -> BoxFuture<'a, Result<u64, JournalError>>;

    /// Keeps these records, all or none. Completes once they survive the death of the process, and
    /// of the machine where the store promises that.
    ///
    /// # Errors
    /// They are not acknowledged. They may be kept all the same, if the answer was lost.
    fn append<'a>(
        &'a self,
        cache: &'a str,
        records: &'a [JournalRecord],
    ) -> BoxFuture<'a, Result<(), JournalError>>;

    /// Up to `records_max` records with a sequence above `after`, by sequence.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn read<'a>(
        &'a self,
        cache: &'a str,
        after: u64,
        records_max: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredRecord>, JournalError>>;

    /// Forgets records, all or none. Those that are not there are no error.
    ///
    /// # Errors
    /// They may be there still.
    fn forget<'a>(
        &'a self,
        cache: &'a str,
        sequences: &'a [u64],
    ) -> BoxFuture<'a, Result<(), JournalError>>;

    /// Marks a record as parked for this reason, or takes the mark away.
    ///
    /// # Errors
    /// The mark is as it was.
    fn park<'a>(
        &'a self,
        cache: &'a str,
        sequence: u64,
        reason: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), JournalError>>;

    /// Completes if no other process can have the journal now. Asked before each offer to the source,
    /// so it asks nobody where that is known.
    ///
    /// # Errors
    /// [`JournalError::Lost`], or it cannot be known.
    fn hold<'a>(&'a self, cache: &'a str) -> BoxFuture<'a, Result<(), JournalError>>;
}

/// A record to keep.
#[derive(Clone, PartialEq, Eq)]
pub struct JournalRecord {
    /// Larger than that of every record before, in this cache.
    pub sequence: u64,
    /// One write, with its checksum.
    pub bytes: Vec<u8>,
}

/// A record as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// As it was appended.
    pub sequence: u64,
    /// As they were appended, unless the store was damaged.
    pub bytes: Vec<u8>,
    /// Why it is parked, if it is.
    pub parked: Option<String>,
}

impl fmt::Debug for JournalRecord {
    /// Without the bytes, which are nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JournalRecord({}, {} bytes)", self.sequence, self.bytes.len())
    }
}

impl fmt::Debug for StoredRecord {
    /// Without the bytes, which are nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StoredRecord { sequence, bytes, parked } = self;
        write!(f, "StoredRecord({sequence}, {} bytes, parked: {parked:?})", bytes.len())
    }
}

/// Why a journal could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Somebody else has it. Two that write to one journal would lose the order of writes.
    #[error("the journal is in use: {holder}")]
    InUse {
        /// Who or what holds it.
        holder: String,
    },
    /// It was this process's, and is not any more. Who has it now has all that was acknowledged, and
    /// flushes it. But a store that was emptied before the other opened it gave it nothing: **what this
    /// process had not flushed by then is lost**, because it cannot tell the two apart.
    #[error("this process has lost the journal: {to}")]
    Lost {
        /// Who has taken it.
        to: String,
    },
    /// The disk, or the quota, is full.
    #[error("the journal has no room left: {source}")]
    NoRoom {
        /// What the store said.
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// It took too long to answer; nobody knows whether it did what it was asked.
    #[error("the journal has not answered after {after_ms} ms")]
    TimedOut {
        /// The limit, in milliseconds.
        after_ms: u64,
    },
    /// The store failed.
    #[error("the journal failed: {source}")]
    Failed {
        /// What the store said.
        source: Arc<dyn StdError + Send + Sync>,
    },
}

impl JournalError {
    /// The store failed with this error.
    pub fn failed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        JournalError::Failed { source: Arc::from(error.into()) }
    }

    /// The store has no room, says this error.
    pub fn no_room(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        JournalError::NoRoom { source: Arc::from(error.into()) }
    }
}
