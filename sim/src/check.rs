//! The history checker: what answers must have seen, and who may load at the same time. It only
//! looks at what callers and the source saw, never inside a node.
//!
//! A *floor* is a set of versions that an answer must not be older than. Floors are noted when a
//! read begins; the answer is compared with them when it comes.

use std::fmt;

use larder::record::Mode;

use crate::exec::Nanos;
use crate::exec::millis;
use crate::weather::{NODES, POLL_INTERVAL_MS, STALENESS_MAX_MS};
use crate::world::names::{Mark, Named, Row, Versions};

/// Which promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    /// C1: a node never again serves what is older than its own invalidation.
    OwnNode,
    /// C2: `staleness_max` after an invalidation was shared, nobody serves what is older.
    Bound,
    /// C3: a session reads its own writes.
    Session,
    /// C3: `Latest` sees what was acknowledged before it began.
    Latest,
    /// C1: the shared tier holds nothing alive that is older than a shared invalidation.
    SharedTier,
    /// C4: one load a key at a time in a process.
    LoadPerProcess,
    /// C4: one load a key at a time in the fleet.
    LoadPerFleet,
    /// C5: the cache fails no read whose loader is healthy.
    FailedRead,
    /// After the last fault everything ends, and nothing old is left.
    Rest,
}

/// A broken promise.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) promise: Promise,
    pub(crate) at: Nanos,
    pub(crate) key: usize,
    pub(crate) story: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at_ms = self.at as f64 / 1e6;
        write!(f, "{:?} broken at {at_ms:.3} ms for key {}: {}", self.promise, self.key, self.story)
    }
}

/// What a read promised when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consistency {
    Eventual,
    Bounded,
    AtLeast,
    Latest,
}

/// The floors of one read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floors {
    own: Versions,
    bound: Versions,
    session: Versions,
    latest: Versions,
    rest: Versions,
}

impl Floors {
    /// When everything has settled, every answer is as new as the source.
    pub(crate) fn at_rest(source: Versions) -> Self {
        let none = Versions::default();
        Floors { own: none, bound: none, session: none, latest: none, rest: source }
    }

    fn all(&self) -> [(Promise, &Versions); 5] {
        [
            (Promise::OwnNode, &self.own),
            (Promise::Bound, &self.bound),
            (Promise::Session, &self.session),
            (Promise::Latest, &self.latest),
            (Promise::Rest, &self.rest),
        ]
    }

    /// The first promise that `row`, answered under `mark`, breaks, and by which name.
    pub(crate) fn broken_by(&self, row: &Row, mark: Mark) -> Option<(Promise, Named)> {
        self.all()
            .into_iter()
            .find_map(|(promise, floor)| row.misses(floor, mark).map(|named| (promise, named)))
    }

    /// The first promise that "there is no such row" breaks. `existed` tells whether the row was
    /// there at every version of its key from the given one on.
    pub(crate) fn broken_by_absence(
        &self,
        key: usize,
        existed: impl Fn(u32) -> bool,
    ) -> Option<Promise> {
        self.all()
            .into_iter()
            .find(|(_, floor)| existed(floor.of_key(key)))
            .map(|(promise, _)| promise)
    }
}

/// The clocks of a node, as the bound counts them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NodeTime {
    /// The monotonic clock, which stands still while the machine sleeps.
    pub(crate) awake: Nanos,
    /// When the machine last woke up, on the same clock.
    pub(crate) woke: Nanos,
    /// How long it slept until then, in all.
    pub(crate) slept: Nanos,
}

/// What was acknowledged, and when.
struct Acknowledged {
    times: [NodeTime; NODES],
    names: Vec<(Named, u32)>,
    mode: Mode,
}

/// Everything that the world was promised so far.
#[derive(Default)]
pub(crate) struct Promises {
    own: [Versions; NODES],
    bound: [Versions; NODES],
    /// How many acknowledgements each node's bound has taken in.
    taken: [usize; NODES],
    acknowledged: Vec<Acknowledged>,
    all: Versions,
}

impl Promises {
    /// `invalidate` of these names returned on `node`, whatever it said.
    pub(crate) fn returned(&mut self, node: usize, names: &[(Named, u32)], mode: Mode) {
        for (named, version) in names {
            self.own[node].raise(*named, mode, *version);
        }
    }

    /// An invalidation of these names was acknowledged as shared, when the nodes' clocks stood at
    /// `times`.
    pub(crate) fn shared(&mut self, times: [NodeTime; NODES], names: Vec<(Named, u32)>, mode: Mode) {
        for (named, version) in &names {
            self.all.raise(*named, mode, *version);
        }
        self.acknowledged.push(Acknowledged { times, names, mode });
    }

    /// The node lost its memory and its promises with it.
    pub(crate) fn node_restarted(&mut self, node: usize) {
        self.own[node] = Versions::default();
    }

    /// All that was acknowledged as shared.
    pub(crate) fn all_shared(&self) -> &Versions {
        &self.all
    }

    /// The floors of a read that begins on `node` now.
    pub(crate) fn floors(
        &mut self,
        node: usize,
        now: NodeTime,
        consistency: Consistency,
        session: Option<&Versions>,
    ) -> Floors {
        self.age(node, now);
        let none = Versions::default();
        let bounded = consistency != Consistency::Eventual;
        Floors {
            own: self.own[node],
            bound: if bounded { self.bound[node] } else { none },
            session: session.copied().unwrap_or_default(),
            latest: if consistency == Consistency::Latest { self.all } else { none },
            rest: none,
        }
    }

    fn age(&mut self, node: usize, now: NodeTime) {
        while let Some(next) = self.acknowledged.get(self.taken[node]) {
            if !due(next.times[node], now) {
                return;
            }
            for (named, version) in &next.names {
                self.bound[node].raise(*named, next.mode, *version);
            }
            self.taken[node] += 1;
        }
    }
}

/// Whether an acknowledgement at `then` binds a node whose clocks stand at `now`. A node counts
/// on its monotonic clock; what it slept counts from the first poll after it woke.
fn due(then: NodeTime, now: NodeTime) -> bool {
    let awake = now.awake.saturating_sub(then.awake);
    let noticed = now.awake.saturating_sub(now.woke) > 2 * millis(POLL_INTERVAL_MS);
    let slept = if noticed { now.slept - then.slept } else { 0 };
    awake + slept > millis(STALENESS_MAX_MS)
}

/// A load that runs.
#[derive(Debug, Clone, Copy)]
struct Running {
    load: u64,
    node: usize,
    key: usize,
    began: Nanos,
    /// How often the world was disturbed when it began.
    disturbances: u64,
    /// Somebody had waited so long that it may run without a lease, and so keeps nobody away.
    impatient: bool,
}

/// A read that runs, or the refresh that a stale answer left behind.
#[derive(Debug, Clone, Copy)]
struct Asking {
    read: u64,
    node: usize,
    key: usize,
    began: Nanos,
    /// When it was answered from stale memory; its refresh may still wait for a lease.
    answered_stale: bool,
}

/// Who loads what at the moment.
///
/// Two loads of one key may overlap when something let the first go: an invalidation detaches its
/// flight, a resync or a deadline that ran out as well. So an overlap counts only if nothing of
/// that kind happened anywhere since shortly before the first load began. In the fleet it counts only
/// in calm seeds, and only if nobody behind either load can have waited for a lease so long that it
/// may load without one.
#[derive(Default)]
pub(crate) struct Loads {
    running: Vec<Running>,
    asking: Vec<Asking>,
    disturbances: u64,
    disturbed_at: Nanos,
    serial: u64,
}

/// After a disturbance its effects may still be on their way for this long.
const SETTLING: Nanos = millis(4_000);
/// The longest that a refresh goes on after the stale answer that began it.
const REFRESH_MAX: Nanos = millis(60_000);

impl Loads {
    /// Something happened that lets flights or leases go.
    pub(crate) fn disturbed(&mut self, now: Nanos) {
        self.disturbances += 1;
        self.disturbed_at = now;
    }

    /// A caller on `node` begins to wait for `key`; the answer names the read.
    pub(crate) fn read_begins(&mut self, node: usize, key: usize, now: Nanos) -> u64 {
        self.serial += 1;
        // A refresh ends with the lease that it may wait for, so its traces do not pile up.
        self.asking.retain(|asking| !asking.answered_stale || now - asking.began < REFRESH_MAX);
        let read = self.serial;
        self.asking.push(Asking { read, node, key, began: now, answered_stale: false });
        read
    }

    /// A read ended under `mark`, or was dropped.
    pub(crate) fn read_ends(&mut self, read: u64, mark: Option<Mark>) {
        if mark == Some(Mark::Stale) {
            let asking = self.asking.iter_mut().filter(|asking| asking.read == read);
            asking.for_each(|asking| asking.answered_stale = true);
        } else {
            self.asking.retain(|asking| asking.read != read);
        }
    }

    /// A load begins; the answer names it, and says which promise it breaks. `lease_wait` is how long
    /// a node waits for a lease at the least; `None`: leases may be lost in this seed.
    pub(crate) fn begin(
        &mut self,
        node: usize,
        key: usize,
        now: Nanos,
        lease_wait: Option<Nanos>,
    ) -> (u64, Option<Promise>) {
        let settled = |running: &Running| {
            running.disturbances == self.disturbances
                && (self.disturbances == 0 || running.began > self.disturbed_at + SETTLING)
        };
        let rivals = || self.running.iter().filter(|running| running.key == key && settled(running));
        let process = rivals().any(|running| running.node == node).then_some(Promise::LoadPerProcess);
        let mut here = self.asking.iter().filter(|asking| (asking.node, asking.key) == (node, key));
        let impatient = lease_wait.is_some_and(|wait| here.any(|asking| now - asking.began >= wait));
        let leased = rivals().any(|running| !running.impatient);
        let fleet = (lease_wait.is_some() && !impatient && leased).then_some(Promise::LoadPerFleet);
        self.serial += 1;
        let (load, disturbances) = (self.serial, self.disturbances);
        self.running.push(Running { load, node, key, began: now, disturbances, impatient });
        (load, process.or(fleet))
    }

    /// A load ended or was dropped.
    pub(crate) fn end(&mut self, load: u64) {
        self.running.retain(|running| running.load != load);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(awake_ms: u64) -> NodeTime {
        NodeTime { awake: millis(awake_ms), ..NodeTime::default() }
    }

    fn old_row() -> Row {
        Row { key: 0, owner: 0, seen: Versions::default() }
    }

    #[test]
    fn own_node_binds_at_once_others_after_the_bound_and_latest_from_the_acknowledgement() {
        let mut promises = Promises::default();
        let names = vec![(Named::Key(0), 1)];
        promises.returned(0, &names, Mode::Hard);
        promises.shared([at(100); NODES], names, Mode::Hard);
        let mut broken = |node, now, consistency| {
            let floors = promises.floors(node, at(now), consistency, None);
            floors.broken_by(&old_row(), Mark::Stale).map(|(promise, _)| promise)
        };
        assert_eq!(broken(0, 101, Consistency::Eventual), Some(Promise::OwnNode));
        assert_eq!(broken(1, 101, Consistency::Bounded), None);
        assert_eq!(broken(1, 101, Consistency::Latest), Some(Promise::Latest));
        assert_eq!(broken(1, 1_101, Consistency::Bounded), Some(Promise::Bound));
        assert_eq!(broken(1, 1_101, Consistency::Eventual), None);
    }

    #[test]
    fn sleep_counts_towards_the_bound_once_a_poll_could_notice_it() {
        let then = at(100);
        let woke =
            |awake_ms| NodeTime { awake: millis(awake_ms), woke: millis(110), slept: millis(5_000) };
        assert!(!due(then, woke(200)));
        assert!(due(then, woke(700)));
    }

    #[test]
    fn an_overlap_of_loads_counts_unless_something_let_the_first_go() {
        let mut loads = Loads::default();
        let (first, broken) = loads.begin(0, 2, millis(10), None);
        assert_eq!(broken, None);
        assert_eq!(loads.begin(0, 3, millis(11), None).1, None, "another key");
        assert_eq!(loads.begin(1, 2, millis(11), None).1, None, "another process, not calm");
        assert_eq!(loads.begin(0, 2, millis(12), None).1, Some(Promise::LoadPerProcess));
        assert_eq!(loads.begin(2, 2, millis(12), Some(millis(900))).1, Some(Promise::LoadPerFleet));
        let read = loads.read_begins(1, 2, millis(12));
        assert_eq!(
            loads.begin(1, 2, millis(950), Some(millis(900))).1,
            Some(Promise::LoadPerProcess)
        );
        assert_eq!(loads.begin(1, 2, millis(950), None).1, Some(Promise::LoadPerProcess));
        loads.read_ends(read, None);
        loads.disturbed(millis(13));
        assert_eq!(loads.begin(0, 2, millis(14), None).1, None, "excused");
        loads.end(first);
    }
}
