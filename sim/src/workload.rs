//! What callers do: reads of every consistency, commits with their invalidations, stores, and
//! callers that give up midway. Each call compares what it was answered with what it was promised.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use larder::record::Mode;
use parking_lot::Mutex;

use crate::check::{Consistency, Promise};
use crate::dice::Dice;
use crate::exec::{Nanos, millis};
use crate::nodes::{Outcome, ReadFailure, Subject, Wish};
use crate::trace::Event;
use crate::weather::Weather;
use crate::world::World;
use crate::world::names::{KEYS, NOBODY, Named, OWNERS, Row, Versions};
use crate::world::source::{Commit, LoadHabits, Loader};
use crate::world::writer::Writer;

/// Session tokens that callers remember.
const SESSIONS_MAX: usize = 5;
/// The longest that a caller waits who gives up.
const PATIENCE: Nanos = millis(400);
/// More writers than there ever are: who holds this many writes alone.
const EXCLUSIVE: usize = 1_000;

/// A token, and what it stands for.
#[derive(Clone)]
struct Session<P> {
    position: P,
    floor: Versions,
}

/// What all callers of one simulation share.
pub(crate) struct Callers<S: Subject> {
    pub(crate) world: Arc<World>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) dice: Dice,
    pub(crate) habits: Arc<LoadHabits>,
    sessions: Mutex<Vec<Session<S::Position>>>,
    running: AtomicUsize,
    writing: AtomicUsize,
}

/// One kind of call, drawn before it is known which node gets it.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    Read {
        key: usize,
        consistency: Consistency,
    },
    Invalidate {
        names: Vec<Named>,
        mode: Mode,
        new_owner: Option<usize>,
    },
    Set {
        key: usize,
    },
    WriteThrough {
        key: usize,
        beside: Vec<Named>,
        new_owner: Option<usize>,
        creates: bool,
    },
    /// A row of the outbox is sent once more.
    Relay {
        commit: Commit,
    },
}

impl<S: Subject> Callers<S> {
    pub(crate) fn new(
        world: Arc<World>,
        weather: Arc<Weather>,
        dice: Dice,
        habits: Arc<LoadHabits>,
    ) -> Arc<Self> {
        Arc::new(Callers {
            world,
            weather,
            dice,
            habits,
            sessions: Mutex::default(),
            running: AtomicUsize::new(0),
            writing: AtomicUsize::new(0),
        })
    }

    /// Calls that have not ended.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// What a caller does next.
    pub(crate) fn plan(&self) -> Plan {
        let key = self.dice.index(KEYS);
        if !self.dice.chance(self.weather.writes) {
            let consistency = match self.dice.below(20) {
                0..=3 => Consistency::AtLeast,
                4..=5 => Consistency::Latest,
                6 => Consistency::Eventual,
                _ => Consistency::Bounded,
            };
            return Plan::Read { key, consistency };
        }
        match self.dice.below(20) {
            0..=3 => Plan::Set { key },
            4..=7 => self.plan_write_through(key),
            _ => self.plan_invalidation(key),
        }
    }

    fn plan_write_through(&self, key: usize) -> Plan {
        let mut beside = Vec::new();
        if self.dice.chance(150) {
            beside.push(Named::Key((key + 1) % KEYS));
        }
        if self.dice.chance(100) {
            beside.push(Named::Owner(self.dice.index(OWNERS)));
        }
        if self.dice.chance(50) {
            beside.push(Named::Pattern);
        }
        let new_owner = self.dice.chance(400).then(|| self.dice.index(OWNERS));
        Plan::WriteThrough { key, beside, new_owner, creates: self.dice.chance(400) }
    }

    fn plan_invalidation(&self, key: usize) -> Plan {
        let owner = Named::Owner(self.dice.index(OWNERS));
        let mode = if self.dice.chance(250) { Mode::Soft } else { Mode::Hard };
        let named = match self.dice.below(20) {
            0..=9 => Named::Key(key),
            10..=13 => owner,
            14..=15 => Named::Pattern,
            16..=17 => Named::Prefix,
            18 => Named::Cache,
            _ => Named::Root,
        };
        let mut names = vec![named];
        // Several names in one call: another row, a tag.
        if named.as_key().is_some() && self.dice.chance(350) {
            names.push(owner);
        }
        if named.as_key().is_some() && self.dice.chance(150) {
            names.push(Named::Key((key + 1) % KEYS));
        }
        let moves = mode == Mode::Hard && self.dice.chance(400);
        Plan::Invalidate { names, mode, new_owner: moves.then(|| self.dice.index(OWNERS)) }
    }

    /// Carries `plan` out on `node`, from its first poll on.
    pub(crate) async fn call(self: Arc<Self>, node: usize, subject: Arc<S>, plan: Plan) {
        let _running = Counted::by(&self.running, 1);
        match plan {
            Plan::Read { key, consistency } => self.read(node, subject, key, consistency).await,
            Plan::Invalidate { names, mode, new_owner } => {
                // Beside a store nobody else may write, see `set`.
                if self.writing() < EXCLUSIVE {
                    let _writing = Counted::by(&self.writing, 1);
                    let commit = self.world.commit(&names, mode, new_owner);
                    self.invalidate(node, subject, commit).await;
                }
            }
            Plan::Set { key } => {
                if self.writing() == 0 {
                    self.set(node, subject, key).await;
                }
            }
            Plan::WriteThrough { key, beside, new_owner, creates } => {
                if self.writing() < EXCLUSIVE {
                    let _writing = Counted::by(&self.writing, 1);
                    let (world, habits) = (Arc::clone(&self.world), Arc::clone(&self.habits));
                    let commit = Arc::default();
                    let writer =
                        Writer { world, habits, node, key, beside, new_owner, creates, commit };
                    self.write_through(node, subject, writer).await;
                }
            }
            Plan::Relay { commit } => self.invalidate(node, subject, commit).await,
        }
    }

    fn writing(&self) -> usize {
        self.writing.load(Ordering::Relaxed)
    }

    async fn read(&self, node: usize, subject: Arc<S>, key: usize, consistency: Consistency) {
        let session = self.remembered(consistency);
        let (wish, consistency) = match (consistency, &session) {
            (Consistency::Eventual, _) => (Wish::Eventual, Consistency::Eventual),
            (Consistency::Latest, _) => (Wish::Latest, Consistency::Latest),
            (Consistency::AtLeast, Some(session)) => {
                (Wish::AtLeast(session.position.clone()), Consistency::AtLeast)
            }
            (Consistency::AtLeast, None) | (Consistency::Bounded, _) => {
                (Wish::Bounded, Consistency::Bounded)
            }
        };
        let floors =
            self.world.floors(node, consistency, session.as_ref().map(|session| &session.floor));
        self.world.note(Event::new("read begins", consistency as u64).on_node(node).of_key(key));
        let waiting = self.world.begin_read(node, key);
        let (world, habits) = (Arc::clone(&self.world), Arc::clone(&self.habits));
        let loader = Loader { world, habits, node, key };
        match self.patiently(subject.read(key, wish, loader)).await {
            Some(Ok(answer)) => {
                waiting.answered(answer.mark);
                self.world.answered(node, key, &floors, &answer);
            }
            Some(Err(ReadFailure::Source)) => self.world.count("reads failed by the source"),
            Some(Err(ReadFailure::Cache(reason))) => {
                self.world.broken(
                    Promise::FailedRead,
                    key,
                    format!("node {node} failed a read: {reason}"),
                );
            }
            None => self.world.count("callers that gave up"),
        }
    }

    async fn invalidate(&self, node: usize, subject: Arc<S>, commit: Commit) {
        let names = commit.names.iter().map(|(named, _)| *named).collect();
        let outcome = self.patiently(subject.invalidate(names, commit.mode)).await;
        self.settle(node, outcome, &commit);
    }

    /// A store is ordered by nothing but its lease, so nobody may write between the commit and its
    /// end: that would be the caller's mistake.
    async fn set(&self, node: usize, subject: Arc<S>, key: usize) {
        let _writing = Counted::by(&self.writing, EXCLUSIVE);
        let commit = self.world.commit(&[Named::Key(key)], Mode::Hard, None);
        let outcome = match self.world.row(key) {
            Some(row) => self.patiently(subject.set(Row { owner: NOBODY, ..row })).await,
            None => self.patiently(subject.invalidate(vec![Named::Key(key)], Mode::Hard)).await,
        };
        self.settle(node, outcome, &commit);
    }

    async fn write_through(&self, node: usize, subject: Arc<S>, writer: Writer) {
        let (creates, commit) = (writer.creates, Arc::clone(&writer.commit));
        let written = self.patiently(subject.write_through(writer)).await;
        // Rolled back, or given up before it committed. Of the second the node cannot know: it invalidates.
        let Some(commit) = commit.get() else {
            if written.is_none() {
                self.world.disturbed();
            }
            return;
        };
        match written {
            None => self.settle(node, None, commit),
            // Without a row nobody has told the key: the outbox has it.
            Some(Err(_)) if creates => {}
            Some(Ok(_)) if creates && !commit.left_a_row() => {}
            Some(Ok(outcome)) => self.settle(node, Some(outcome), commit),
            Some(Err(_)) => self.settle(node, Some(Outcome::Local), commit),
        }
    }

    fn settle(&self, node: usize, outcome: Option<Outcome<S::Position>>, commit: &Commit) {
        // A caller that gave up was promised nothing.
        let Some(outcome) = outcome else { return self.world.count("writers that gave up") };
        self.world.invalidate_returned(node, commit);
        match outcome {
            Outcome::Shared(position) => {
                self.world.count("invalidations shared");
                self.world.shared(commit);
                if self.dice.chance(900) {
                    self.world.outbox_done(commit);
                }
                self.remember(position, commit);
            }
            Outcome::Local => self.world.count("invalidations local"),
        }
    }
    fn remember(&self, position: S::Position, commit: &Commit) {
        let mut floor = Versions::default();
        for (named, version) in &commit.names {
            floor.raise(*named, commit.mode, *version);
        }
        let mut session = Session { position, floor };
        let mut sessions = self.sessions.lock();
        if let Some(last) = sessions.last().filter(|_| self.dice.chance(300)) {
            session.position = S::merged(&last.position, &session.position);
            session.floor.merge(&last.floor);
        }
        sessions.push(session);
        if sessions.len() > SESSIONS_MAX {
            sessions.remove(0);
        }
    }

    fn remembered(&self, consistency: Consistency) -> Option<Session<S::Position>> {
        let sessions = self.sessions.lock();
        let any = consistency == Consistency::AtLeast && !sessions.is_empty();
        any.then(|| sessions[self.dice.index(sessions.len())].clone())
    }

    /// Waits for `call`, or gives it up: then the future is dropped midway.
    async fn patiently<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        if !self.dice.chance(self.weather.cancelled) {
            return Some(call.await);
        }
        let executor = &self.world.executor;
        let mut patience = pin!(executor.timer(executor.now() + self.dice.below(PATIENCE)));
        let mut call = pin!(call);
        poll_fn(|context| match call.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => patience.as_mut().poll(context).map(|()| None),
        })
        .await
    }
}

/// Counts for as long as it lives, also when the call is dropped midway.
struct Counted<'a> {
    counter: &'a AtomicUsize,
    weight: usize,
}

impl<'a> Counted<'a> {
    fn by(counter: &'a AtomicUsize, weight: usize) -> Self {
        counter.fetch_add(weight, Ordering::Relaxed);
        Counted { counter, weight }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.counter.fetch_sub(self.weight, Ordering::Relaxed);
    }
}
