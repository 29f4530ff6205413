//! What a shard is made of. Each part can be lost on its own: an evicting store keeps no two of
//! them together.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{RunId, Step};
use crate::key::EncodedKey;
use crate::record::LogRecord;
use crate::shard::parameters::Parameters;
use crate::shard::table::TagTable;
use crate::shard::{Epoch, ServerTime, StoredEntry, Token};

/// The parts of a shard.
///
/// Keys are ordered, so that a scan has a place to go on from and a replay sees the same order.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// Absent before the first verb, and after it was evicted.
    pub meta: Option<Meta>,
    /// The tag table. Without it, or with that of another epoch, meta is worth nothing.
    pub table: Option<EpochTable>,
    /// Values, of any epoch.
    pub values: BTreeMap<EncodedKey, StoredEntry>,
    /// Who loads which key. Leases of another epoch count as absent.
    pub leases: BTreeMap<EncodedKey, Lease>,
    /// The last records of the epoch, in order.
    pub log: VecDeque<LogRecord>,
}

/// What a shard knows of itself.
#[derive(Debug, Clone)]
pub struct Meta {
    /// The epoch of all positions below.
    pub epoch: Epoch,
    /// The position of the last record.
    pub head: u64,
    /// The server process that began the epoch. Another one may have lost records.
    pub run: RunId,
    /// The last anchor: loads that began before it are not stored.
    pub barrier: u64,
    /// What the nodes of the namespace agreed on.
    pub parameters: Parameters,
}

/// A tag table and the epoch whose positions it holds.
#[derive(Debug, Clone)]
pub struct EpochTable {
    /// The epoch.
    pub epoch: Epoch,
    /// Shared with snapshots and answers; copied when it is next written.
    pub slots: Arc<TagTable>,
}

/// The right to load one key and to store the result.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Proves who holds it.
    pub token: Token,
    /// The epoch of `as_of`.
    pub epoch: Epoch,
    /// The head of the log when it was granted.
    pub as_of: u64,
    /// Whether somebody else asked since, and waits for its end.
    pub awaited: bool,
    /// When it ends by itself.
    pub expires_at: ServerTime,
}

impl Meta {
    pub(super) fn begun(step: &Step, parameters: Parameters) -> Self {
        Meta { epoch: step.fresh, head: 0, run: step.run, barrier: 0, parameters }
    }
}

impl EpochTable {
    pub(super) fn empty(meta: &Meta) -> Self {
        let slots = Arc::new(TagTable::new(meta.parameters.tag_slots()));
        EpochTable { epoch: meta.epoch, slots }
    }
}

/// One part that an evicting store may drop, on its own and at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The value of a key.
    Value(EncodedKey),
    /// The lease of a key.
    Lease(EncodedKey),
    /// Epoch, head, barrier and parameters.
    Meta,
    /// The tag table.
    Table,
    /// The log.
    Log,
}

impl Parts {
    /// Drops one part, and nothing else.
    pub fn evict(&mut self, part: &Part) {
        match part {
            Part::Value(key) => {
                self.values.remove(key);
            }
            Part::Lease(key) => {
                self.leases.remove(key);
            }
            Part::Meta => self.meta = None,
            Part::Table => self.table = None,
            Part::Log => self.log.clear(),
        }
    }

    /// Drops all that positions mean, unless meta and tag table are of one epoch.
    pub(super) fn drop_unless_whole(&mut self) {
        let of_meta = self.meta.as_ref().map(|meta| meta.epoch);
        let of_table = self.table.as_ref().map(|table| table.epoch);
        if of_meta.is_none() || of_meta != of_table {
            self.meta = None;
            self.table = None;
            self.log.clear();
        }
    }
}
