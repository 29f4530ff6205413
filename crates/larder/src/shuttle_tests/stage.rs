//! A node whose clock stands still and whose background work runs when a history asks for it, and
//! a source whose every value tells its version.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool as Flag, AtomicU64 as Count, Ordering as Order};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shuttle::future::{JoinHandle, block_on};

use super::primary::Primary;
use crate::cache::core::{Making, Sought};
use crate::clock::{BoxFuture, Clock, Moment};
use crate::conformance::manual::SeededRandom;
use crate::memory::resident::{Held, Resident};
use crate::memory::verdict::Verdict;
use crate::policy::Lifetime;
use crate::random::Random;
use crate::record::Tag;
use crate::shard::Shard;
use crate::sync::{AtomicU64, Ordering};
use crate::tasks::Tasks;
use crate::{Cache, Error, Invalidation, Larder, Loaded, Lookup, Pattern};

/// The one key of every history.
pub(super) const KEY: u64 = 7;

/// The tag that every value of the source carries.
const TAG: &str = "source";

/// Kept fresh for this long; the clock stands still unless it is moved.
pub(super) const FRESH: Duration = Duration::from_secs(10);

/// A clock without a lock: readings are no part of the orders that are explored.
#[derive(Default)]
pub(super) struct StillClock(Count);

impl StillClock {
    pub(super) fn pass(&self, span: Duration) {
        self.0.fetch_add(span.as_nanos() as u64, Order::Relaxed);
    }
}

impl Clock for StillClock {
    fn coarse(&self) -> Moment {
        // An hour after the start, so that moments before now exist.
        Moment::from_nanos(self.0.load(Order::Relaxed)).plus(Duration::from_secs(3_600))
    }

    fn precise(&self) -> Moment {
        self.coarse()
    }

    fn with_suspend(&self) -> Moment {
        self.coarse()
    }

    fn sleep_until(&self, deadline: Moment) -> BoxFuture<'static, ()> {
        match self.coarse() >= deadline {
            true => Box::pin(std::future::ready(())),
            false => Box::pin(std::future::pending()),
        }
    }
}

/// Holds back the node's endless tasks, which would only lengthen every schedule, and runs what
/// comes after them.
#[derive(Default)]
pub(super) struct Desk {
    open: Flag,
    held: Mutex<Vec<BoxFuture<'static, ()>>>,
    running: Mutex<Vec<JoinHandle<()>>>,
}

impl Desk {
    /// Runs the first task that was held back, and from now on every new one.
    fn open(&self, first: FirstTask) {
        self.open.store(true, Order::Relaxed);
        if first == FirstTask::Follow {
            let follow = own(&self.held).remove(0);
            self.spawn(follow);
        }
    }

    /// Waits until everything has ended that was run.
    fn cleared(&self) {
        loop {
            let running = own(&self.running).pop();
            match running {
                Some(task) => drop(block_on(task)),
                None => return,
            }
        }
    }
}

/// What a node of this kind begins its background work with.
#[derive(PartialEq, Eq)]
enum FirstTask {
    /// It follows the log of its shard.
    Follow,
    /// It has no log to follow.
    Timer,
}

impl Tasks for Desk {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        if self.open.load(Order::Relaxed) {
            let task = shuttle::future::spawn(work);
            own(&self.running).push(task);
        } else {
            own(&self.held).push(work);
        }
    }
}

/// Locked for one line at a time, in which no thread of the model is switched.
fn own<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where values come from. Version n is written before the invalidation that tells of it.
pub(super) struct Source {
    version: AtomicU64,
    /// The version whose invalidation has returned: nobody who asks after that may get less.
    told: Count,
    pub(super) loads: Count,
}

/// A node, its one cache, and the source behind it.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) larder: Larder,
    pub(super) cache: Cache<u64, u64>,
    pub(super) source: Arc<Source>,
    pub(super) clock: Arc<StillClock>,
    desk: Arc<Desk>,
}

/// How a history names what it invalidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Key,
    Tag,
    Pattern,
}

/// Where a write through the cache learns which entry it writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Through {
    Key,
    Result,
}

impl By {
    pub(super) fn names(self) -> Invalidation {
        match self {
            By::Key => Invalidation::new().key("rooms", &KEY),
            By::Tag => Invalidation::new().tag(TAG),
            By::Pattern => Invalidation::new().pattern(Pattern::glob("rooms:*").expect("a pattern")),
        }
    }
}

impl Stage {
    /// A node whose log is in this process.
    pub(super) fn embedded() -> Self {
        Stage::new(Vec::new(), FirstTask::Timer)
    }

    /// A node that follows the log of `primary`, and has confirmed it.
    pub(super) fn following(primary: &Arc<Primary>) -> Self {
        let stage = Stage::new(vec![Arc::clone(primary) as Arc<dyn Shard>], FirstTask::Follow);
        stage.caught_up();
        stage
    }

    fn new(shards: Vec<Arc<dyn Shard>>, first: FirstTask) -> Self {
        let (clock, desk) = (Arc::new(StillClock::default()), Arc::new(Desk::default()));
        let larder = Larder::builder("test")
            .shards(shards)
            .clock(Arc::clone(&clock) as Arc<dyn Clock>)
            .random(Arc::new(SeededRandom::new(1)) as Arc<dyn Random>)
            .tasks(Arc::clone(&desk) as Arc<dyn Tasks>)
            .tag_slots(256)
            .bytes_max(1 << 16)
            .entries_max(8)
            .build()
            .expect("a node");
        let cache = larder
            .cache("rooms")
            .fresh_for(FRESH)
            .jitter(0.0)
            .fail_safe_for(FRESH * 100)
            .fail_safe_throttle(Duration::ZERO)
            .build()
            .expect("a cache");
        desk.open(first);
        let source = Source { version: AtomicU64::new(1), told: Count::new(0), loads: Count::new(0) };
        Stage { larder, cache, source: Arc::new(source), clock, desk }
    }

    /// Ends the node's tasks: whoever is still under way at the end of a schedule is dropped there.
    pub(super) fn end(&self) {
        self.cache.core.node.close();
        self.desk.cleared();
    }

    /// Tails once, from now.
    pub(super) fn caught_up(&self) {
        // As the watch for suspends does at each poll.
        self.cache.core.node.measure_suspend();
        let tailing = &self.cache.core.node.views[0].tailing;
        let asked = tailing.request();
        block_on(tailing.ended(asked));
    }

    /// Sends what is pending once more, as each poll does.
    pub(super) fn resend(&self) {
        block_on(self.cache.core.node.flush());
    }

    /// Reads through the cache. The answer is never older than what had been told before.
    pub(super) fn read(&self) -> Lookup<u64> {
        let told = self.source.told.load(Order::Relaxed);
        let source = Arc::clone(&self.source);
        let load = |_| async move {
            let version = source.version.load(Ordering::SeqCst);
            source.loads.fetch_add(1, Order::Relaxed);
            Ok::<_, io::Error>(Loaded::value(version).tag(TAG))
        };
        let answer = block_on(self.cache.get_or_load(&KEY, load)).expect("the source answers");
        promise_not_older(&answer, told);
        answer
    }

    /// Reads while the source is down.
    pub(super) fn read_without_source(&self) -> Result<u64, Error> {
        let load = |_| async { Err::<u64, _>(io::Error::other("down")) };
        block_on(self.cache.get_or_load(&KEY, load)).map(|hit| *hit)
    }

    /// Looks into memory only. What is there is never older than what had been told before.
    pub(super) fn peek(&self) -> Option<Lookup<u64>> {
        let told = self.source.told.load(Order::Relaxed);
        let found = self.cache.peek(&KEY);
        if let Some(found) = &found {
            promise_not_older(found, told);
        }
        found
    }

    /// Writes a new version, and invalidates the older ones.
    pub(super) fn write(&self, by: By) {
        let version = self.source.version.fetch_add(1, Ordering::SeqCst) + 1;
        let invalidated = block_on(self.larder.invalidate(by.names()));
        drop(invalidated);
        self.source.told.fetch_max(version, Order::Relaxed);
    }

    /// Writes a new version through the cache.
    pub(super) fn write_through(&self, through: Through) {
        let source = Arc::clone(&self.source);
        let write = || async move {
            let version = source.version.fetch_add(1, Ordering::SeqCst) + 1;
            Ok::<_, io::Error>(Loaded::value(version).tag(TAG))
        };
        let written = match through {
            Through::Key => block_on(self.cache.write_through(&KEY, write).run()),
            Through::Result => block_on(self.cache.create_through(write, |_| KEY).run()),
        };
        let version = *written.expect("the source answers").answer.value().expect("a version");
        self.source.told.fetch_max(version, Order::Relaxed);
    }

    pub(super) fn sought(&self) -> Sought {
        self.cache.core.sought(&KEY)
    }

    /// An entry as a load makes it that begins now.
    pub(super) fn loaded_now(&self, value: u64) -> Arc<Resident<u64>> {
        let (core, sought) = (&self.cache.core, self.sought());
        let l0 = core.node.sequence();
        let place = core.view(&sought).place();
        self.loaded(value, l0, place.applied)
    }

    /// An entry of a load that began at this local sequence and this position.
    pub(super) fn loaded(&self, value: u64, l0: u64, as_of: u64) -> Arc<Resident<u64>> {
        let (core, sought) = (&self.cache.core, self.sought());
        let making = Making {
            l0,
            place: core.view(&sought).place(),
            as_of,
            key_as_of: as_of,
            lifetime: Lifetime { fresh_for: FRESH, kept_for: FRESH, ends_after: None },
            loaded_at: core.node.now(),
            load_cost: Duration::ZERO,
            own_load: true,
            soft: false,
            tags: Box::from([Tag::from(TAG).hash()]),
        };
        core.make(&sought, making, Held::Own(value))
    }

    /// Puts an entry into memory, as the end of its load does.
    pub(super) fn put(&self, entry: &Arc<Resident<u64>>) {
        let (core, sought) = (&self.cache.core, self.sought());
        let stored = Arc::clone(entry) as Arc<dyn crate::memory::resident::Stored>;
        core.node.put(&stored, sought.memory_key.clone(), core.spot(&sought), None);
    }

    /// Judges an entry that is not in memory.
    pub(super) fn judge(&self, entry: &Resident<u64>, l0: u64) -> Verdict {
        let (core, sought) = (&self.cache.core, self.sought());
        core.view(&sought).judge_elsewhere(&entry.meta, sought.names(), l0)
    }
}

/// Only soft invalidations leave an old value, and then it is marked.
fn promise_not_older(answer: &Lookup<u64>, told: u64) {
    let version = answer.value().copied().unwrap_or(0);
    promise!(version >= told, "version {version} after the invalidation for {told} returned");
}
