//! Many keys in one call. Everything that the call leads is loaded before it waits for what
//! others load: two batches that waited first would wait for each other.

use std::sync::Arc;

use super::Demand;
use super::catch_up::{CatchUp, Footing};
use super::drive::{Attended, Call, ROUNDS, Waited};
use super::lead::{Landing, Leg};
use super::loader::Loader;
use super::look::Look;
use crate::Entry;
use crate::cache::core::{CacheCore, Sought};
use crate::error::Error;
use crate::flight::{Joined, Route, Waiter};
use crate::hit::Answer;
use crate::wait;

/// Loads any part of a batch, as often as it takes.
pub(crate) trait BatchLoader<V>: Send + Sync {
    /// A loader of some of the batch's keys: its load `i` is for key `keys[i]`.
    fn for_keys(&self, keys: Vec<usize>) -> Box<dyn Loader<V>>;
}

/// Answers many keys, in their order.
pub(crate) async fn read_many<V: Entry>(
    core: &Arc<CacheCore<V>>,
    sought: Vec<Sought>,
    demand: &Demand,
    loader: &dyn BatchLoader<V>,
) -> Result<Vec<Answer<V>>, Error> {
    let mut batch = Batch {
        call: Call::new(core, demand),
        answers: sought.iter().map(|_| None).collect(),
        catch_ups: core.node.views.iter().map(|_| CatchUp::default()).collect(),
        route: Route::Whole,
        sought,
        loader,
    };
    let answered = batch.answer().await;
    batch.answers.iter().for_each(|answer| batch.call.count(answer.as_ref(), batch.route));
    answered?;
    Ok(batch.answers.into_iter().flatten().collect())
}

struct Batch<'c, V> {
    call: Call<'c, V>,
    sought: Vec<Sought>,
    answers: Vec<Option<Answer<V>>>,
    /// One a shard.
    catch_ups: Vec<CatchUp>,
    /// The route of the last round: that of any shard which cannot confirm its log.
    route: Route,
    loader: &'c dyn BatchLoader<V>,
}

/// A leg with its place in the batch.
type Placed<V> = (usize, Leg<V>);

/// What a round has to do once memory was asked.
struct Plan<V> {
    /// Led by this call, by route.
    legs: Vec<(Route, Vec<Placed<V>>)>,
    /// Led by others.
    waits: Vec<(usize, Waiter<Landing<V>>)>,
    /// Not to be shared with anybody.
    alone: Vec<usize>,
}

impl<V: Entry> Batch<'_, V> {
    /// The keys that have no answer yet.
    fn open(&self) -> Vec<usize> {
        self.answers
            .iter()
            .enumerate()
            .filter(|(_, answer)| answer.is_none())
            .map(|(index, _)| index)
            .collect()
    }

    async fn answer(&mut self) -> Result<(), Error> {
        let rounds = if self.call.demand.bypass { 0 } else { ROUNDS };
        for _ in 0..rounds {
            if self.open().is_empty() {
                return Ok(());
            }
            self.round().await?;
        }
        self.load_rest_alone(self.open()).await
    }

    async fn round(&mut self) -> Result<(), Error> {
        let footings = self.footings().await;
        let routes = footings.iter().map(|footing| self.call.route(*footing));
        self.route = routes
            .reduce(|one, other| if one.is_whole() { other } else { one })
            .unwrap_or(Route::Whole);
        let plan = self.plan(&footings)?;
        for (route, legs) in plan.legs {
            self.lead(route, legs).await?;
        }
        self.load_rest_alone(plan.alone).await?;
        self.wait(plan.waits).await
    }

    async fn footings(&mut self) -> Vec<Footing> {
        let (node, demand) = (&self.call.core.node, self.call.demand);
        let asked = node.views.iter().zip(&mut self.catch_ups);
        wait::all(asked.map(|(view, catch_up)| node.footing(view, &demand.consistency, catch_up)))
            .await
    }

    /// Looks every open key up, and joins or leads its flight.
    fn plan(&mut self, footings: &[Footing]) -> Result<Plan<V>, Error> {
        let mut plan = Plan { legs: Vec::new(), waits: Vec::new(), alone: Vec::new() };
        for index in self.open() {
            let sought = &self.sought[index];
            let footing = footings[sought.shard];
            let route = self.call.route(footing);
            let candidate = match self.call.look(sought, footing) {
                Look::Answer(answer) => {
                    self.answers[index] = Some(answer);
                    continue;
                }
                Look::Refresh(answer, candidate) => {
                    self.call.refresh(sought, candidate, self.loader.for_keys(vec![index]), route);
                    self.answers[index] = Some(answer);
                    continue;
                }
                Look::Fallback(candidate) => Some(candidate),
                Look::Nothing => None,
            };
            if footing == Footing::Alone {
                plan.alone.push(index);
                continue;
            }
            if let Some(held_off) = self.call.held_off(sought, candidate.as_ref()) {
                self.answers[index] = Some(held_off?);
                continue;
            }
            match self.call.join(sought, route) {
                Joined::Waits(waiter) => plan.waits.push((index, waiter)),
                Joined::Leads(lead) => {
                    let leg = Leg::new(self.call.core, sought.clone(), lead, candidate);
                    plan.add(route, index, leg);
                }
            }
        }
        Ok(plan)
    }

    /// Loads what this call leads.
    async fn lead(&mut self, route: Route, legs: Vec<Placed<V>>) -> Result<(), Error> {
        let (indices, legs): (Vec<usize>, Vec<Leg<V>>) = legs.into_iter().unzip();
        let Some(watched) = legs.first().map(Leg::watched) else { return Ok(()) };
        let first = self.sought[indices[0]].clone();
        let work = self.call.leading(legs, self.loader.for_keys(indices.clone()), route).run();
        let ended = match self.call.attend(work, &watched, &first, None).await {
            Attended::Ended(ended) => ended,
            Attended::Answer(answer) => return answer.map(drop),
        };
        for (index, landing) in indices.into_iter().zip(ended.landings) {
            match landing {
                Landing::Answered { answer, .. } => self.answers[index] = Some(answer),
                Landing::Failed(error) => return Err(error),
                Landing::StartOver => self.catch_ups[self.sought[index].shard].again(),
            }
        }
        Ok(())
    }

    /// Waits for what others load.
    async fn wait(&mut self, waits: Vec<(usize, Waiter<Landing<V>>)>) -> Result<(), Error> {
        let (indices, waiters): (Vec<usize>, Vec<_>) = waits.into_iter().unzip();
        let waiting = indices
            .iter()
            .zip(waiters)
            .map(|(&index, waiter)| self.call.wait(waiter, &self.sought[index], None));
        let waited = wait::all(waiting).await;
        for (index, waited) in indices.into_iter().zip(waited) {
            match waited {
                Waited::Landed(Landing::Answered { answer, dead, load_began }) => {
                    if !dead || self.call.is_older_than(load_began) {
                        self.answers[index] = Some(answer);
                    }
                }
                Waited::Landed(Landing::Failed(error)) => return Err(error),
                Waited::Landed(Landing::StartOver) => {
                    self.catch_ups[self.sought[index].shard].again()
                }
                Waited::Answer(answer) => self.answers[index] = Some(answer?),
                // Dropped here, it is free for the next round of whoever comes first.
                Waited::Leads(lead) => drop(lead),
            }
        }
        Ok(())
    }

    async fn load_rest_alone(&mut self, rest: Vec<usize>) -> Result<(), Error> {
        if rest.is_empty() {
            return Ok(());
        }
        let keys: Vec<&Sought> = rest.iter().map(|&index| &self.sought[index]).collect();
        let mut loader = self.loader.for_keys(rest.clone());
        let loaded = self.call.core.load_alone(&keys, &mut loader).await?;
        for (index, answer) in rest.into_iter().zip(loaded) {
            self.answers[index] = Some(answer);
        }
        Ok(())
    }
}

impl<V> Plan<V> {
    fn add(&mut self, route: Route, index: usize, leg: Leg<V>) {
        match self.legs.iter_mut().find(|(same, _)| same.is_whole() == route.is_whole()) {
            Some((_, legs)) => legs.push((index, leg)),
            None => self.legs.push((route, vec![(index, leg)])),
        }
    }
}

impl Route {
    fn is_whole(self) -> bool {
        self == Route::Whole
    }
}
