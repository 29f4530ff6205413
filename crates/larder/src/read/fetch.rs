//! Reads without a loader: what memory or the shared tier has, and nothing else.

use std::sync::Arc;

use futures_util::future::join_all;

use super::Demand;
use super::catch_up::{CatchUp, Footing};
use super::drive::Call;
use super::finish::StoredAt;
use super::look::Look;
use crate::Entry;
use crate::cache::core::{CacheCore, Sought};
use crate::flight::Route;
use crate::hit::{Answer, Origin};
use crate::memory::verdict::Verdict;
use crate::node::subject::Names;
use crate::node::view::View;
use crate::shard::StoredEntry;

/// What is known of these keys, in their order.
pub(crate) async fn fetch<V: Entry>(
    core: &Arc<CacheCore<V>>,
    sought: &[Sought],
    demand: &Demand,
) -> Vec<Option<Answer<V>>> {
    let call = Call::new(core, demand);
    let mut answers: Vec<Option<Answer<V>>> = Vec::with_capacity(sought.len());
    let mut asked = Vec::new();
    let mut footings: Vec<Option<Footing>> = vec![None; core.node.views.len()];
    for (index, key) in sought.iter().enumerate() {
        let footing = match footings[key.shard] {
            Some(footing) => footing,
            None => {
                core.node.footing(core.view(key), &demand.consistency, &mut CatchUp::default()).await
            }
        };
        footings[key.shard] = Some(footing);
        let found = match call.look(key, footing) {
            Look::Answer(answer) | Look::Refresh(answer, _) => Some(answer),
            Look::Fallback(_) | Look::Nothing => None,
        };
        if found.is_none() && footing == Footing::Whole {
            asked.push(index);
        }
        answers.push(found);
    }
    core.fetch_shared(sought, asked, demand, &mut answers).await;
    answers.iter().for_each(|answer| call.count(answer.as_ref(), Route::Whole));
    answers
}

impl<V: Entry> CacheCore<V> {
    async fn fetch_shared(
        &self,
        sought: &[Sought],
        asked: Vec<usize>,
        demand: &Demand,
        answers: &mut [Option<Answer<V>>],
    ) {
        let parts = self.node.views.iter().filter_map(|view| {
            let barred = demand.skip_shared || !view.shard.keeps_values();
            let mine: Vec<usize> =
                asked.iter().copied().filter(|&index| sought[index].shard == view.index).collect();
            (!barred && !mine.is_empty()).then(|| self.fetch_part(view, sought, mine, demand))
        });
        // All shards at once: one round trip, not one a shard.
        for (index, answer) in join_all(parts).await.into_iter().flatten() {
            answers[index] = answer;
        }
    }

    /// What one shard has of these keys.
    async fn fetch_part(
        &self,
        view: &View,
        sought: &[Sought],
        mine: Vec<usize>,
        demand: &Demand,
    ) -> Vec<(usize, Option<Answer<V>>)> {
        let l0 = self.node.sequence();
        let known = view.asking();
        let keys = mine.iter().map(|&index| sought[index].names.key.clone()).collect();
        let asked = self.node.within(self.node.limits.call_timeout, view.shard.read(keys)).await;
        let Ok(reply) = asked else { return Vec::new() };
        if !known.agrees(reply.epoch, reply.head) {
            return Vec::new();
        }
        let usable = |(index, entry): (usize, Option<StoredEntry>)| {
            (index, entry.and_then(|entry| self.usable(&sought[index], &entry, l0, demand)))
        };
        mine.into_iter().zip(reply.entries).map(usable).collect()
    }

    /// A value of the shared tier, if it may be served.
    fn usable(
        &self,
        sought: &Sought,
        entry: &StoredEntry,
        l0: u64,
        demand: &Demand,
    ) -> Option<Answer<V>> {
        let view = self.view(sought);
        let place = view.place();
        let tags = &entry.tags[sought.names.prefixes.len().min(entry.tags.len())..];
        if Some(entry.epoch) != place.epoch || view.skips_shared(Names { tags, ..sought.names() }) {
            return None;
        }
        let resident = self.decode(sought, StoredAt { entry, l0, place, tags })?;
        let verdict = view.judge_elsewhere(&resident.meta, sought.names(), l0);
        let now = self.node.now();
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
