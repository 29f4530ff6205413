//! Drives one call: footing, memory, flight, and what its caller is willing to wait for.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::{Either, select};

use super::Demand;
use super::catch_up::{CatchUp, Footing};
use super::lead::{Ended, Landing, Leading, Leg, Watched};
use super::loader::Loader;
use super::look::{Candidate, Look, Usable};
use super::patience::{Passed, Patience};
use crate::Entry;
use crate::cache::core::{CacheCore, Sought};
use crate::clock::{BoxFuture, Moment};
use crate::error::Error;
use crate::event::Event;
use crate::flight::{Arrived, Flight, Joined, Lead, Route, Waiter, Wanted};
use crate::hit::{Answer, Origin};

/// How often a read starts over, because an answer was dead or of another epoch, before it goes
/// to the source alone.
pub(super) const ROUNDS: usize = 8;

/// One call in progress.
pub(super) struct Call<'c, V> {
    pub(super) core: &'c Arc<CacheCore<V>>,
    pub(super) demand: &'c Demand,
    /// The event of this call: loads that began after it are always good enough for it.
    called: u64,
    began: Moment,
}

/// What one round of a call came to.
enum Round<V> {
    Answer(Result<Answer<V>, Error>),
    /// Start over; the loader was not called, or may be called again.
    Again(Box<dyn Loader<V>>),
}

/// Answers one key.
pub(crate) async fn read<V: Entry>(
    core: &Arc<CacheCore<V>>,
    sought: Sought,
    demand: &Demand,
    loader: Box<dyn Loader<V>>,
) -> Result<Answer<V>, Error> {
    let call = Call::new(core, demand);
    let mut route = if demand.bypass { call.bypass() } else { Route::Whole };
    let answer = call.answer(&sought, loader, &mut route).await;
    call.count(answer.as_ref().ok(), route);
    answer
}

impl<'c, V: Entry> Call<'c, V> {
    pub(super) fn new(core: &'c Arc<CacheCore<V>>, demand: &'c Demand) -> Self {
        Call { core, demand, called: core.node.next_event(), began: core.node.now() }
    }

    fn bypass(&self) -> Route {
        Route::Bypass { begun: self.core.node.now() }
    }

    async fn answer(
        &self,
        sought: &Sought,
        mut loader: Box<dyn Loader<V>>,
        route: &mut Route,
    ) -> Result<Answer<V>, Error> {
        let (core, demand) = (self.core, self.demand);
        let mut catch_up = CatchUp::default();
        let rounds = if demand.bypass { 0 } else { ROUNDS };
        for _ in 0..rounds {
            let footing =
                core.node.footing(core.view(sought), &demand.consistency, &mut catch_up).await;
            *route = self.route(footing);
            match self.round(sought, footing, *route, loader, &mut catch_up).await {
                Round::Answer(answer) => return answer,
                Round::Again(unused) => loader = unused,
            }
        }
        self.alone(sought, &mut loader).await
    }

    async fn alone(
        &self,
        sought: &Sought,
        loader: &mut Box<dyn Loader<V>>,
    ) -> Result<Answer<V>, Error> {
        let answers = self.core.load_alone(&[sought], loader).await?;
        answers.into_iter().next().ok_or(Error::Absent)
    }

    async fn round(
        &self,
        sought: &Sought,
        footing: Footing,
        route: Route,
        mut loader: Box<dyn Loader<V>>,
        catch_up: &mut CatchUp,
    ) -> Round<V> {
        let candidate = match self.look(sought, footing) {
            Look::Answer(answer) => return Round::Answer(Ok(answer)),
            Look::Refresh(answer, candidate) => {
                self.refresh(sought, candidate, loader, route);
                return Round::Answer(Ok(answer));
            }
            Look::Fallback(candidate) => Some(candidate),
            Look::Nothing => None,
        };
        if footing == Footing::Alone {
            return Round::Answer(self.alone(sought, &mut loader).await);
        }
        if let Some(held_off) = self.held_off(sought, candidate.as_ref()) {
            return Round::Answer(held_off);
        }
        if route != Route::Whole {
            self.core.node.emit(Event::Bypassed { cache: &self.core.name });
        }
        let lead = match self.join(sought, route) {
            Joined::Leads(lead) => lead,
            Joined::Waits(waiter) => match self.wait(waiter, sought, candidate.as_ref()).await {
                Waited::Landed(landing) => return self.arrive(landing, loader, catch_up),
                Waited::Answer(answer) => return Round::Answer(answer),
                Waited::Leads(lead) => lead,
            },
        };
        self.lead(sought, lead, candidate, loader, route, catch_up).await
    }

    pub(super) fn route(&self, footing: Footing) -> Route {
        match footing {
            Footing::Whole | Footing::Alone => Route::Whole,
            Footing::Partitioned | Footing::Bypass => self.bypass(),
        }
    }

    pub(super) fn look(&self, sought: &Sought, footing: Footing) -> Look<V> {
        // Who looks at the shared tier alone wants to know what is there.
        if !self.demand.keep_nothing
            && let Some(answer) = self.core.unflushed(sought)
        {
            return Look::Answer(answer);
        }
        if self.demand.skip_memory {
            return Look::Nothing;
        }
        let usable = match footing {
            Footing::Alone => return Look::Nothing,
            Footing::Whole | Footing::Partitioned => Usable::All,
            Footing::Bypass => Usable::OwnLoads { since: self.staleness_ago() },
        };
        match (footing, self.core.look(sought, usable)) {
            (Footing::Partitioned, Look::Answer(answer) | Look::Refresh(answer, _)) => {
                Look::Answer(answer.told_stale())
            }
            (_, look) => look,
        }
    }

    fn staleness_ago(&self) -> Moment {
        self.core.node.now().minus(self.core.node.limits.staleness_max)
    }

    /// Counts a read by how it ended: once, whatever it went through.
    pub(super) fn count(&self, answer: Option<&Answer<V>>, route: Route) {
        let counters = &self.core.counters;
        match answer.map(|answer| (answer.stale, answer.origin)) {
            Some((true, _)) => counters.stale_hit(),
            Some((false, Origin::Memory)) => counters.hit(),
            Some((false, Origin::Shared)) => counters.shared_hit(),
            Some((false, Origin::Loaded)) | None => match route {
                Route::Whole => counters.miss(),
                Route::Bypass { .. } => counters.bypassed(),
            },
        }
    }

    /// A source that failed a moment ago is left alone: its stale value or its error is answered.
    pub(super) fn held_off(
        &self,
        sought: &Sought,
        candidate: Option<&Candidate<V>>,
    ) -> Option<Result<Answer<V>, Error>> {
        let now = self.core.node.now();
        let held = self.core.holdoffs.of(&sought.memory_key, now)?;
        if now < held.throttled_until
            && let Some(answer) =
                candidate.and_then(|candidate| self.core.fall_back(sought, candidate))
        {
            self.core.counters.fail_safe();
            return Some(Ok(answer));
        }
        (now < held.error_until).then(|| Err(held.error))
    }

    pub(super) fn join(&self, sought: &Sought, route: Route) -> Joined<Landing<V>> {
        let wanted = Wanted {
            hash: sought.hash,
            key: &sought.memory_key,
            shard: sought.shard,
            route,
            joins_since: self.staleness_ago(),
        };
        self.core.node.flights.join(&wanted)
    }

    /// Loads again in the background, unless somebody does already or too many refreshes run.
    pub(super) fn refresh(
        &self,
        sought: &Sought,
        candidate: Candidate<V>,
        loader: Box<dyn Loader<V>>,
        route: Route,
    ) {
        let core = self.core;
        let held = core.holdoffs.of(&sought.memory_key, core.node.now());
        if held.is_some_and(|held| core.node.now() < held.throttled_until) {
            return;
        }
        let Ok(permit) = Arc::clone(&core.refreshes).try_acquire_owned() else { return };
        if let Joined::Leads(lead) = self.join(sought, route) {
            let leg = Leg::new(core, sought.clone(), lead, Some(candidate));
            let work = self.leading(vec![leg], loader, route).run();
            core.node.tasks.spawn(Box::pin(async move {
                work.await;
                drop(permit);
            }));
        }
    }

    pub(super) fn leading(
        &self,
        legs: Vec<Leg<V>>,
        loader: Box<dyn Loader<V>>,
        route: Route,
    ) -> Leading<V> {
        Leading { core: Arc::clone(self.core), legs, loader, demand: self.demand.clone(), route }
    }

    async fn lead(
        &self,
        sought: &Sought,
        lead: Lead<Landing<V>>,
        candidate: Option<Candidate<V>>,
        loader: Box<dyn Loader<V>>,
        route: Route,
        catch_up: &mut CatchUp,
    ) -> Round<V> {
        let leg = Leg::new(self.core, sought.clone(), lead, candidate.clone());
        let watched = leg.watched();
        let work = self.leading(vec![leg], loader, route).run();
        match self.attend(work, &watched, sought, candidate.as_ref()).await {
            Attended::Ended(mut ended) => match ended.landings.pop() {
                // Its load began after this call, whatever the verdict is by now.
                Some(Landing::Answered { answer, .. }) => Round::Answer(Ok(answer)),
                Some(Landing::Failed(error)) => Round::Answer(Err(error)),
                Some(Landing::StartOver) | None => {
                    catch_up.again();
                    Round::Again(ended.loader)
                }
            },
            Attended::Answer(answer) => Round::Answer(answer),
        }
    }

    /// Polls the work of a leader, until it ends or its caller need not wait any longer: then the
    /// work goes on in the background.
    pub(super) async fn attend(
        &self,
        mut work: BoxFuture<'static, Ended<V>>,
        watched: &Watched<V>,
        sought: &Sought,
        candidate: Option<&Candidate<V>>,
    ) -> Attended<V> {
        let mut patience = self.patience(candidate.is_some(), &watched.flight);
        loop {
            let waiting = poll_fn(|context| match work.as_mut().poll(context) {
                Poll::Ready(ended) => Poll::Ready(Ok(ended)),
                Poll::Pending => match watched.offer.get() {
                    Some(stale) => Poll::Ready(Err(Impatient::Offered(stale))),
                    None => patience.poll_unpin(context).map(|passed| Err(Impatient::Passed(passed))),
                },
            });
            let impatient = match waiting.await {
                Ok(ended) => return Attended::Ended(ended),
                Err(impatient) => impatient,
            };
            if let Some(answer) = self.settle_for(impatient, sought, candidate) {
                self.core.node.tasks.spawn(Box::pin(async move { drop(work.await) }));
                return Attended::Answer(answer);
            }
        }
    }

    fn patience(&self, can_fall_back: bool, flight: &Arc<Flight<Landing<V>>>) -> Patience<V> {
        let (policy, clock) = (&self.core.policy, &self.core.node.clock);
        let soft = policy.soft_timeout.filter(|_| can_fall_back).map(|soft| self.began.plus(soft));
        Patience::new(clock, soft, policy.hard_timeout, Arc::clone(flight))
    }

    /// What a caller who does not want to wait any longer gets.
    fn settle_for(
        &self,
        impatient: Impatient<V>,
        sought: &Sought,
        candidate: Option<&Candidate<V>>,
    ) -> Option<Result<Answer<V>, Error>> {
        match impatient {
            Impatient::Offered(stale) => Some(Ok(stale)),
            Impatient::Passed(Passed::Soft) => {
                let answer =
                    candidate.and_then(|candidate| self.core.fall_back(sought, candidate))?;
                Some(Ok(answer))
            }
            Impatient::Passed(Passed::Hard(after)) => {
                // Who comes later shall not wait for the same load.
                self.core.node.flights.detach(sought.hash, &sought.memory_key);
                Some(Err(Error::timed_out(after)))
            }
        }
    }

    /// Waits for somebody else's load.
    pub(super) async fn wait(
        &self,
        mut waiter: Waiter<Landing<V>>,
        sought: &Sought,
        candidate: Option<&Candidate<V>>,
    ) -> Waited<V> {
        let mut patience = self.patience(candidate.is_some(), waiter.flight());
        loop {
            let arrived = pin!(waiter.arrived());
            let passed = match select(arrived, &mut patience).await {
                Either::Left((Arrived::Result(landing), _)) => return Waited::Landed(landing),
                Either::Left((Arrived::Leads(lead), _)) => return Waited::Leads(lead),
                Either::Right((passed, _)) => passed,
            };
            if let Some(answer) = self.settle_for(Impatient::Passed(passed), sought, candidate) {
                return Waited::Answer(answer);
            }
        }
    }

    /// Whether a load began strictly after this call: its value is good enough, dead or not.
    pub(super) fn is_older_than(&self, load_began: Option<u64>) -> bool {
        load_began.is_some_and(|event| event > self.called)
    }

    /// What a waiter makes of the end of a flight.
    fn arrive(
        &self,
        landing: Landing<V>,
        loader: Box<dyn Loader<V>>,
        catch_up: &mut CatchUp,
    ) -> Round<V> {
        match landing {
            Landing::Answered { answer, dead, load_began } => {
                if dead && !self.is_older_than(load_began) {
                    return Round::Again(loader);
                }
                Round::Answer(Ok(answer))
            }
            Landing::Failed(error) => Round::Answer(Err(error)),
            Landing::StartOver => {
                catch_up.again();
                Round::Again(loader)
            }
        }
    }
}

/// Why a caller does not want to wait any longer.
pub(super) enum Impatient<V> {
    /// The shared tier had a stale value.
    Offered(Answer<V>),
    Passed(Passed),
}

pub(super) enum Attended<V> {
    Ended(Ended<V>),
    Answer(Result<Answer<V>, Error>),
}

pub(super) enum Waited<V> {
    Landed(Landing<V>),
    Answer(Result<Answer<V>, Error>),
    Leads(Lead<Landing<V>>),
}
