//! A value that was set or written on its way into the tiers: one step logs what it replaces and
//! stores it. Decides whether it may be stored; knows no source.

use std::sync::Arc;
use std::time::Duration;

use super::claim::Claim;
use super::core::{CacheCore, Making, Sought};
use crate::Entry;
use crate::clock::Moment;
use crate::hit::{Answer, Lookup, Origin};
use crate::invalidation::{Invalidated, Outcome};
use crate::loaded::{Content, Loaded};
use crate::memory::resident::{Held, Resident};
use crate::node::invalidate::has_pattern;
use crate::node::invalidate::swept;
use crate::node::marks::Target;
use crate::node::subject::Names;
use crate::node::view::Place;
use crate::policy::Lifetime;
use crate::record::{Mode, Name, NameHash, Tag};
use crate::shard::{Appended, Fill, FillReply, StoredEntry, TAGS_MAX};
use crate::wait;

/// A value about to be stored.
pub(super) struct Storing<V> {
    sought: Sought,
    value: Held<V>,
    tags: Box<[NameHash]>,
    /// `None`: it is not kept, and the old value is only invalidated.
    lifetime: Option<Lifetime>,
    began: Moment,
}

/// What lets a value be stored.
pub(super) enum Right {
    /// The lease, taken before the value was made; without it the old value only goes.
    Claimed(Option<Claim>),
    /// That nothing has named the entry since the log stood there, before the value was made.
    UnnamedSince(Place),
    /// That it is appended: what the log of this process puts last is what stays.
    OfTheLog,
}

/// What became of it.
pub(super) struct Kept<V> {
    pub(super) resident: Arc<Resident<V>>,
    pub(super) stored: bool,
    pub(super) invalidated: Invalidated,
}

/// The record that names the entry of this key.
pub(super) fn record(sought: &Sought) -> (Target, Mode) {
    (Target::Name(Name::key(&sought.names.key)), Mode::Hard)
}

/// Where a value has its place in the log, and the local sequence of that step.
#[derive(Clone, Copy)]
struct StoredAt {
    at: Appended,
    l0: u64,
}

impl<V: Entry> Storing<V> {
    pub(super) fn new(core: &CacheCore<V>, sought: Sought, loaded: Loaded<V>, began: Moment) -> Self {
        let (policy, ttl_max) = (&core.policy, core.node.limits.ttl_max);
        let (asked, unit) = (loaded.asked, core.node.random.next_unit());
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
        Storing { sought, value, tags, lifetime, began }
    }

    pub(super) fn sought(&self) -> &Sought {
        &self.sought
    }

    /// Whether it would be kept, if it may be.
    pub(super) fn is_kept(&self) -> bool {
        self.lifetime.is_some()
    }

    /// The record of the old value.
    pub(super) fn record(&self) -> (Target, Mode) {
        record(&self.sought)
    }

    /// Appends the records, and stores the value with them if it may be.
    ///
    /// # Cancel safety
    /// Dropped, the records are pending on this node, and the poll sends them.
    pub(super) async fn store(
        self,
        core: &Arc<CacheCore<V>>,
        records: Vec<(Target, Mode)>,
        right: Right,
    ) -> Kept<V> {
        match core.node.embedded() {
            Some(_) => self.store_embedded(core, records, right).await,
            None => self.store_shared(core, records, right).await,
        }
    }

    /// The log and memory are one: whatever comes after this step finds the value, or kills it.
    async fn store_embedded(
        self,
        core: &Arc<CacheCore<V>>,
        records: Vec<(Target, Mode)>,
        right: Right,
    ) -> Kept<V> {
        let node = &core.node;
        let of_the_log = matches!(right, Right::OfTheLog);
        let fill = self.fill(core, right).await;
        let (outcome, appended) = node.invalidate_embedded(&records, fill);
        let allowed = |fill| of_the_log || fill == FillReply::Stored;
        let stored = appended
            .filter(|here| self.is_kept() && allowed(here.fill))
            .map(|here| StoredAt { at: here.at, l0: here.sequence });
        let resident = self.settle(core, stored, false);
        let matched = swept(node.finish_patterns(&records)).await;
        let outcome = matched.map_or(outcome, |_| Outcome::Shared(node.position()));
        let invalidated = Invalidated { outcome, matched };
        Kept { resident, stored: stored.is_some(), invalidated }
    }

    async fn store_shared(
        self,
        core: &Arc<CacheCore<V>>,
        records: Vec<(Target, Mode)>,
        right: Right,
    ) -> Kept<V> {
        let node = &core.node;
        let has_pattern = has_pattern(&records);
        let deadline = node.now().plus(node.limits.append_timeout);
        let watched = Names { tags: &self.tags, ..self.sought.names() };
        // Hidden from here on, also while a lease is asked for.
        let mut appending = node.begin_append(records, Some(watched));
        let (ticket, l0, others) =
            (appending.ticket.clone(), appending.sequence, appending.others_name_it);
        let storing = async {
            match self.fill(core, right).await {
                Some(fill) => appending.send_with(fill).await,
                None => None,
            }
        };
        let written = wait::until(storing, node.clock.sleep_until(deadline)).await.flatten();
        let stored = match written {
            Some((at, FillReply::Stored)) => Some(StoredAt { at, l0 }),
            _ => None,
        };
        let resident = self.settle(core, stored, others);
        let sent = wait::until(appending.send(), node.clock.sleep_until(deadline)).await;
        let outcome = ticket.position().map_or(Outcome::Local(ticket), Outcome::Shared);
        let invalidated = Invalidated { outcome, matched: sent.filter(|_| has_pattern) };
        Kept { resident, stored: stored.is_some(), invalidated }
    }

    /// The entry: where it was stored, also in memory, unless others have `named` it meanwhile.
    fn settle(self, core: &CacheCore<V>, stored: Option<StoredAt>, named: bool) -> Arc<Resident<V>> {
        let place = core.view(&self.sought).place();
        let counted = |stored: &StoredAt| place.epoch == Some(stored.at.epoch);
        let number = if stored.as_ref().is_some_and(counted) { place.number } else { u32::MAX };
        let as_of = stored.map_or(0, |stored| stored.at.position);
        let making = Making {
            l0: stored.map_or(0, |stored| stored.l0),
            place: Place { number, ..place },
            as_of,
            key_as_of: as_of,
            lifetime: self.lifetime.unwrap_or(Lifetime::NONE),
            loaded_at: self.began,
            load_cost: Duration::ZERO,
            own_load: true,
            soft: false,
            tags: self.tags,
        };
        let resident = core.make(&self.sought, making, self.value);
        if stored.is_some() && !named {
            core.put(&self.sought, &resident, None);
        }
        resident
    }

    /// What is stored, if the value is kept and there is a lease for it.
    async fn fill(&self, core: &Arc<CacheCore<V>>, right: Right) -> Option<Fill> {
        let lifetime = self.lifetime?;
        let claim = match right {
            Right::Claimed(claim) => claim?,
            Right::UnnamedSince(place) => core.claim_since(&self.sought, &self.tags, place).await?,
            Right::OfTheLog => return None,
        };
        let shard = &core.view(&self.sought).shard;
        let payload = if shard.keeps_values() { core.packed(self.value.get())? } else { None };
        let loaded_at = shard.server_time(self.began);
        let Claim { lease, epoch, as_of } = claim;
        let token = lease.spend();
        let entry = StoredEntry {
            id: token.0,
            epoch,
            as_of,
            soft: false,
            tags: self.sought.names.prefixes.iter().chain(&self.tags).copied().collect(),
            fresh_until: loaded_at.plus(lifetime.fresh_for),
            expires_at: loaded_at.plus(lifetime.kept_for),
            ends_at: lifetime.ends_after.map(|end| loaded_at.plus(end)),
            load_cost: Duration::ZERO,
            loaded_at,
            fingerprint: V::FINGERPRINT,
            payload,
        };
        Some(Fill { key: self.sought.names.key.clone(), token, entry })
    }
}

impl<V> Kept<V> {
    /// The value, as who wrote it gets it back.
    pub(super) fn lookup(&self, at: Moment) -> Lookup<V> {
        let resident = Arc::clone(&self.resident);
        Answer { resident, origin: Origin::Loaded, stale: false, at }.into_lookup()
    }
}
