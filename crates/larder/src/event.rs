//! What happens in a node, told to an observer. Closed: every event is in this one enum. Memory
//! hits are counted ([`crate::CacheStats`]), not told: they are too many.

use std::time::Duration;

use crate::position::Position;

/// Is told what happens. Called inline and sometimes often: it must return at once.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn observe(&self, event: &Event<'_>);
}

/// Something that happened in a node.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A value was loaded from the source.
    Loaded {
        /// The cache.
        cache: &'a str,
        /// How long the load took.
        took: Duration,
    },
    /// A load failed, panicked or was given up.
    LoadFailed {
        /// The cache.
        cache: &'a str,
        /// Why.
        error: &'a crate::Error,
    },
    /// A stale value was served because its source failed.
    FailSafe {
        /// The cache.
        cache: &'a str,
    },
    /// A value was answered but not kept.
    NotKept {
        /// The cache.
        cache: &'a str,
        /// Why.
        reason: NotKept,
    },
    /// A fill into the shared tier was refused: something named the entry since its load began.
    FillRejected {
        /// The cache.
        cache: &'a str,
    },
    /// A value of the shared tier could not be decoded, and counts as a miss.
    Undecodable {
        /// The cache.
        cache: &'a str,
    },
    /// An invalidation was asked for on this node.
    Invalidated {
        /// How many names and patterns it has.
        names: usize,
        /// The position, if every shard has acknowledged.
        position: Option<&'a Position>,
    },
    /// Too many invalidations waited for a shard: they became one that names everything.
    BacklogCollapsed {
        /// The shard.
        shard: usize,
        /// How many names waited.
        names: usize,
    },
    /// A shard began a new epoch, or its log has a gap: this node's entries of it are dropped.
    Resynced {
        /// The shard.
        shard: usize,
        /// The head of its log.
        head: u64,
    },
    /// The log could not be confirmed within `staleness_max`, and a read went to the source.
    Bypassed {
        /// The cache.
        cache: &'a str,
    },
    /// Acknowledged writes could not be flushed, and are tried again.
    FlushFailed {
        /// The cache.
        cache: &'a str,
        /// How many writes.
        writes: usize,
        /// Why.
        error: &'a str,
    },
    /// An alarm: an acknowledged write is parked. It stays in the journal, and never reaches the
    /// source unless somebody calls [`WriteBehind::retry_parked`](crate::behind::WriteBehind::retry_parked).
    WriteParked {
        /// The cache.
        cache: &'a str,
        /// Its number in the journal.
        sequence: u64,
        /// Why.
        reason: &'a str,
    },
    /// The journal of acknowledged writes failed.
    JournalFailed {
        /// The cache.
        cache: &'a str,
        /// Why.
        error: &'a str,
    },
    /// A run of a warm set has ended.
    SetWarmed {
        /// Its name.
        set: &'a str,
        /// How many keys it was to read.
        keys: u64,
        /// How many of them could not be read.
        failed: u64,
        /// How long it took.
        took: Duration,
        /// What went wrong last.
        error: Option<&'a str>,
    },
    /// Hot keys could not be restored or saved, all of them or some. Reads are as right as ever: what
    /// they name is loaded once somebody asks.
    HotKeysLost {
        /// Why.
        reason: &'a str,
    },
    /// The machine slept: memory is dropped, because lifetimes count the time asleep.
    Suspended {
        /// For how long.
        slept: Duration,
    },
    /// Expired entries were dropped without having been read.
    ExpiredDropped {
        /// How many.
        entries: u64,
    },
}

/// Why a value was answered but not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotKept {
    /// Its time is zero.
    ZeroTime,
    /// It is larger than the cache's `value_bytes_max`.
    TooLarge,
    /// It has more than 64 prefixes and tags.
    TooManyTags,
    /// Its encoded form is larger than `value_bytes_max`: kept in memory, not in the shared tier.
    TooLargeToShare,
    /// The cache's codec has no form for it: kept in memory, not in the shared tier.
    NoStoredForm,
}
