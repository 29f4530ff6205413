//! The world around the nodes: the source, what it was promised, and what happened. Everything
//! that the checker knows goes through here; nothing here looks into a node.

pub(crate) mod names;
pub(crate) mod source;
pub(crate) mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use larder::record::Mode;
use parking_lot::Mutex;

use crate::check::{Consistency, Floors, Loads, NodeTime, Promise, Promises, Violation};
use crate::clock::SimClock;
use crate::exec::{Executor, Nanos};
use crate::trace::{Event, Trace};
use crate::weather::NODES;
use names::{Mark, Named, Row, Versions};
use source::{Commit, Source};

/// How often something happened, by name. A counter that stays at zero over a run means that the
/// schedule did not reach what it should.
pub(crate) type Counters = BTreeMap<&'static str, u64>;

/// What an answer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The row, or that there is none.
    pub(crate) row: Option<Row>,
    pub(crate) mark: Mark,
    /// Where it came from, as the counter is called.
    pub(crate) origin: &'static str,
}

/// A row of the outbox: written with the commit, gone when it was shared.
#[derive(Debug, Clone)]
pub(crate) struct OutboxRow {
    pub(crate) commit: Commit,
}

#[derive(Default)]
struct State {
    source: Source,
    promises: Promises,
    loads: Loads,
    trace: Trace,
    counters: Counters,
    outbox: Vec<OutboxRow>,
    slept: [(Nanos, Nanos); NODES],
    calls: u64,
    violation: Option<Violation>,
}

/// A handle to the world of one simulation.
pub(crate) struct World {
    pub(crate) executor: Executor,
    clocks: Vec<SimClock>,
    /// In calm seeds, how long a node waits for a lease at the least.
    lease_wait: Option<Nanos>,
    state: Mutex<State>,
}

impl World {
    pub(crate) fn new(
        executor: Executor,
        clocks: Vec<SimClock>,
        lease_wait: Option<Nanos>,
    ) -> Arc<Self> {
        Arc::new(World { executor, clocks, lease_wait, state: Mutex::default() })
    }

    /// Writes `event` down.
    pub(crate) fn note(&self, event: Event) {
        let now = self.executor.now();
        self.state.lock().trace.note(now, event);
    }

    /// A number for the next call to a shard.
    pub(crate) fn next_call(&self) -> u64 {
        let mut state = self.state.lock();
        state.calls += 1;
        state.calls
    }

    /// One more of what is called `name`.
    pub(crate) fn count(&self, name: &'static str) {
        *self.state.lock().counters.entry(name).or_default() += 1;
    }

    /// Something happened that lets flights or leases go.
    pub(crate) fn disturbed(&self) {
        let now = self.executor.now();
        self.state.lock().loads.disturbed(now);
    }

    /// Where the clocks of each node stand.
    fn times(&self) -> [NodeTime; NODES] {
        let slept = self.state.lock().slept;
        std::array::from_fn(|node| NodeTime {
            awake: self.clocks[node].monotonic(),
            slept: slept[node].0,
            woke: slept[node].1,
        })
    }

    /// The machine of `node` wakes up now, after it slept for `span`.
    pub(crate) fn woke(&self, node: usize, span: Nanos) {
        self.clocks[node].suspend(span);
        let awake = self.clocks[node].monotonic();
        let slept = &mut self.state.lock().slept[node];
        *slept = (slept.0 + span, awake);
    }

    /// Changes the source, and writes the outbox row with it.
    pub(crate) fn commit(&self, names: &[Named], mode: Mode, new_owner: Option<usize>) -> Commit {
        let now = self.executor.now();
        let mut state = self.state.lock();
        let commit = state.source.commit(names, mode, new_owner);
        state.outbox.push(OutboxRow { commit: commit.clone() });
        state.loads.disturbed(now);
        for &(named, version) in &commit.names {
            let event = Event::new("source committed", u64::from(version));
            state.trace.note(now, named.as_key().map_or(event.clone(), |key| event.of_key(key)));
        }
        commit
    }

    /// What the source says of `key` now.
    pub(crate) fn row(&self, key: usize) -> Option<Row> {
        self.state.lock().source.row(key)
    }

    /// The source itself, as a floor: what nothing may be older than in the end.
    pub(crate) fn source_versions(&self) -> Versions {
        *self.state.lock().source.versions()
    }

    /// Everything acknowledged as shared, as a floor.
    pub(crate) fn all_shared(&self) -> Versions {
        *self.state.lock().promises.all_shared()
    }

    /// `invalidate` returned on `node`, whatever it said.
    pub(crate) fn invalidate_returned(&self, node: usize, commit: &Commit) {
        let now = self.executor.now();
        let mut state = self.state.lock();
        state.promises.returned(node, &commit.names, commit.mode);
        state.loads.disturbed(now);
    }

    /// An invalidation was acknowledged as shared; its outbox row goes.
    pub(crate) fn shared(&self, commit: &Commit) {
        let times = self.times();
        let now = self.executor.now();
        let mut state = self.state.lock();
        state.promises.shared(times, commit.names.clone(), commit.mode);
        state.loads.disturbed(now);
        state.trace.note(now, Event::new("invalidation shared", commit.id));
    }

    /// The outbox row of `commit` is done with.
    pub(crate) fn outbox_done(&self, commit: &Commit) {
        self.state.lock().outbox.retain(|row| row.commit.id != commit.id);
    }

    /// The rows that still wait for being shared.
    pub(crate) fn outbox(&self) -> Vec<OutboxRow> {
        self.state.lock().outbox.clone()
    }

    /// The memory of `node` is gone, and with it what it alone had promised.
    pub(crate) fn node_restarted(&self, node: usize) {
        self.state.lock().promises.node_restarted(node);
    }

    /// The floors of a read that begins on `node` now.
    pub(crate) fn floors(
        &self,
        node: usize,
        consistency: Consistency,
        session: Option<&Versions>,
    ) -> Floors {
        let now = self.times()[node];
        self.state.lock().promises.floors(node, now, consistency, session)
    }

    /// A read on `node` was answered; compares it with the floors it began with.
    pub(crate) fn answered(&self, node: usize, key: usize, floors: &Floors, answer: &Answer) {
        let now = self.executor.now();
        let mut state = self.state.lock();
        let digest = answer.row.map_or(u64::MAX, |row| row.digest());
        state.trace.note(now, Event::new(answer.origin, digest).on_node(node).of_key(key));
        *state.counters.entry("reads").or_default() += 1;
        *state.counters.entry(answer.origin).or_default() += 1;
        if answer.mark == Mark::Stale {
            *state.counters.entry("answers marked stale").or_default() += 1;
        }
        let broken = match &answer.row {
            Some(row) => floors.broken_by(row, answer.mark).map(|(promise, named)| {
                (promise, format!("has not seen {named:?}: {}", row.story()))
            }),
            None => floors
                .broken_by_absence(key, |since| state.source.existed_since(key, since))
                .map(|promise| (promise, "said to be absent".to_owned())),
        };
        if let Some((promise, story)) = broken {
            let origin = answer.origin;
            state.broken(
                promise,
                now,
                key,
                format!("node {node} answered from {origin} what {story}"),
            );
        }
    }

    /// A promise is broken. Only the first one counts: others may follow from it.
    pub(crate) fn broken(&self, promise: Promise, key: usize, story: String) {
        let now = self.executor.now();
        self.state.lock().broken(promise, now, key, story);
    }

    /// The first broken promise.
    pub(crate) fn violation(&self) -> Option<Violation> {
        self.state.lock().violation.clone()
    }

    /// A caller on `node` begins to wait for `key`.
    pub(crate) fn begin_read(self: &Arc<Self>, node: usize, key: usize) -> WaitingRead {
        let now = self.executor.now();
        let read = self.state.lock().loads.read_begins(node, key, now);
        WaitingRead { world: Arc::clone(self), read, mark: None }
    }

    /// A load of `key` begins on `node`. It ends when the answer is dropped.
    pub(crate) fn begin_load(self: &Arc<Self>, node: usize, key: usize) -> RunningLoad {
        let now = self.executor.now();
        let mut state = self.state.lock();
        let (load, broken) = state.loads.begin(node, key, now, self.lease_wait);
        state.trace.note(now, Event::new("load begins", load).on_node(node).of_key(key));
        *state.counters.entry("loads").or_default() += 1;
        if let Some(promise) = broken {
            state.broken(
                promise,
                now,
                key,
                format!("load {load} on node {node} began beside another one"),
            );
        }
        RunningLoad { world: Arc::clone(self), load }
    }

    /// What happened, for tables and replays. Leaves none of it here.
    pub(crate) fn take_history(&self) -> (Trace, Counters) {
        let mut state = self.state.lock();
        (std::mem::take(&mut state.trace), std::mem::take(&mut state.counters))
    }
}

impl State {
    fn broken(&mut self, promise: Promise, at: Nanos, key: usize, story: String) {
        self.trace.note(at, Event::new("PROMISE BROKEN", promise as u64).of_key(key));
        self.violation.get_or_insert(Violation { promise, at, key, story });
    }
}

/// A caller that waits for an answer. Dropping it says that nobody waits any more.
pub(crate) struct WaitingRead {
    world: Arc<World>,
    read: u64,
    mark: Option<Mark>,
}

impl WaitingRead {
    /// The answer came under `mark`.
    pub(crate) fn answered(mut self, mark: Mark) {
        self.mark = Some(mark);
    }
}

impl Drop for WaitingRead {
    fn drop(&mut self) {
        self.world.state.lock().loads.read_ends(self.read, self.mark);
    }
}

/// Dropping it says that the load has ended.
pub(crate) struct RunningLoad {
    world: Arc<World>,
    load: u64,
}

impl Drop for RunningLoad {
    fn drop(&mut self) {
        self.world.state.lock().loads.end(self.load);
    }
}
