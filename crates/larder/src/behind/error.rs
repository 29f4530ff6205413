//! What write-behind says when it cannot do what it was asked.

use super::journal::JournalError;
use crate::error::BuildError;

/// Why a write is not acknowledged. It has no effect, unless the journal failed: then it may take
/// effect after the next start.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The source is slower than the writers, or away, and all room for writes is taken.
    #[error(
        "no room within {waited_ms} ms: {pending} writes wait for the source, {parked} are parked"
    )]
    Full {
        /// How long the write has waited, in milliseconds (`room_timeout`).
        waited_ms: u64,
        /// Writes that wait.
        pending: usize,
        /// Writes that the source has rejected, and that take room until somebody decides.
        parked: usize,
    },
    /// The encoded value has more bytes than the cache's `value_bytes_max`, or than all room for
    /// writes.
    #[error("the value has more than {limit} encoded bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The cache's codec has no form for the value, or JSON none for the key.
    #[error("the {what} has no stored form")]
    NoStoredForm {
        /// Which of them.
        what: &'static str,
    },
    /// The journal could not keep it.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Write-behind was closed.
    #[error("write-behind is closed")]
    Closed,
}

/// Why write-behind could not begin.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Every wrong setting.
    #[error(transparent)]
    Settings(#[from] BuildError),
    /// The cache has write-behind already.
    #[error("the cache `{cache}` has write-behind already")]
    Taken {
        /// Its name.
        cache: String,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
