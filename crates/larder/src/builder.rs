//! How a node is set up: limits, memory, shards and what is injected; every mistake at once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::cache::builder::BYTES_MIN;
use crate::clock::{Clock, NodeClock, SystemClock};
use crate::error::{BuildError, Mistake};
use crate::event::Observer;
use crate::handle::Larder;
use crate::memory::Bounds;
use crate::node::{COARSE_LAG_MAX, Limits, Node, Surroundings, Tier};
use crate::random::{Random, SystemRandom};
use crate::shard::Shard;
use crate::shard::embedded::{EMBEDDED_LOG_RECORDS_MAX, Embedded, EmbeddedOptions, LEASE_TTL_MAX};
use crate::shard::parameters::TAG_SLOTS_MAX;
use crate::shard::table::TAG_SLOTS_MIN;
use crate::tasks::{Tasks, TokioTasks};

/// The most shards of a namespace.
const SHARDS_MAX: usize = 256;

/// The longest `ttl_max`: an entry counts its age in 32 bits of milliseconds.
const TTL_MAX_MAX: Duration = Duration::from_secs(49 * 24 * 3600);

/// Sets up a node, see [`Larder::builder`].
#[must_use = "a node does not exist until `build`"]
pub struct LarderBuilder {
    namespace: Box<str>,
    limits: Limits,
    bounds: Bounds,
    log_records_max: usize,
    shards: Vec<Arc<dyn Shard>>,
    clock: Option<Arc<dyn Clock>>,
    random: Arc<dyn Random>,
    tasks: Option<Arc<dyn Tasks>>,
    observer: Option<Arc<dyn Observer>>,
}

impl fmt::Debug for LarderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LarderBuilder")
            .field("namespace", &self.namespace)
            .field("limits", &self.limits)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

impl Larder {
    /// Sets up a node of this namespace. Nodes of one namespace share their entries and their log.
    pub fn builder(namespace: &str) -> LarderBuilder {
        LarderBuilder::new(namespace)
    }

    /// A node with every default: embedded, 10,000 entries, 256 MiB.
    ///
    /// # Errors
    /// A namespace that is no name, or a call from outside a tokio runtime.
    pub fn new(namespace: &str) -> Result<Larder, BuildError> {
        Larder::builder(namespace).build()
    }
}

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        $($(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            self.limits.$name = $name;
            self
        })*
    };
}

impl LarderBuilder {
    pub(crate) fn new(namespace: &str) -> Self {
        LarderBuilder {
            namespace: namespace.into(),
            limits: Limits::default(),
            bounds: Bounds { bytes_max: 256 << 20, entries_max: 10_000 },
            log_records_max: 100_000,
            shards: Vec::new(),
            clock: None,
            random: Arc::new(SystemRandom),
            tasks: None,
            observer: None,
        }
    }

    /// The most bytes that entries in memory may weigh together. Default 256 MiB.
    pub fn bytes_max(mut self, bytes: u64) -> Self {
        self.bounds.bytes_max = bytes;
        self
    }

    /// The most entries in memory, at least 2. Default 10,000. A large map is split by hash into
    /// parts that fill unevenly: of 10,000 entries at least 98 % fit.
    pub fn entries_max(mut self, entries: u64) -> Self {
        self.bounds.entries_max = entries;
        self
    }

    limits! {
        /// How often each shard's log is asked for what is new. Default 250 ms.
        poll_interval: Duration;
        /// How far behind an invalidation by another node a bounded read may be: a node that has
        /// not confirmed the log for this long does not trust its memory. Default 1 s.
        staleness_max: Duration;
        /// How long a crashed loader keeps others from loading its key. Default 10 s.
        lease_ttl: Duration;
        /// How long a read waits for another node's load, before it loads for itself. Default 10 s.
        lease_wait_max: Duration;
        /// How long an invalidation waits for the log before it answers `Local`. Default 500 ms.
        append_timeout: Duration;
        /// How long one call to a shard may take. Default 500 ms.
        call_timeout: Duration;
        /// How many names may wait for one shard; more become one that names everything. Default
        /// 10,000.
        pending_max: usize;
        /// How many loads may run at a time, of all caches together. Default 256.
        loads_max: usize;
        /// When a load that goes on in the background is given up. Default 60 s.
        load_time_max: Duration;
        /// Slots of the tag table, a power of two; the same on every node. Default 65,536: with n
        /// distinct tags invalidated while an entry lives, each of its tags is hit by chance with
        /// (1 − e^(−n/slots))², 0.5 % at 5,000.
        tag_slots: usize;
        /// The longest any value is kept. Default 24 h.
        ttl_max: Duration;
        /// How many invalidations of this node its audit trail keeps, of at most 32 names each.
        /// Default 1,000; 0 keeps none.
        audited_max: usize;
        /// Whether bounded reads are served from memory, marked stale, while the log cannot be
        /// confirmed. Default false: they ask the source.
        serve_stale_when_partitioned: bool;
    }

    /// How many records the embedded log keeps, for audit and for other readers. Default 100,000.
    pub fn log_records_max(mut self, records: usize) -> Self {
        self.log_records_max = records;
        self
    }

    /// The shards that this node shares with others, in the order that all nodes agree on.
    /// Default: the embedded one, shared with nobody.
    pub fn shards(mut self, shards: Vec<Arc<dyn Shard>>) -> Self {
        self.shards = shards;
        self
    }

    /// The clock. Default: the operating system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The source of tokens, jitter and early refresh. Default: the operating system's.
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// Who runs background work. Default: the tokio runtime in which `build` is called.
    pub fn tasks(mut self, tasks: Arc<dyn Tasks>) -> Self {
        self.tasks = Some(tasks);
        self
    }

    /// Who is told what happens. Default: nobody.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The node.
    ///
    /// # Errors
    /// Every mistake at once: a field out of its range, or no runtime to run background work on.
    pub fn build(self) -> Result<Larder, BuildError> {
        let mut mistakes = self.mistakes();
        let tokio = Handle::try_current().ok().map(TokioTasks::new);
        let tasks =
            self.tasks.or_else(|| tokio.clone().map(|tasks| Arc::new(tasks) as Arc<dyn Tasks>));
        if tasks.is_none() {
            let problem = "is not set, and `build` was not called in a tokio runtime";
            mistakes.push(Mistake::new("tasks", problem));
        }
        // A shard is not asked for what was found wrong already: each mistake is told once.
        BuildError::unless_empty(mistakes)?;
        let mut mistakes = Vec::new();
        let tier = if self.shards.is_empty() {
            let options = EmbeddedOptions {
                tag_slots: self.limits.tag_slots,
                log_records_max: self.log_records_max,
                lease_ttl: self.limits.lease_ttl,
                clock: self.clock.clone().unwrap_or_else(|| Arc::new(SystemClock)),
                random: Arc::clone(&self.random),
            };
            match Embedded::new(options) {
                Ok(embedded) => Some(Tier::Embedded(Arc::new(embedded))),
                Err(invalid) => {
                    mistakes.push(Mistake::from(invalid));
                    None
                }
            }
        } else {
            Some(Tier::Shared(self.shards))
        };
        BuildError::unless_empty(mistakes)?;
        let (Some(tasks), Some(tier)) = (tasks, tier) else {
            unreachable!("what is missing was reported as a mistake")
        };
        let with = Surroundings {
            clock: NodeClock::from(self.clock),
            random: self.random,
            tasks,
            observer: self.observer,
        };
        Ok(Larder::of(Node::new(&self.namespace, self.limits, self.bounds, tier, with)))
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let mut refuse = |wrong: bool, field, problem: String| {
            if wrong {
                mistakes.push(Mistake::new(field, problem));
            }
        };
        let name = &self.namespace;
        let named = !name.is_empty() && name.len() <= 64 && !name.contains(['\0', '{', '}']);
        refuse(
            !named,
            "namespace",
            format!("is `{name}`; it must have 1 to 64 bytes, without NUL and braces"),
        );
        let bytes = self.bounds.bytes_max;
        refuse(
            bytes < BYTES_MIN,
            "bytes_max",
            format!("is {bytes}; it must be at least {BYTES_MIN}"),
        );
        let entries = self.bounds.entries_max;
        refuse(entries < 2, "entries_max", format!("is {entries}; it must be at least 2"));
        refuse(
            self.shards.len() > SHARDS_MAX,
            "shards",
            format!("are {}; the limit is {SHARDS_MAX}", self.shards.len()),
        );
        mistakes.extend(mistakes_of_times(&self.limits));
        mistakes.extend(self.mistakes_of_counts());
        mistakes
    }

    fn mistakes_of_counts(&self) -> Vec<Mistake> {
        let limits = &self.limits;
        let mut mistakes = Vec::new();
        let mut refuse = |wrong: bool, field, problem: String| {
            if wrong {
                mistakes.push(Mistake::new(field, problem));
            }
        };
        refuse(
            limits.pending_max == 0,
            "pending_max",
            "is zero; nothing could wait for the log".into(),
        );
        refuse(limits.loads_max == 0, "loads_max", "is zero; nothing could be loaded".into());
        refuse(
            limits.loads_max > Semaphore::MAX_PERMITS,
            "loads_max",
            format!("is {}; the limit is {}", limits.loads_max, Semaphore::MAX_PERMITS),
        );
        let slots = limits.tag_slots;
        refuse(
            !slots.is_power_of_two() || !(TAG_SLOTS_MIN..=TAG_SLOTS_MAX).contains(&slots),
            "tag_slots",
            format!("is {slots}; it must be a power of two, {TAG_SLOTS_MIN} to {TAG_SLOTS_MAX}"),
        );
        let records = self.log_records_max;
        refuse(
            !(1..=EMBEDDED_LOG_RECORDS_MAX).contains(&records),
            "log_records_max",
            format!("is {records}; it must be 1 to {EMBEDDED_LOG_RECORDS_MAX}"),
        );
        mistakes
    }
}

fn mistakes_of_times(limits: &Limits) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut refuse = |wrong: bool, field, problem: String| {
        if wrong {
            mistakes.push(Mistake::new(field, problem));
        }
    };
    let times = [
        ("poll_interval", limits.poll_interval),
        ("lease_ttl", limits.lease_ttl),
        ("lease_wait_max", limits.lease_wait_max),
        ("append_timeout", limits.append_timeout),
        ("call_timeout", limits.call_timeout),
        ("load_time_max", limits.load_time_max),
        ("ttl_max", limits.ttl_max),
    ];
    for (field, time) in times {
        refuse(
            time < Duration::from_millis(1),
            field,
            format!("is {time:?}; it must be at least 1 ms"),
        );
    }
    for (field, time, most) in
        [("lease_ttl", limits.lease_ttl, LEASE_TTL_MAX), ("ttl_max", limits.ttl_max, TTL_MAX_MAX)]
    {
        refuse(time > most, field, format!("is {time:?}; the limit is {most:?}"));
    }
    let (bound, poll) = (limits.staleness_max, limits.poll_interval);
    let least = poll.saturating_mul(2).saturating_add(COARSE_LAG_MAX);
    refuse(bound < least, "staleness_max", format!("is {bound:?}; two polls take {least:?}"));
    mistakes
}
