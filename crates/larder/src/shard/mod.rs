//! The atomic machine that nodes share: values, leases, meta and the log. This module has the
//! contract; [`state`] is the machine itself, [`embedded`] runs it in process.
//!
//! Each verb is atomic, except [`Shard::read`]. `docs/protocol.md` §2 has the exact steps and what
//! breaks without each. Implementations pass the suite of [`conformance`](crate::conformance).

pub mod embedded;
pub mod parameters;
pub mod state;
pub mod table;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::{BoxFuture, Moment};
use crate::key::EncodedKey;
use crate::key::pattern::Pattern;
use crate::record::{LogRecord, Mode, NameHash, Record};
use table::TagTable;

/// A random number that a shard draws when it may have lost records. Positions of different
/// epochs are never compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u128);

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 >> 96)
    }
}

/// A random number that proves who holds a lease.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(pub u128);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 >> 96)
    }
}

/// Milliseconds on the clock of a shard's server. Never compared with another server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ServerTime(pub u64);

impl ServerTime {
    /// This time moved by `span`, rounded down to milliseconds.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        ServerTime(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this time is; zero if it is not after it.
    pub fn since(self, earlier: ServerTime) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// The shard could not be reached, or did not answer in time. Whether the verb took effect is
/// unknown.
#[derive(Debug, Clone)]
pub struct Unreachable {
    reason: Arc<dyn StdError + Send + Sync>,
}

impl Unreachable {
    /// Unreachable for this reason.
    pub fn new(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Unreachable { reason: Arc::from(reason.into()) }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the shard is unreachable: {}", self.reason)
    }
}

impl StdError for Unreachable {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.reason)
    }
}

/// The answer of a remote verb.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, Unreachable>>;

/// What a value is stored with. Its id is new with each store.
#[derive(Debug, Clone)]
pub struct StoredEntry {
    /// Lease token of the fill, or a random number of the write-through, that stored it.
    pub id: u128,
    /// The epoch that `as_of` counts in.
    pub epoch: Epoch,
    /// The position of the log when the load began.
    pub as_of: u64,
    /// Whether a soft record named the key since.
    pub soft: bool,
    /// Hashes of the key's proper prefixes and of the value's tags. Root and cache are implied
    /// by the key. At most [`TAGS_MAX`].
    pub tags: Arc<[NameHash]>,
    /// Until when the value is fresh, in the server's time.
    pub fresh_until: ServerTime,
    /// When the store drops the value: fresh, stale and fail-safe time together.
    pub expires_at: ServerTime,
    /// The end that its loader gave it: whoever reads it serves it no longer, also where it slides.
    /// `None`: it has none but its age.
    pub ends_at: Option<ServerTime>,
    /// What the load took; early refresh weighs it.
    pub load_cost: Duration,
    /// When the load began, in the server's time; the age of the answer counts from here.
    pub loaded_at: ServerTime,
    /// The fingerprint of the value's type: a value of another type is a counted miss.
    pub fingerprint: u64,
    /// The encoded value; `None` says that the source has none (a negative entry).
    pub payload: Option<Payload>,
}

/// An encoded value. To a shard it is only bytes, which it keeps as they are.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// The form of the bytes: codec and compression. Never 0, so that a store can write "none" as 0.
    pub form: u8,
    /// The value in this form.
    pub bytes: Bytes,
}

impl fmt::Debug for Payload {
    /// Without the value, which may be long and nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes of form {:#04x})", self.bytes.len(), self.form)
    }
}

/// The most prefixes and tags an entry may have; with more it is not stored.
pub const TAGS_MAX: usize = 64;

/// The answer to [`Shard::read`]: the values first, then meta, on one connection.
#[derive(Debug, Clone)]
pub struct ReadReply {
    /// One place for each key asked for, in order.
    pub entries: Vec<Option<StoredEntry>>,
    /// The epoch after the values were read; `None` while the shard has none.
    pub epoch: Option<Epoch>,
    /// The head of the log after the values were read.
    pub head: u64,
}

/// The answer to [`Shard::lease`].
#[derive(Debug, Clone)]
pub enum LeaseReply {
    /// The caller holds the lease: its load begins at `as_of`.
    Granted {
        /// The epoch of the lease.
        epoch: Epoch,
        /// The head of the log when the lease was granted first.
        as_of: u64,
    },
    /// Another caller holds it; a wake-up follows.
    Held,
    /// There is a value the caller has not seen. To be judged like any other.
    Filled {
        /// The value.
        entry: StoredEntry,
        /// The epoch of the shard.
        epoch: Epoch,
        /// The head of the log.
        head: u64,
    },
}

/// Whether a fill was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillReply {
    /// It is readable now.
    Stored,
    /// The lease was gone, or something named the entry since its load began.
    Rejected,
}

/// Where an append ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The epoch of `position`.
    pub epoch: Epoch,
    /// The position of the last record; the n records end there.
    pub position: u64,
}

/// What a tail asks for.
#[derive(Debug, Clone, Copy)]
pub struct TailRequest {
    /// The epoch the caller knows, if any.
    pub epoch: Option<Epoch>,
    /// The position the caller has applied.
    pub from: u64,
    /// The most records to answer with.
    pub records_max: usize,
}

/// What a tail answers: the proof that the caller is current, or what it missed.
#[derive(Debug, Clone)]
pub struct TailReply {
    /// The epoch of the shard.
    pub epoch: Epoch,
    /// The head of the log.
    pub head: u64,
    /// The records above `from`, in order, without a hole; empty on a gap or another epoch.
    pub records: Vec<LogRecord>,
    /// The tag table, when records above `from` are missing or the epoch is another one.
    pub table: Option<Arc<TagTable>>,
    /// The server's time.
    pub server_time: ServerTime,
}

/// A store under a lease, see [`Shard::fill`] and [`Shard::write_through`].
#[derive(Debug, Clone)]
pub struct Fill {
    /// Where to store.
    pub key: EncodedKey,
    /// The lease.
    pub token: Token,
    /// What to store. Its `epoch` and `as_of` are those of the lease.
    pub entry: StoredEntry,
}

/// Where the scan of a pattern stands.
#[derive(Debug, Clone)]
pub struct Scan {
    /// What to look for.
    pub pattern: Pattern,
    /// Delete what matches, or flag it stale.
    pub mode: Mode,
    /// The epoch of the anchor; the scan stops with `Unreachable` when it is gone.
    pub epoch: Epoch,
    /// Where to go on; empty at the start.
    pub cursor: Vec<u8>,
    /// The most keys to look at in this batch.
    pub batch_max: usize,
}

/// One batch of a scan.
#[derive(Debug, Clone)]
pub struct ScanReply {
    /// Where to go on; `None` at the end.
    pub cursor: Option<Vec<u8>>,
    /// How many values matched in this batch.
    pub matched: u64,
}

/// What a shard says unasked. Both calls may be lost, doubled or late.
pub trait Listener: Send + Sync + 'static {
    /// Records were appended. They are hints: they never confirm that we are current.
    fn pushed(&self, epoch: Epoch, records: Vec<LogRecord>);
    /// A lease that somebody awaits has ended.
    fn woken(&self, key: &EncodedKey);
}

/// One atomic machine. Verbs may be called from any task; each takes its own timeout.
///
/// # Cancel safety
/// Dropping the future of a verb leaves open whether it took effect, as a lost answer does.
pub trait Shard: Send + Sync + 'static {
    /// Whether values that were filled can be read back. The embedded shard keeps none: the
    /// memory tier is its store.
    fn keeps_values(&self) -> bool;

    /// From now on tells `listener` what happens. Called once, before the first verb.
    fn subscribe(&self, listener: Arc<dyn Listener>);

    /// Reads values, then epoch and head, on one connection.
    fn read(&self, keys: Vec<EncodedKey>) -> Reply<'_, ReadReply>;

    /// Asks to be the one who loads `key`. `seen` is the id of the value that the caller has and
    /// wants replaced.
    fn lease(&self, key: EncodedKey, token: Token, seen: Option<u128>) -> Reply<'_, LeaseReply>;

    /// Lengthens a lease that is still ours; its `as_of` stays. False: it is not ours any more.
    fn renew(&self, key: EncodedKey, token: Token) -> Reply<'_, bool>;

    /// Gives a lease back without storing, and wakes who waits.
    fn release(&self, key: EncodedKey, token: Token) -> Reply<'_, ()>;

    /// Stores what was loaded under a lease, unless something named it since. Its lease ends in
    /// any case. Rejected too: an entry whose epoch and `as_of` are not the lease's, one with more
    /// than [`TAGS_MAX`] tags, and one that has expired.
    fn fill(&self, fill: Fill) -> Reply<'_, FillReply>;

    /// Appends records, deletes named values, voids their leases. Works on a full store.
    fn append(&self, records: Vec<Record>) -> Reply<'_, Appended>;

    /// Appends `records` and stores `fill` at their position, in one step; the records are
    /// appended also when the store is rejected. It is rejected as a [`fill`](Self::fill) is, when
    /// a soft record named the entry since its lease, and when there are no records.
    fn write_through(&self, fill: Fill, records: Vec<Record>) -> Reply<'_, (Appended, FillReply)>;

    /// Asks what happened since, and proves that the shard takes writes.
    fn tail(&self, request: TailRequest) -> Reply<'_, TailReply>;

    /// Begins the scan of a pattern: what was loaded before it can no longer be filled.
    fn anchor(&self) -> Reply<'_, Appended>;

    /// Looks at one batch of values.
    ///
    /// # Errors
    /// Also when the epoch of the scan is gone: its anchor bars nothing any more. A batch in which
    /// nothing matches may pass, unless it is the last.
    fn scan(&self, scan: Scan) -> Reply<'_, ScanReply>;

    /// Ends the scan of a pattern. `None`: the epoch is not the anchor's any more.
    fn finish(&self, pattern: Pattern, mode: Mode, anchor: Appended) -> Reply<'_, Option<Appended>>;

    /// The server's time at `now` of the local clock, as far as it is known.
    fn server_time(&self, now: Moment) -> ServerTime;
}
