//! Reads without a loader: what memory or the shared tier has, and nothing else.

use std::sync::Arc;

use super::Demand;
use super::catch_up::{CatchUp, Footing};
use super::drive::Call;
use super::finish::StoredAt;
use super::look::Look;
use crate::Entry;
use crate::cache::core::{CacheCore, Sought};
use crate::flight::Route;
use crate::hit::{Answer, Origin};
use crate::key::EncodedKey;
use crate::memory::verdict::Verdict;
use crate::node::subject::Names;
use crate::node::view::View;
use crate::shard::StoredEntry;
use crate::wait;

/// What is known of one key: [`fetch`] without its lists, whose cost a single hit would notice.
pub(crate) async fn fetch_one<V: Entry>(
    core: &Arc<CacheCore<V>>,
    sought: &Sought,
    demand: &Demand,
) -> Option<Answer<V>> {
    let call = Call::new(core, demand);
    let view = core.view(sought);
    let footing = core.node.footing(view, &demand.consistency, &mut CatchUp::default()).await;
    let mut answer = call.remembered(sought, footing);
    if answer.is_none() && core.asks(view, footing, demand) {
        let stored = core.stored(view, vec![sought.names.key.clone()]).await;
        answer = stored.entries.first().and_then(|entry| {
            entry.as_ref().and_then(|entry| core.usable(sought, entry, stored.asked, demand))
        });
    }
    call.count(answer.as_ref(), Route::Whole);
    answer
}

/// What is known of these keys, in their order.
pub(crate) async fn fetch<V: Entry>(
    core: &Arc<CacheCore<V>>,
    sought: &[Sought],
    demand: &Demand,
) -> Vec<Option<Answer<V>>> {
    let call = Call::new(core, demand);
    let mut answers: Vec<Option<Answer<V>>> = Vec::with_capacity(sought.len());
    let mut asked = vec![Vec::new(); core.node.views.len()];
    let mut footings: Vec<Option<Footing>> = vec![None; core.node.views.len()];
    for (index, key) in sought.iter().enumerate() {
        let footing = match footings[key.shard] {
            Some(footing) => footing,
            None => {
                core.node.footing(core.view(key), &demand.consistency, &mut CatchUp::default()).await
            }
        };
        footings[key.shard] = Some(footing);
        let found = call.remembered(key, footing);
        if found.is_none() && core.asks(core.view(key), footing, demand) {
            asked[key.shard].push(index);
        }
        answers.push(found);
    }
    // All shards at once: one round trip, not one a shard.
    let asked = asked.iter().enumerate().filter(|(_, indices)| !indices.is_empty());
    let parts = asked.map(|(shard, indices)| core.fetch_part(shard, sought, indices, demand));
    for (index, answer) in wait::all(parts).await.into_iter().flatten() {
        answers[index] = answer;
    }
    answers.iter().for_each(|answer| call.count(answer.as_ref(), Route::Whole));
    answers
}

/// When a shard was asked.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// The local sequence before.
    l0: u64,
    /// What this node had applied.
    applied: u64,
}

/// What one shard has of the keys that it was asked for, in their order.
struct StoredEntries {
    asked: Asked,
    /// Empty where it did not answer, or not in the epoch of this node's view.
    entries: Vec<Option<StoredEntry>>,
}

impl<V: Entry> Call<'_, V> {
    /// What memory has of a key, if it may be served.
    fn remembered(&self, sought: &Sought, footing: Footing) -> Option<Answer<V>> {
        match self.look(sought, footing) {
            Look::Answer(answer) | Look::Refresh(answer, _) => Some(answer),
            Look::Fallback(_) | Look::Nothing => None,
        }
    }
}

impl<V: Entry> CacheCore<V> {
    fn asks(&self, view: &View, footing: Footing, demand: &Demand) -> bool {
        footing == Footing::Whole && !demand.skip_shared && view.shard.keeps_values()
    }

    async fn stored(&self, view: &View, keys: Vec<EncodedKey>) -> StoredEntries {
        let l0 = self.node.sequence();
        let known = view.asking();
        let asked = self.node.within(self.node.limits.call_timeout, view.shard.read(keys)).await;
        let entries = match asked {
            Ok(reply) if known.agrees(reply.epoch, reply.head) => reply.entries,
            _ => Vec::new(),
        };
        StoredEntries { asked: Asked { l0, applied: known.place.applied }, entries }
    }

    /// What one shard has of some of these keys.
    async fn fetch_part(
        &self,
        shard: usize,
        sought: &[Sought],
        indices: &[usize],
        demand: &Demand,
    ) -> Vec<(usize, Option<Answer<V>>)> {
        let keys = indices.iter().map(|&index| sought[index].names.key.clone()).collect();
        let StoredEntries { asked, entries } = self.stored(&self.node.views[shard], keys).await;
        let usable = |(&index, entry): (&usize, Option<StoredEntry>)| {
            (index, entry.and_then(|entry| self.usable(&sought[index], &entry, asked, demand)))
        };
        indices.iter().zip(entries).map(usable).collect()
    }

    /// A value of the shared tier, if it may be served.
    fn usable(
        &self,
        sought: &Sought,
        entry: &StoredEntry,
        asked: Asked,
        demand: &Demand,
    ) -> Option<Answer<V>> {
        let Asked { l0, applied } = asked;
        let view = self.view(sought);
        let place = view.place();
        let tags = &entry.tags[sought.names.prefixes.len().min(entry.tags.len())..];
        if Some(entry.epoch) != place.epoch || view.skips_shared(Names { tags, ..sought.names() }) {
            return None;
        }
        let now = self.node.now();
        let resident = self.decode(sought, StoredAt { entry, l0, applied, place, tags, now })?;
        let verdict = view.judge_elsewhere(&resident.meta, sought.names(), l0);
        let fresh_until = resident.meta.fresh_until();
        if verdict == Verdict::Dead || now >= self.stale_until(&resident) {
            return None;
        }
        let stale = verdict == Verdict::Stale || now >= fresh_until;
        if !stale && !demand.keep_nothing {
            self.keep(sought, &resident, None);
        }
        Some(Answer { resident, origin: Origin::Shared, stale, at: now })
    }
}
