//! The leader's part of a read: from the second look at memory to the end of the flight, for one
//! key or for all that a batch leads.

use std::sync::Arc;

use super::Demand;
use super::held::Held;
use super::loader::Loader;
use super::look::{Candidate, Look, Usable};
use crate::Entry;
use crate::cache::core::{CacheCore, Sought};
use crate::clock::{BoxFuture, Moment};
use crate::error::Error;
use crate::flight::{Flight, Lead, Route};
use crate::hit::Answer;
use crate::key::EncodedKey;
use crate::memory::verdict::Verdict;
use crate::node::Node;
use crate::shard::{Epoch, Token};
use crate::wait::{self, Signal};

/// How a flight ended, for those who waited.
pub(crate) enum Landing<V> {
    /// With this answer.
    Answered {
        answer: Answer<V>,
        /// It was dead already when the flight ended.
        dead: bool,
        /// The event at which its load from the source began, if there was one.
        load_began: Option<u64>,
    },
    /// With this error.
    Failed(Error),
    /// The shard is of another epoch than its view: everybody starts over.
    StartOver,
}

impl<V> Clone for Landing<V> {
    fn clone(&self) -> Self {
        match self {
            Landing::Answered { answer, dead, load_began } => {
                Landing::Answered { answer: answer.clone(), dead: *dead, load_began: *load_began }
            }
            Landing::Failed(error) => Landing::Failed(error.clone()),
            Landing::StartOver => Landing::StartOver,
        }
    }
}

/// One key that is led.
pub(crate) struct Leg<V> {
    pub(crate) sought: Sought,
    /// The flight, until it has landed.
    lead: Option<Lead<Landing<V>>>,
    /// What to fall back on when the source fails.
    pub(super) candidate: Option<Candidate<V>>,
    /// The flight, and a stale value of the shared tier for a caller who takes it.
    watched: Watched<V>,
    pub(super) l0: u64,
    pub(super) as_of: u64,
    /// The epoch that `as_of` counts in.
    pub(super) epoch: Option<Epoch>,
    pub(super) lease: Option<Lease>,
    pub(super) tries: usize,
    pub(super) landing: Option<Landing<V>>,
}

/// What the caller of a leader watches while it waits.
pub(crate) struct Watched<V> {
    pub(super) flight: Arc<Flight<Landing<V>>>,
    pub(super) offer: Arc<Signal<Answer<V>>>,
}

/// A lease that is ours; given back when it is dropped without a fill.
pub(crate) struct Lease {
    node: Arc<Node>,
    shard: usize,
    key: EncodedKey,
    pub(crate) token: Token,
    spent: bool,
}

impl Lease {
    pub(crate) fn new(node: &Arc<Node>, sought: &Sought, token: Token) -> Self {
        let key = sought.names.key.clone();
        Lease { node: Arc::clone(node), shard: sought.shard, key, token, spent: false }
    }

    /// A fill takes the lease with it.
    pub(crate) fn spend(mut self) -> Token {
        self.spent = true;
        self.token
    }

    /// False: it is not ours any more.
    pub(super) async fn renew(&self) -> bool {
        let shard = &self.node.views[self.shard].shard;
        let renewed = self
            .node
            .within(self.node.limits.call_timeout, shard.renew(self.key.clone(), self.token));
        renewed.await.unwrap_or(true)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.spent {
            return;
        }
        let (node, shard, key, token) =
            (Arc::clone(&self.node), self.shard, self.key.clone(), self.token);
        self.node.tasks.spawn(Box::pin(async move {
            let released = node.views[shard].shard.release(key, token);
            // Not released is not lost: it runs out by itself.
            drop(node.within(node.limits.call_timeout, released).await);
        }));
    }
}

impl<V: Entry> Leg<V> {
    pub(crate) fn new(
        core: &CacheCore<V>,
        sought: Sought,
        lead: Lead<Landing<V>>,
        candidate: Option<Candidate<V>>,
    ) -> Self {
        // The flight is in the table: whatever happens from now on finds it there, or is seen.
        let l0 = core.node.sequence();
        let place = core.view(&sought).place();
        Leg {
            sought,
            watched: Watched { flight: lead.flight(), offer: Arc::default() },
            lead: Some(lead),
            candidate,
            l0,
            as_of: place.applied,
            epoch: place.epoch,
            lease: None,
            tries: 0,
            landing: None,
        }
    }

    /// The lease replaces what we knew: the load begins at its position, in its epoch.
    pub(super) fn granted(&mut self, lease: Lease, epoch: Epoch, as_of: u64) {
        self.lease = Some(lease);
        self.epoch = Some(epoch);
        self.as_of = as_of;
    }

    pub(super) fn watched(&self) -> Watched<V> {
        let Watched { flight, offer } = &self.watched;
        Watched { flight: Arc::clone(flight), offer: Arc::clone(offer) }
    }

    /// Offers a stale value of the shared tier to a caller who takes it.
    pub(super) fn offer(&self, stale: Answer<V>) {
        self.watched.offer.set(stale);
    }

    /// The source is being asked since `now`.
    pub(super) fn loading(&self, now: Moment) {
        if let Some(lead) = &self.lead {
            lead.loading(now);
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.landing.is_none()
    }

    /// Ends the flight. Out of the table first, judged then, published last: who joins after the
    /// verdict would otherwise get it late.
    pub(super) fn land(&mut self, core: &CacheCore<V>, answer: Answer<V>, load_began: Option<u64>) {
        if let Some(lead) = &self.lead {
            lead.take_out();
        }
        let verdict = core.view(&self.sought).judge_elsewhere(
            &answer.resident.meta,
            self.sought.names(),
            self.l0,
        );
        let dead = verdict == Verdict::Dead;
        let stale = answer.stale || verdict == Verdict::Stale;
        self.publish(Landing::Answered { answer: Answer { stale, ..answer }, dead, load_began });
    }

    pub(super) fn fail(&mut self, error: Error) {
        self.end(Landing::Failed(error));
    }

    pub(super) fn start_over(&mut self) {
        self.end(Landing::StartOver);
    }

    fn end(&mut self, landing: Landing<V>) {
        if let Some(lead) = &self.lead {
            lead.take_out();
        }
        self.publish(landing);
    }

    fn publish(&mut self, landing: Landing<V>) {
        self.lease = None;
        if let Some(lead) = self.lead.take() {
            lead.publish(landing.clone());
        }
        self.landing = Some(landing);
    }
}

/// Everything that one call leads.
pub(crate) struct Leading<V> {
    pub(super) core: Arc<CacheCore<V>>,
    pub(super) legs: Vec<Leg<V>>,
    pub(super) loader: Box<dyn Loader<V>>,
    pub(super) demand: Demand,
    pub(super) route: Route,
}

/// How everything that was led ended.
pub(crate) struct Ended<V> {
    /// One a leg, in order.
    pub(crate) landings: Vec<Landing<V>>,
    pub(crate) loader: Box<dyn Loader<V>>,
}

/// What comes next for a leg.
pub(super) enum Next {
    /// Its flight has landed.
    Landed,
    /// The source is to be asked.
    Load,
    /// Somebody else holds the lease.
    Wait(Held),
}

impl<V: Entry> Leading<V> {
    pub(crate) fn run(self) -> BoxFuture<'static, Ended<V>> {
        Box::pin(self.lead())
    }

    async fn lead(mut self) -> Ended<V> {
        if !self.demand.skip_memory {
            self.look_again();
        }
        let mut first_wait = None;
        loop {
            let nexts = self.obtain().await;
            let (load, held) = sorted(nexts);
            self.load(&load).await;
            if held.is_empty() {
                break;
            }
            // Only after everything that we lead is loaded: two batches that waited for each
            // other's keys would both wait in vain.
            let deadline = *first_wait.get_or_insert_with(|| self.wait_deadline());
            self.wait_for(held, deadline).await;
        }
        let landings =
            self.legs.into_iter().map(|leg| leg.landing.unwrap_or(Landing::StartOver)).collect();
        Ended { landings, loader: self.loader }
    }

    fn wait_deadline(&self) -> Moment {
        self.core.node.now().plus(self.core.node.limits.lease_wait_max)
    }

    /// Between the first look and the lead, another leader may have put the value into memory.
    /// What is found is judged as *not in memory*: it may leave while we look.
    fn look_again(&mut self) {
        let usable = self.usable();
        for leg in &mut self.legs {
            if leg.candidate.is_some() {
                continue;
            }
            let Look::Answer(answer) = self.core.look(&leg.sought, usable) else { continue };
            let view = self.core.view(&leg.sought);
            let verdict = view.judge_elsewhere(&answer.resident.meta, leg.sought.names(), leg.l0);
            if verdict == Verdict::Fresh {
                leg.land(&self.core, answer, None);
            }
        }
    }

    fn usable(&self) -> Usable {
        match self.route {
            Route::Whole => Usable::All,
            Route::Bypass { begun } => {
                Usable::OwnLoads { since: begun.minus(self.core.node.limits.staleness_max) }
            }
        }
    }

    /// Waits until the leases end that others hold; past the deadline their keys are loaded
    /// without one.
    async fn wait_for(&mut self, held: Vec<(usize, Held)>, deadline: Moment) {
        let node = Arc::clone(&self.core.node);
        wait::all(held.iter().map(|(_, held)| held.ended(&node, deadline))).await;
        if node.now() >= deadline {
            let late: Vec<usize> = held.iter().map(|(index, _)| *index).collect();
            self.load(&late).await;
        }
    }
}

type Indexed<T> = Vec<(usize, T)>;

fn sorted(nexts: Indexed<Next>) -> (Vec<usize>, Indexed<Held>) {
    let (mut load, mut held) = (Vec::new(), Vec::new());
    for (index, next) in nexts {
        match next {
            Next::Landed => {}
            Next::Load => load.push(index),
            Next::Wait(waiting) => held.push((index, waiting)),
        }
    }
    (load, held)
}
