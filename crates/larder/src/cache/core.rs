//! What one cache is, besides its key type: its policy, its numbers, its part of memory, and how
//! its entries are made.

use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::Entry;
use crate::behind::pending::Pending;
use crate::clock::Moment;
use crate::key::{Key, KeyNames};
use crate::memory::key::{CacheId, MemoryKey, Probe, StoredProbe};
use crate::memory::resident::{Held, Meta, MetaParts, Resident, Times};
use crate::memory::{ENTRY_BYTES, Memory};
use crate::node::Node;
use crate::node::resident::Spot;
use crate::node::subject::Names;
use crate::node::tables::key_slot;
use crate::node::view::{Place, View};
use crate::policy::{Lifetime, Policy, early_window};
use crate::record::NameHash;
use crate::stats::Counters;

use super::holdoff::Holdoffs;

/// A cache of values `V`, whatever its keys are.
pub(crate) struct CacheCore<V> {
    pub(crate) node: Arc<Node>,
    pub(crate) id: CacheId,
    pub(crate) name: Box<str>,
    pub(crate) name_hash: NameHash,
    pub(crate) policy: Policy,
    pub(crate) memory: Arc<Memory>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) refreshes: Arc<Semaphore>,
    pub(crate) holdoffs: Holdoffs,
    /// A fresh hit of a confirmed view answers a read with this cache's consistency.
    pub(crate) hits_are_bounded: bool,
    /// Acknowledged writes that the source does not have yet, if the cache has write-behind.
    pub(crate) behind: OnceLock<Arc<Pending<V>>>,
    pub(crate) values: PhantomData<fn() -> V>,
}

/// One key of one read, in every form that the steps need.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    pub(crate) names: KeyNames,
    pub(crate) memory_key: MemoryKey,
    pub(crate) hash: u64,
    pub(crate) shard: usize,
    pub(crate) key_slot: u16,
    cache: NameHash,
    id: CacheId,
}

/// What an entry is made of, besides its value and its cache.
pub(crate) struct Making {
    pub(crate) l0: u64,
    pub(crate) place: Place,
    pub(crate) as_of: u64,
    /// As of an entry's meta.
    pub(crate) key_as_of: u64,
    pub(crate) lifetime: Lifetime,
    pub(crate) loaded_at: Moment,
    pub(crate) load_cost: Duration,
    pub(crate) own_load: bool,
    pub(crate) soft: bool,
    pub(crate) tags: Box<[NameHash]>,
}

impl Sought {
    pub(crate) fn names(&self) -> Names<'_> {
        Names { key: &self.names.key, cache: self.cache, prefixes: &self.names.prefixes, tags: &[] }
    }

    fn stored_probe(&self) -> StoredProbe<'_> {
        StoredProbe::new(self.hash, self.id, self.memory_key.parts())
    }
}

impl<V: Entry> CacheCore<V> {
    #[inline]
    pub(crate) fn probe<'k, K: Key + ?Sized>(&self, key: &'k K) -> Probe<'k, K> {
        self.node.hashing.probe(self.id, &self.name, key)
    }

    pub(crate) fn sought<K: Key + ?Sized>(&self, key: &K) -> Sought {
        let names = KeyNames::new(&self.name, key);
        let memory_key = MemoryKey::new(self.id, &names.key);
        Sought {
            hash: self.node.hashing.stored(self.id, memory_key.parts()).hash,
            shard: self.node.shard_of(&names.key),
            key_slot: key_slot(names.key.hash()),
            cache: self.name_hash,
            id: self.id,
            memory_key,
            names,
        }
    }

    pub(crate) fn spot<'s>(&'s self, sought: &'s Sought) -> Spot<'s> {
        Spot { memory: &self.memory, key: sought.stored_probe(), names: sought.names() }
    }

    pub(crate) fn view(&self, sought: &Sought) -> &View {
        &self.node.views[sought.shard]
    }

    /// How long an entry is kept once it is no longer fresh.
    pub(crate) fn kept_after_fresh(&self) -> Duration {
        self.policy.stale_for + self.policy.fail_safe_for
    }

    /// Until when an entry may be served as stale while it is loaded again.
    pub(crate) fn stale_until(&self, resident: &Resident<V>) -> Moment {
        self.aged_until(resident, self.policy.stale_for)
    }

    /// Until when an entry may be served at all, if only because its source fails.
    pub(crate) fn kept_until(&self, resident: &Resident<V>) -> Moment {
        self.aged_until(resident, self.kept_after_fresh())
    }

    /// Absence has no second age: a new row is never hidden longer than absence is remembered.
    fn aged_until(&self, resident: &Resident<V>, beyond: Duration) -> Moment {
        let meta = &resident.meta;
        match resident.value {
            Held::Absent => meta.fresh_until(),
            Held::Own(_) | Held::Same(_) => {
                let end = meta.loaded_at().plus(self.node.limits.ttl_max);
                meta.before_its_end(meta.fresh_until().plus(beyond).min(end))
            }
        }
    }

    /// An entry of this cache.
    pub(crate) fn make(&self, sought: &Sought, making: Making, value: Held<V>) -> Arc<Resident<V>> {
        let times = self.times(&making);
        let parts = MetaParts {
            l0: making.l0,
            as_of: making.as_of,
            key_as_of: making.key_as_of,
            epoch: making.place.number,
            shard: sought.shard as u8,
            cache: self.id,
            key_slot: sought.key_slot,
            times,
            load_cost: making.load_cost,
            weight: weight(sought, &value, &making.tags),
            own_load: making.own_load,
            soft: making.soft,
            tags: making.tags,
            own_time: self.own_time(making.lifetime),
            ends_at: making.lifetime.ends_after.map(|end| making.loaded_at.plus(end)),
        };
        Arc::new(Resident { meta: Meta::new(parts), value })
    }

    fn times(&self, making: &Making) -> Times {
        let fresh_until = making.loaded_at.plus(making.lifetime.fresh_for);
        Times {
            loaded_at: making.loaded_at,
            fresh_until,
            quiet_until: self.quiet_until(fresh_until, making.lifetime.fresh_for, making.load_cost),
        }
    }

    /// Until when a hit has nothing to decide: neither early refresh nor sliding.
    fn quiet_until(&self, fresh_until: Moment, fresh_for: Duration, load_cost: Duration) -> Moment {
        let early = self.drawing_from(fresh_until, load_cost);
        if self.policy.sliding {
            early.min(fresh_until.minus(fresh_for.mul_f64(SLIDE_AFTER)))
        } else {
            early
        }
    }

    /// From when on a hit may draw an early refresh.
    fn drawing_from(&self, fresh_until: Moment, load_cost: Duration) -> Moment {
        fresh_until.minus(early_window(load_cost, self.policy.early_refresh))
    }

    /// The time of an entry that slides by another one than its cache's: its loader said so.
    fn own_time(&self, lifetime: Lifetime) -> Option<Duration> {
        let usual = self.policy.fresh_for.mul_f64(1.0 - self.policy.jitter)..=self.policy.fresh_for;
        (self.policy.sliding && !usual.contains(&lifetime.fresh_for)).then_some(lifetime.fresh_for)
    }

    /// Sliding expiry: a hit at `now` makes the entry fresh for its whole time again, within the
    /// `ttl_max` of its load and the end that its loader gave it.
    pub(crate) fn slide(&self, meta: &Meta, now: Moment) {
        let end = meta.before_its_end(meta.loaded_at().plus(self.node.limits.ttl_max));
        let fresh_for = meta.own_time().unwrap_or(self.policy.fresh_for);
        let fresh_until = now.plus(fresh_for).min(end);
        let quiet_until = if fresh_until < end {
            self.quiet_until(fresh_until, fresh_for, meta.load_cost())
        } else {
            // It has come as far as it may: no later hit can move it.
            self.drawing_from(fresh_until, meta.load_cost())
        };
        meta.slide(Times { loaded_at: meta.loaded_at(), fresh_until, quiet_until });
    }
}

/// A sliding entry is moved once a sixteenth of its time is used up, not at every hit.
const SLIDE_AFTER: f64 = 15.0 / 16.0;

fn weight<V: Entry>(sought: &Sought, value: &Held<V>, tags: &[NameHash]) -> u32 {
    let owned = match value {
        Held::Own(value) => value.heap_bytes(),
        Held::Same(_) | Held::Absent => 0,
    };
    let bytes =
        ENTRY_BYTES + sought.memory_key.heap_bytes() + size_of::<V>() + owned + size_of_val(tags);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
