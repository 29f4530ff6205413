//! Values that are set instead of loaded.

use std::sync::Arc;
use std::time::Duration;

use super::Cache;
use super::core::{CacheCore, Making, Sought};
use crate::clock::Moment;
use crate::invalidation::{Invalidated, Outcome};
use crate::loaded::{Content, IntoLoaded, Loaded};
use crate::memory::resident::{Held, Stored};
use crate::node::marks::Target;
use crate::node::subject::Names;
use crate::node::view::Place;
use crate::policy::Lifetime;
use crate::record::{Mode, Name, NameHash, Tag};
use crate::shard::{Appended, Fill, FillReply, LeaseReply, StoredEntry, TAGS_MAX, Token};
use crate::{Entry, Key, wait};

/// What became of a `set`.
#[derive(Debug, Clone)]
#[must_use = "`stored` may be false: another caller was loading or setting this key"]
pub struct SetOutcome {
    /// The invalidation of the old value, which happens in any case.
    pub invalidated: Invalidated,
    /// Whether the new value was stored. If not, the next read loads.
    pub stored: bool,
}

impl<K: Key, V: Entry> Cache<K, V> {
    /// Replaces the value of a key: invalidates the old one and stores the new one in one step.
    /// `value` is anything a loader may answer: a `V`, an `Option<V>`, or a
    /// [`Loaded<V>`](crate::Loaded) with a time and tags of its own.
    ///
    /// Two sets of one key are ordered by the log, not by your source: if the source has an order
    /// of its own, write the source and [`invalidate`](Cache::invalidate) instead. Where another
    /// caller of the fleet is loading the key, nothing is stored.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the old value invalidated; the new one may or may not be stored.
    pub async fn set(&self, key: &K, value: impl IntoLoaded<V>) -> SetOutcome {
        let core = &self.core;
        core.counters.set();
        let setting = Setting::new(core, core.sought(key), value.into_loaded());
        match core.node.embedded() {
            Some(_) => setting.store_embedded(core),
            None => setting.store_shared(core).await,
        }
    }

    /// Sets many values, each with its own time and tags if it has any. Answers in the same order.
    pub async fn set_many<L: IntoLoaded<V>>(
        &self,
        entries: impl IntoIterator<Item = (K, L)>,
    ) -> Vec<SetOutcome> {
        let sets = entries.into_iter().map(|(key, value)| async move { self.set(&key, value).await });
        wait::all(sets).await
    }
}

/// A value about to be stored.
struct Setting<V> {
    sought: Sought,
    value: Held<V>,
    tags: Box<[NameHash]>,
    /// `None`: it is not kept, and the old value is only invalidated.
    lifetime: Option<Lifetime>,
    began: Moment,
}

impl<V: Entry> Setting<V> {
    fn new(core: &CacheCore<V>, sought: Sought, loaded: Loaded<V>) -> Self {
        let (policy, ttl_max) = (&core.policy, core.node.limits.ttl_max);
        let (asked, unit) = (loaded.fresh_for, core.node.random.next_unit());
        let tags: Box<[NameHash]> = loaded.tags.iter().map(Tag::hash).collect();
        let (value, tags, lifetime) = match loaded.content {
            Content::Value(value) => {
                let fits = size_of::<V>() + value.heap_bytes() <= policy.value_bytes_max;
                let few = tags.len() + sought.names.prefixes.len() <= TAGS_MAX;
                let lifetime = Lifetime::of_value(policy, asked, ttl_max, unit);
                (Held::Own(value), tags, lifetime.filter(|_| fits && few))
            }
            Content::Absent => {
                (Held::Absent, Box::default(), Lifetime::of_absence(policy, asked, ttl_max, unit))
            }
            // There is nothing to compare with: only the old value goes.
            Content::NotModified => (Held::Absent, Box::default(), None),
        };
        Setting { sought, value, tags, lifetime, began: core.node.now() }
    }

    fn records(&self) -> Vec<(Target, Mode)> {
        vec![(Target::Name(Name::key(&self.sought.names.key)), Mode::Hard)]
    }

    /// The log and memory are one: what was appended last is what stays.
    fn store_embedded(self, core: &Arc<CacheCore<V>>) -> SetOutcome {
        let (outcome, at, l0) = core.node.invalidate_embedded(&self.records());
        let stored = self.lifetime.is_some();
        if let (Some(at), Some(lifetime)) = (at, self.lifetime) {
            self.keep(core, lifetime, at, l0);
        }
        SetOutcome { invalidated: Invalidated { outcome, matched: None }, stored }
    }

    fn keep(self, core: &CacheCore<V>, lifetime: Lifetime, at: Appended, l0: u64) {
        let as_of = at.position;
        let place = core.view(&self.sought).place();
        let number = if place.epoch == Some(at.epoch) { place.number } else { u32::MAX };
        let making = Making {
            l0,
            place: Place { number, ..place },
            as_of,
            key_as_of: as_of,
            lifetime,
            loaded_at: self.began,
            load_cost: Duration::ZERO,
            own_load: true,
            soft: false,
            tags: self.tags,
        };
        let resident = core.make(&self.sought, making, self.value) as Arc<dyn Stored>;
        core.node.put(&resident, self.sought.memory_key.clone(), core.spot(&self.sought), None);
    }

    /// Lease, then write through; without the lease only the old value goes.
    async fn store_shared(self, core: &Arc<CacheCore<V>>) -> SetOutcome {
        let node = &core.node;
        let fill = self.fill(core).await;
        let watched = Names { tags: &self.tags, ..self.sought.names() };
        let appending = node.begin_append(self.records(), Some(watched));
        let (ticket, l0, others) =
            (appending.ticket.clone(), appending.sequence, appending.others_name_it);
        let timeout = node.clock.sleep_until(node.now().plus(node.limits.append_timeout));
        let written = match fill {
            Some(fill) => wait::until(appending.send_with(fill), timeout).await.flatten(),
            None => {
                wait::until(appending.send(), timeout).await;
                None
            }
        };
        let stored = matches!(written, Some((_, FillReply::Stored)));
        if let (Some((at, FillReply::Stored)), Some(lifetime), false) =
            (written, self.lifetime, others)
        {
            self.keep(core, lifetime, at, l0);
        }
        let outcome = ticket.position().map_or(Outcome::Local(ticket), Outcome::Shared);
        SetOutcome { invalidated: Invalidated { outcome, matched: None }, stored }
    }

    /// What is stored, if the value is kept and the lease is ours.
    async fn fill(&self, core: &Arc<CacheCore<V>>) -> Option<Fill> {
        let lifetime = self.lifetime?;
        let node = &core.node;
        let shard = &core.view(&self.sought).shard;
        let payload = core.packed(self.value.get())?;
        let token = Token(node.random.next_u128());
        let key = self.sought.names.key.clone();
        let reply = node
            .within(node.limits.call_timeout, shard.lease(key.clone(), token, None))
            .await
            .ok()?;
        let (epoch, as_of) = match reply {
            LeaseReply::Granted { epoch, as_of } => (epoch, as_of),
            LeaseReply::Filled { entry, .. } => {
                let again = shard.lease(key.clone(), token, Some(entry.id));
                match node.within(node.limits.call_timeout, again).await.ok()? {
                    LeaseReply::Granted { epoch, as_of } => (epoch, as_of),
                    LeaseReply::Held | LeaseReply::Filled { .. } => return None,
                }
            }
            LeaseReply::Held => return None,
        };
        let loaded_at = shard.server_time(self.began);
        let entry = StoredEntry {
            id: token.0,
            epoch,
            as_of,
            soft: false,
            tags: self.sought.names.prefixes.iter().chain(&self.tags).copied().collect(),
            fresh_until: loaded_at.plus(lifetime.fresh_for),
            expires_at: loaded_at.plus(lifetime.kept_for),
            load_cost: Duration::ZERO,
            loaded_at,
            fingerprint: V::FINGERPRINT,
            payload,
        };
        Some(Fill { key, token, entry })
    }
}
