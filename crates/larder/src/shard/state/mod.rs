//! The shard as a pure machine: every verb of `docs/protocol.md` §2 as one step over values,
//! leases, meta, tag table and log. Knows no clock, no I/O and no randomness: the caller passes
//! them with each step. Other shards are checked against the same suite.

mod lease;
mod log;
mod parts;
mod pattern;
mod store;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

pub use parts::{EpochTable, Lease, Meta, Part, Parts};

use super::parameters::Parameters;
use super::table::TagTable;
use super::{Epoch, ReadReply, ServerTime, StoredEntry, TailReply, TailRequest};
use crate::key::EncodedKey;
use crate::record::LogRecord;

/// Which server process this is. A restarted one has another id, and may have lost records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(pub u64);

/// What a verb is told of the moment at which it runs.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The server's time.
    pub now: ServerTime,
    /// The server process that runs the verb.
    pub run: RunId,
    /// The epoch to begin if records may have been lost. Drawn anew for every step.
    pub fresh: Epoch,
    /// The caller's parameters: a shard that lost its own begins with these.
    pub parameters: Parameters,
}

/// Whether values are stored, or only judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// A stored value can be read back.
    Kept,
    /// A store answers whether it would be allowed; nothing can be read back.
    Checked,
}

/// What a shard is configured with.
#[derive(Debug, Clone, Copy)]
pub struct ShardSettings {
    /// How many records the log keeps.
    pub log_records_max: usize,
    /// How long a lease lasts that is not renewed.
    pub lease_ttl: Duration,
    /// Whether values can be read back.
    pub values: Values,
}

/// The default of [`ShardSettings::log_records_max`].
pub const LOG_RECORDS_MAX: usize = 100_000;

/// The default of [`ShardSettings::lease_ttl`].
pub const LEASE_TTL: Duration = Duration::from_secs(10);

/// What the listeners of a shard are to be told after a step.
#[derive(Debug, Default)]
#[must_use = "who waits for a lease sleeps until its net catches it"]
pub struct Effects {
    /// Keys whose awaited lease has ended.
    pub woken: Vec<EncodedKey>,
    /// Records that were appended, and their epoch.
    pub pushed: Option<(Epoch, Vec<LogRecord>)>,
}

/// The answer to [`ShardState::connect`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectReply {
    /// The caller may use the shared tier.
    Joined {
        /// The epoch of the shard.
        epoch: Epoch,
        /// The server's time.
        server_time: ServerTime,
    },
    /// The shard belongs to nodes with higher parameters. The caller must neither read, lease nor
    /// fill; it goes on to append, its key records as its cache's name.
    Outranked {
        /// The parameters of the shard.
        parameters: Parameters,
    },
}

/// One shard. A snapshot is a clone; it shares the tag table until one of both writes it.
#[derive(Debug, Clone)]
pub struct ShardState {
    settings: ShardSettings,
    parts: Parts,
    /// The last key whose lease was looked at for being expired.
    swept: Option<EncodedKey>,
}

/// A shard whose meta and tag table are of one epoch.
struct Live<'a> {
    now: ServerTime,
    settings: &'a ShardSettings,
    meta: &'a mut Meta,
    table: &'a mut EpochTable,
    values: &'a mut BTreeMap<EncodedKey, StoredEntry>,
    leases: &'a mut BTreeMap<EncodedKey, Lease>,
    log: &'a mut VecDeque<LogRecord>,
}

impl ShardState {
    /// A shard without any part: its first verb begins an epoch.
    pub fn new(settings: ShardSettings) -> Self {
        ShardState { settings, parts: Parts::default(), swept: None }
    }

    /// Its parts as they lie, of whatever epoch.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Its parts, for faults and for deliberately wrong shards. Verbs trust no part to be there.
    #[cfg(any(test, feature = "conformance"))]
    pub fn parts_mut(&mut self) -> &mut Parts {
        &mut self.parts
    }

    /// Comes before the first verb of a connection: a server that is not the one which began the
    /// epoch may have lost records, and the higher parameters win.
    pub fn connect(&mut self, step: &Step) -> ConnectReply {
        let mut live = self.same_run(step);
        if live.meta.parameters < step.parameters {
            live.begin(step, step.parameters);
        }
        let Meta { epoch, parameters, .. } = *live.meta;
        if parameters == step.parameters {
            ConnectReply::Joined { epoch, server_time: step.now }
        } else {
            ConnectReply::Outranked { parameters }
        }
    }

    /// The values of `keys` that have not expired, of whatever epoch. The first half of a read.
    pub fn values(&self, keys: &[EncodedKey], now: ServerTime) -> Vec<Option<StoredEntry>> {
        let found = |key| self.parts.values.get(key).filter(|entry| now < entry.expires_at);
        keys.iter().map(|key| found(key).cloned()).collect()
    }

    /// Epoch and head, if there are any. The second half of a read.
    pub fn head(&self) -> Option<(Epoch, u64)> {
        self.parts.meta.as_ref().map(|meta| (meta.epoch, meta.head))
    }

    /// Both halves of a read: values, then epoch and head.
    pub fn read(&self, keys: &[EncodedKey], now: ServerTime) -> ReadReply {
        let entries = self.values(keys, now);
        let (epoch, head) = self.head().unzip();
        ReadReply { entries, epoch, head: head.unwrap_or(0) }
    }

    /// What happened above `request.from`. A caller of this epoch that has applied more than
    /// there is proves that records were lost.
    pub fn tail(&mut self, step: &Step, request: &TailRequest) -> TailReply {
        let mut live = self.same_run(step);
        if request.epoch == Some(live.meta.epoch) && live.meta.head < request.from {
            let parameters = live.meta.parameters;
            live.begin(step, parameters);
        }
        let known = request.epoch == Some(live.meta.epoch);
        let missing = if known { live.records_above(request) } else { None };
        let table = missing.is_none().then(|| Arc::clone(&live.table.slots));
        TailReply {
            epoch: live.meta.epoch,
            head: live.meta.head,
            records: missing.unwrap_or_default(),
            table,
            server_time: step.now,
        }
    }

    /// Makes sure that there is an epoch; every verb that changes anything begins here.
    fn live(&mut self, step: &Step) -> Live<'_> {
        self.parts.drop_unless_whole();
        let Parts { meta, table, values, leases, log } = &mut self.parts;
        let meta = meta.get_or_insert_with(|| Meta::begun(step, step.parameters));
        let table = table.get_or_insert_with(|| EpochTable::empty(meta));
        Live { now: step.now, settings: &self.settings, meta, table, values, leases, log }
    }

    /// As [`live`](Self::live), for verbs that must not trust the connection: it can outlive the
    /// server that it was opened to.
    fn same_run(&mut self, step: &Step) -> Live<'_> {
        let mut live = self.live(step);
        if live.meta.run != step.run {
            let parameters = live.meta.parameters.max(step.parameters);
            live.begin(step, parameters);
        }
        live
    }
}

impl Live<'_> {
    /// Begins a new epoch. Values and leases stay: their epoch tells that they are worth nothing.
    fn begin(&mut self, step: &Step, parameters: Parameters) {
        *self.meta = Meta::begun(step, parameters);
        *self.table = EpochTable::empty(self.meta);
        self.log.clear();
    }

    fn slots(&mut self) -> &mut TagTable {
        Arc::make_mut(&mut self.table.slots)
    }
}

#[cfg(test)]
mod tests;
