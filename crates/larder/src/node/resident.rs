//! Entries on their way into memory and out of it. Decides by judging twice; knows no value type.

use std::sync::Arc;

use super::Node;
use super::subject::{Names, Residence, Subject};
use super::view::View;
use crate::clock::Moment;
use crate::key::EncodedKey;
use crate::memory::key::{MemoryKey, StoredProbe};
use crate::memory::resident::{Judged, Meta, Stored};
use crate::memory::verdict::Verdict;
use crate::memory::{Evicted, Memory};
use crate::sync::{Mutex, MutexGuard};

/// The locks that order puts of one key, and nothing else.
pub(crate) struct Stripes(Box<[Mutex<()>]>);

#[cfg(not(feature = "shuttle"))]
const STRIPES: usize = 4_096;
#[cfg(feature = "shuttle")]
const STRIPES: usize = 4;

impl Default for Stripes {
    fn default() -> Self {
        Stripes((0..STRIPES).map(|_| Mutex::new(())).collect())
    }
}

impl Stripes {
    fn lock(&self, hash: u64) -> MutexGuard<'_, ()> {
        self.0[hash as usize % STRIPES].lock()
    }
}

/// Where an entry lives: its map and its key.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) memory: &'a Memory,
    pub(crate) key: StoredProbe<'a>,
    pub(crate) names: Names<'a>,
}

impl View {
    /// Judges what is not in memory: a candidate, or the result of a load. `l0` is a local
    /// sequence from before it was found or its load began.
    pub(crate) fn judge_elsewhere(&self, meta: &Meta, names: Names<'_>, l0: u64) -> Verdict {
        self.judge_meta(meta, names, l0, Residence::Elsewhere)
    }

    fn judge_meta(&self, meta: &Meta, names: Names<'_>, l0: u64, residence: Residence) -> Verdict {
        let verdict = self.judge(&Subject {
            l0,
            residence,
            epoch: meta.epoch,
            as_of: meta.as_of,
            key_as_of: meta.key_as_of(),
            soft: false,
            key_slot: meta.key_slot,
            names: Names { tags: meta.tags(), ..names },
        });
        // The flag is read last: a sweep flags before it leaves the list that was just read.
        if meta.is_soft() { verdict.min(Verdict::Stale) } else { verdict }
    }
}

impl Node {
    /// The verdict on an entry found in memory. A dead one is removed.
    pub(crate) fn judge_resident(&self, entry: &Arc<dyn Stored>, spot: Spot<'_>) -> Verdict {
        let meta = entry.meta();
        if let Some(verdict) = meta.standing_verdict(self.changed()) {
            return verdict;
        }
        let (l0, residence, before) = match meta.judged() {
            Judged::NotYet { l0 } => (l0, Residence::Elsewhere, Verdict::Fresh),
            Judged::At { sequence, verdict } => (sequence, Residence::InMemory, verdict),
        };
        let judged_at = self.sequence();
        // Once stale, an entry stays so: the soft mark that said it may have moved on since.
        let verdict = self.views[usize::from(meta.shard)]
            .judge_meta(meta, spot.names, l0, residence)
            .min(before);
        self.record_verdict(entry, spot, judged_at, verdict);
        verdict
    }

    fn record_verdict(
        &self,
        entry: &Arc<dyn Stored>,
        spot: Spot<'_>,
        judged_at: u64,
        verdict: Verdict,
    ) {
        if verdict != Verdict::Dead {
            entry.meta().set_judged(judged_at, verdict);
        } else if let Some(removed) = spot.memory.remove_this(&spot.key, entry) {
            self.count_left(&removed);
        }
    }

    /// Puts an entry into memory, if it is alive and nothing newer is there. Judged before it is
    /// inserted and again after: whoever invalidates meanwhile either finds it in the map, or
    /// wrote what the second judge reads.
    pub(crate) fn put(
        &self,
        entry: &Arc<dyn Stored>,
        key: MemoryKey,
        spot: Spot<'_>,
        bypass_since: Option<Moment>,
    ) {
        let meta = entry.meta();
        let Judged::NotYet { l0 } = meta.judged() else { return };
        let view = &self.views[usize::from(meta.shard)];
        if view.judge_meta(meta, spot.names, l0, Residence::Elsewhere) == Verdict::Dead {
            return;
        }
        let mut left = Evicted::new();
        let stripe = self.stripes.lock(spot.key.hash);
        if !self.newer_stays(meta, spot, bypass_since) {
            self.count_entered(meta);
            spot.memory.insert(key.clone(), Arc::clone(entry), &mut left);
            let judged_at = self.sequence();
            let verdict = view.judge_meta(meta, spot.names, l0, Residence::Elsewhere);
            self.record_verdict(entry, spot, judged_at, verdict);
        }
        drop(stripe);
        for (gone_key, gone) in &left {
            let was_evicted = *gone_key != key || Arc::ptr_eq(gone, entry);
            self.count_pushed_out(gone, was_evicted);
        }
    }

    /// Whether memory already has a newer load of the same epoch that may be served. A bypass put
    /// yields only to what a bypass reader may use.
    fn newer_stays(&self, meta: &Meta, spot: Spot<'_>, bypass_since: Option<Moment>) -> bool {
        let Some(there) = spot.memory.peek(&spot.key) else { return false };
        let old = there.meta();
        let newer = old.epoch == meta.epoch && old.as_of > meta.as_of;
        let usable = bypass_since.is_none_or(|since| old.own_load && old.loaded_at() >= since);
        newer && usable && self.judge_resident(&there, spot) != Verdict::Dead
    }

    fn count_entered(&self, meta: &Meta) {
        if let Some(counters) = self.counters_of(meta.cache) {
            counters.entered(u64::from(meta.weight));
        }
    }

    /// An entry has left memory, other than by eviction.
    pub(super) fn count_left(&self, entry: &Arc<dyn Stored>) {
        if let Some(counters) = self.counters_of(entry.meta().cache) {
            counters.left(u64::from(entry.meta().weight));
        }
    }

    /// An insert pushed an entry out: the one it replaced, or one for want of room.
    fn count_pushed_out(&self, gone: &Arc<dyn Stored>, was_evicted: bool) {
        self.count_left(gone);
        if was_evicted && let Some(counters) = self.counters_of(gone.meta().cache) {
            counters.evicted();
        }
    }
}

/// The encoded form of a stored key.
pub(crate) fn encoded(cache: &str, key: &MemoryKey) -> EncodedKey {
    EncodedKey::from_parts(cache, key.parts())
}
