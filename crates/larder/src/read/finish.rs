//! What becomes of a load: an entry, its fill into the shared tier, its place in memory, and the
//! end of the flight.

use std::sync::Arc;

use super::Demand;
use super::lead::{Leading, Lease, Leg};
use super::loader::Done;
use super::look::Candidate;
use crate::Entry;
use crate::cache::core::{CacheCore, Making, Sought};
use crate::cache::holdoff::Holdoff;
use crate::clock::Moment;
use crate::codec::unpack;
use crate::error::Error;
use crate::event::{Event, NotKept};
use crate::flight::Route;
use crate::hit::{Answer, Origin};
use crate::loaded::{Content, Loaded};
use crate::memory::resident::{Held, Resident, Stored};
use crate::node::view::Place;
use crate::policy::{AskedTimes, Lifetime};
use crate::record::{NameHash, Tag};
use crate::shard::{Fill, FillReply, Payload, StoredEntry, TAGS_MAX};

/// A value of the shared tier, and what was known when it was read.
pub(super) struct StoredAt<'a> {
    pub(super) entry: &'a StoredEntry,
    pub(super) l0: u64,
    /// What this node had applied when it asked.
    pub(super) applied: u64,
    pub(super) place: Place,
    /// The tags of the value, without the prefixes of the key.
    pub(super) tags: &'a [NameHash],
    /// When it is looked at.
    pub(super) now: Moment,
}

impl<V: Entry> Leading<V> {
    /// Ends the flight of one leg with what was loaded: fill, put, then land.
    pub(super) async fn finish(&mut self, index: usize, loaded: Loaded<V>, done: Done) {
        let core = Arc::clone(&self.core);
        let leg = &mut self.legs[index];
        core.holdoffs.end(&leg.sought.memory_key);
        if matches!(loaded.content, Content::NotModified) && leg.candidate.is_none() {
            return leg.fail(Error::NothingToKeep);
        }
        let outcome = core.entry_of(leg, loaded, done);
        let answer = Answer {
            resident: Arc::clone(&outcome.resident),
            origin: Origin::Loaded,
            stale: false,
            at: core.node.now(),
        };
        if let Some(reason) = outcome.not_kept {
            core.counters.kept_nothing();
            core.node.emit(Event::NotKept { cache: &core.name, reason });
        } else {
            let fill = leg.lease.take().and_then(|lease| core.fill_of(leg, &outcome, lease));
            core.send_fill(fill, &self.demand).await;
            core.keep(&leg.sought, &outcome.resident, bypass_since(self.route, &core));
        }
        leg.land(&core, answer, Some(done.event));
    }

    /// The source failed: the stale candidate, judged again now; else the error, for everybody.
    pub(super) fn fall_back(&mut self, index: usize, error: &Error) {
        let core = Arc::clone(&self.core);
        let leg = &mut self.legs[index];
        let fallback =
            leg.candidate.as_ref().and_then(|candidate| core.fall_back(&leg.sought, candidate));
        let now = core.node.now();
        core.holdoffs.begin(
            &leg.sought.memory_key,
            Holdoff {
                throttled_until: now.plus(core.policy.fail_safe_throttle),
                error_until: now.plus(core.policy.errors_for),
                error: error.clone(),
            },
        );
        match fallback {
            Some(answer) => {
                core.counters.fail_safe();
                core.node.emit(Event::FailSafe { cache: &core.name });
                leg.land(&core, answer, None);
            }
            None => leg.fail(error.clone()),
        }
    }
}

/// Since when own loads count for a bypass reader; `None` on the whole route.
fn bypass_since<V: Entry>(route: Route, core: &CacheCore<V>) -> Option<Moment> {
    match route {
        Route::Whole => None,
        Route::Bypass { .. } => Some(core.node.now().minus(core.node.limits.staleness_max)),
    }
}

/// An entry made of a load.
struct Outcome<V> {
    resident: Arc<Resident<V>>,
    lifetime: Option<Lifetime>,
    not_kept: Option<NotKept>,
}

impl<V: Entry> CacheCore<V> {
    fn entry_of(&self, leg: &Leg<V>, loaded: Loaded<V>, done: Done) -> Outcome<V> {
        let lifetime = self.lifetime_of(&loaded, leg.candidate.as_ref(), done.began);
        let (value, tags) = match (loaded.content, &leg.candidate) {
            (Content::Value(value), _) => (Held::Own(value), hashes(&loaded.tags)),
            (Content::NotModified, Some(shown)) => {
                (Held::same_as(&shown.resident), Box::from(shown.resident.meta.tags()))
            }
            (Content::Absent | Content::NotModified, _) => (Held::Absent, Box::default()),
        };
        let tag_count = tags.len() + leg.sought.names.prefixes.len();
        let bytes = value.get().map_or(0, |value| size_of::<V>() + value.heap_bytes());
        let not_kept = match lifetime {
            None => Some(NotKept::ZeroTime),
            Some(_) if tag_count > TAGS_MAX => Some(NotKept::TooManyTags),
            Some(_) if bytes > self.policy.value_bytes_max => Some(NotKept::TooLarge),
            Some(_) => None,
        };
        let making = Making {
            l0: leg.l0,
            place: self.place_of(leg),
            as_of: leg.as_of,
            key_as_of: leg.as_of,
            lifetime: lifetime.unwrap_or(Lifetime::NONE),
            loaded_at: done.began,
            load_cost: done.took,
            own_load: true,
            soft: false,
            tags,
        };
        Outcome { resident: self.make(&leg.sought, making, value), lifetime, not_kept }
    }

    fn lifetime_of(
        &self,
        loaded: &Loaded<V>,
        shown: Option<&Candidate<V>>,
        began: Moment,
    ) -> Option<Lifetime> {
        let (asked, ttl_max) = (loaded.asked, self.node.limits.ttl_max);
        let unit = self.node.random.next_unit();
        match loaded.content {
            Content::Absent => Lifetime::of_absence(&self.policy, asked, ttl_max, unit),
            Content::Value(_) => Lifetime::of_value(&self.policy, asked, ttl_max, unit),
            Content::NotModified => {
                let kept = shown.and_then(|shown| shown.resident.meta.ends_at());
                let kept_at_most = asked.kept_at_most.or(kept.map(|end| end.since(began)));
                let asked = AskedTimes { kept_at_most, ..asked };
                Lifetime::of_value(&self.policy, asked, ttl_max, unit)
            }
        }
    }

    /// The number that the view gives the leg's epoch; one that no entry can have if the view has
    /// another epoch by now.
    fn place_of(&self, leg: &Leg<V>) -> Place {
        let place = self.view(&leg.sought).place();
        let number = if place.epoch == leg.epoch { place.number } else { u32::MAX };
        Place { number, ..place }
    }

    /// What goes into the shared tier. `None`: nothing does, and the lease is given back.
    fn fill_of(&self, leg: &Leg<V>, outcome: &Outcome<V>, lease: Lease) -> Option<Fill> {
        let (epoch, lifetime) = (leg.epoch?, outcome.lifetime?);
        let meta = &outcome.resident.meta;
        let payload = self.packed(outcome.resident.value.get())?;
        let shard = &self.view(&leg.sought).shard;
        let loaded_at = shard.server_time(meta.loaded_at());
        let tags = leg.sought.names.prefixes.iter().chain(meta.tags()).copied().collect();
        let token = lease.spend();
        let entry = StoredEntry {
            id: token.0,
            epoch,
            as_of: leg.as_of,
            soft: false,
            tags,
            fresh_until: loaded_at.plus(lifetime.fresh_for),
            expires_at: loaded_at.plus(lifetime.kept_for),
            ends_at: lifetime.ends_after.map(|end| loaded_at.plus(end)),
            load_cost: meta.load_cost(),
            loaded_at,
            fingerprint: V::FINGERPRINT,
            payload,
        };
        Some(Fill { key: leg.sought.names.key.clone(), token, entry })
    }

    /// The stored form of a value, or of absence. `None`: it has none, which is told and counted.
    pub(crate) fn packed(&self, value: Option<&V>) -> Option<Option<Payload>> {
        let Some(value) = value else { return Some(None) };
        match self.policy.form.pack(value, self.policy.value_bytes_max) {
            Ok(payload) => Some(Some(payload)),
            Err(reason) => {
                self.counters.kept_nothing();
                self.node.emit(Event::NotKept { cache: &self.name, reason });
                None
            }
        }
    }

    /// A value of the shared tier, bounded as a loaded one is.
    fn unpacked(&self, entry: &StoredEntry, payload: &Payload) -> Option<V> {
        let bytes_max = self.policy.value_bytes_max;
        let value: V = unpack(&self.policy.form, entry, payload, bytes_max)?;
        (size_of::<V>() + value.heap_bytes() <= bytes_max).then_some(value)
    }

    /// Sends a fill. The reader does not wait for it unless asked to.
    async fn send_fill(self: &Arc<Self>, fill: Option<Fill>, demand: &Demand) {
        let Some(fill) = fill else { return };
        let core = Arc::clone(self);
        let work = async move {
            let shard = &core.node.views[core.node.shard_of(&fill.key)].shard;
            let filled = core.node.within(core.node.limits.call_timeout, shard.fill(fill)).await;
            if let Ok(FillReply::Rejected) = filled {
                core.counters.fill_rejected();
                core.node.emit(Event::FillRejected { cache: &core.name });
            }
        };
        if demand.await_fill {
            work.await;
        } else {
            self.node.tasks.spawn(Box::pin(work));
        }
    }

    /// Puts an entry into memory, if it is allowed there.
    pub(super) fn keep(
        &self,
        sought: &Sought,
        resident: &Arc<Resident<V>>,
        bypass_since: Option<Moment>,
    ) {
        // Whatever was read is older than what this node has acknowledged, also if its load began later.
        if !self.is_unflushed(sought) {
            self.put(sought, resident, bypass_since);
        }
    }

    /// Puts an entry into memory, unless this cache leaves memory out.
    pub(crate) fn put(
        &self,
        sought: &Sought,
        resident: &Arc<Resident<V>>,
        bypass_since: Option<Moment>,
    ) {
        if self.policy.keeps_in_memory() {
            let stored = Arc::clone(resident) as Arc<dyn Stored>;
            self.node.put(&stored, sought.memory_key.clone(), self.spot(sought), bypass_since);
        }
    }

    /// An entry of the shared tier as one of memory. `None`: it cannot be decoded, a counted miss.
    pub(super) fn decode(&self, sought: &Sought, stored: StoredAt<'_>) -> Option<Arc<Resident<V>>> {
        let entry = stored.entry;
        let value = match &entry.payload {
            None => Held::Absent,
            Some(payload) => match self.unpacked(entry, payload) {
                Some(value) => Held::Own(value),
                None => {
                    self.counters.could_not_decode();
                    self.node.emit(Event::Undecodable { cache: &self.name });
                    return None;
                }
            },
        };
        let now = stored.now;
        let server_now = self.view(sought).shard.server_time(now);
        let fresh_for = entry.fresh_until.since(entry.loaded_at);
        let making = Making {
            l0: stored.l0,
            place: stored.place,
            as_of: entry.as_of,
            // Whoever logs a record of the key removes or flags the value in the same step.
            key_as_of: entry.as_of.max(stored.applied),
            lifetime: Lifetime {
                fresh_for,
                kept_for: entry.expires_at.since(entry.loaded_at),
                ends_after: entry.ends_at.map(|end| end.since(entry.loaded_at)),
            },
            loaded_at: now.minus(server_now.since(entry.loaded_at)),
            load_cost: entry.load_cost,
            own_load: false,
            soft: entry.soft,
            tags: Box::from(stored.tags),
        };
        Some(self.make(sought, making, value))
    }
}

fn hashes(tags: &[Tag]) -> Box<[NameHash]> {
    tags.iter().map(Tag::hash).collect()
}
