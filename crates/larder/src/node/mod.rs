//! One process's part of the protocol: what it knows of each shard, what it has invalidated, and
//! which entries of its memory may be served. Knows no value type, no loader and no policy.

pub(crate) mod agenda;
mod append;
pub(crate) mod hot;
pub(crate) mod invalidate;
mod judge;
pub(crate) mod marks;
pub(crate) mod queue;
pub(crate) mod resident;
pub(crate) mod subject;
mod sweep;
pub(crate) mod tables;
mod tail;
pub(crate) mod tailing;
pub(crate) mod view;
pub(crate) mod wakeups;
pub(crate) mod writers;

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::audit::Trail;
use crate::catalogue::Listing;
use crate::clock::{Moment, NodeClock};
use crate::event::{Event, Observer};
use crate::flight::Flights;
use crate::key::EncodedKey;
use crate::memory::key::{CacheId, KeyHashing};
use crate::memory::{Bounds, Memory};
use crate::random::Random;
use crate::shard::embedded::Embedded;
use crate::shard::table::TAG_SLOTS;
use crate::shard::{Shard, Unreachable};
use crate::stats::Counters;
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::tasks::Tasks;
use crate::wait::{self, Signal};

use view::View;
use wakeups::Wakeups;

/// The limits of a node (`docs/protocol.md` §9).
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) poll_interval: Duration,
    pub(crate) staleness_max: Duration,
    pub(crate) lease_ttl: Duration,
    pub(crate) lease_wait_max: Duration,
    pub(crate) append_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) pending_max: usize,
    pub(crate) loads_max: usize,
    pub(crate) load_time_max: Duration,
    pub(crate) tag_slots: usize,
    pub(crate) ttl_max: Duration,
    pub(crate) serve_stale_when_partitioned: bool,
    pub(crate) audited_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            poll_interval: Duration::from_millis(250),
            staleness_max: Duration::from_secs(1),
            lease_ttl: Duration::from_secs(10),
            lease_wait_max: Duration::from_secs(10),
            append_timeout: Duration::from_millis(500),
            call_timeout: Duration::from_millis(500),
            pending_max: 10_000,
            loads_max: 256,
            load_time_max: Duration::from_secs(60),
            tag_slots: TAG_SLOTS,
            ttl_max: Duration::from_secs(24 * 3600),
            serve_stale_when_partitioned: false,
            audited_max: 1_000,
        }
    }
}

/// The most patterns that may be pending at once; more collapse into "everything".
pub(crate) const PATTERNS_MAX: usize = 64;
/// The most records that one append or one tail carries.
pub(crate) const RECORDS_MAX: usize = 1_000;
/// How often a reader catches up before it goes alone.
pub(crate) const CATCH_UP_TRIES: usize = 4;

/// How far the coarse clock may lag: hits stop trusting memory this much earlier.
pub(crate) const COARSE_LAG_MAX: Duration = Duration::from_millis(10);

/// The shards as this node reaches them.
pub(crate) enum Tier {
    /// In this process: appended and applied in one step, always current.
    Embedded(Arc<Embedded>),
    /// Somewhere else: what we know of it must be confirmed.
    Shared(Vec<Arc<dyn Shard>>),
}

/// What is injected into a node.
pub(crate) struct Surroundings {
    pub(crate) clock: NodeClock,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) tasks: Arc<dyn Tasks>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// One node.
pub(crate) struct Node {
    /// For the tasks that a node starts without owning itself.
    this: Weak<Node>,
    pub(crate) namespace: Box<str>,
    pub(crate) limits: Limits,
    pub(crate) clock: NodeClock,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) tasks: Arc<dyn Tasks>,
    observer: Option<Arc<dyn Observer>>,
    pub(crate) hashing: KeyHashing,
    memory: Arc<Memory>,
    stripes: resident::Stripes,
    pub(crate) flights: Arc<Flights>,
    pub(crate) loads: Arc<Semaphore>,
    pub(crate) views: Box<[View]>,
    embedded: Option<Arc<Embedded>>,
    registry: Mutex<Registry>,
    writer: Mutex<()>,
    sequence: Sequence,
    /// Orders calls and loads of this node, where clock ticks are too coarse.
    events: AtomicU64,
    suspend_gap: AtomicU64,
    pub(crate) wakeups: Arc<Wakeups>,
    pub(crate) trail: Trail,
    agenda: agenda::Agenda,
    /// Set when the node is closed or gone, so that its tasks need not wait for their timers.
    pub(crate) closing: Arc<Signal<()>>,
}

/// The caches of a node, by number and by name.
#[derive(Default)]
struct Registry {
    by_name: HashMap<Box<str>, CacheId>,
    caches: Vec<CacheEntry>,
}

#[derive(Clone)]
pub(crate) struct CacheEntry {
    pub(crate) name: Box<str>,
    pub(crate) listing: Arc<Listing>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) kept_after_fresh: Duration,
    pub(crate) replica_lag: Option<Duration>,
}

/// The local order of what happened on this node.
struct Sequence {
    /// The last sequence whose facts can all be seen.
    published: AtomicU64,
    /// The sequence at which anything but a hard key record last changed a table or a list.
    changed: AtomicU64,
}

impl Node {
    pub(crate) fn new(
        namespace: &str,
        limits: Limits,
        bounds: Bounds,
        tier: Tier,
        with: Surroundings,
    ) -> Arc<Self> {
        let hashing = KeyHashing::new(with.random.next_u64());
        let (embedded, shards): (_, Vec<Arc<dyn Shard>>) = match tier {
            Tier::Embedded(embedded) => {
                (Some(Arc::clone(&embedded)), vec![embedded as Arc<dyn Shard>])
            }
            Tier::Shared(shards) => (None, shards),
        };
        let tag_slots = limits.tag_slots;
        let views = shards.into_iter().enumerate();
        let views = views.map(|(index, shard)| View::new(index, shard, tag_slots));
        let node = Arc::new_cyclic(|this| Node {
            this: Weak::clone(this),
            namespace: namespace.into(),
            clock: with.clock,
            random: with.random,
            tasks: with.tasks,
            observer: with.observer,
            memory: Arc::new(Memory::new(bounds, hashing.clone())),
            stripes: resident::Stripes::default(),
            hashing,
            flights: Arc::new(Flights::default()),
            loads: Arc::new(Semaphore::new(limits.loads_max)),
            views: views.collect(),
            embedded,
            registry: Mutex::new(Registry::default()),
            writer: Mutex::new(()),
            sequence: Sequence { published: AtomicU64::new(1), changed: AtomicU64::new(1) },
            events: AtomicU64::new(1),
            suspend_gap: AtomicU64::new(0),
            wakeups: Arc::default(),
            trail: Trail::new(limits.audited_max),
            agenda: agenda::Agenda::default(),
            closing: Arc::default(),
            limits,
        });
        node.begin();
        node
    }

    /// The embedded shard is current from the start; the others are asked from now on.
    fn begin(self: &Arc<Self>) {
        match &self.embedded {
            Some(embedded) => self.adopt_embedded(embedded),
            None => self.start_tailing(),
        }
        self.measure_suspend();
        self.start_suspend_watch();
        self.start_expiry();
    }

    pub(crate) fn embedded(&self) -> Option<&Arc<Embedded>> {
        self.embedded.as_ref()
    }

    /// Which shard has this key: by hash, the same on every node of a namespace.
    pub(crate) fn shard_of(&self, key: &EncodedKey) -> usize {
        key.hash().row1() as usize % self.views.len()
    }

    /// The local sequence: what happened up to here can be seen.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence.published.load(Ordering::SeqCst)
    }

    #[inline]
    pub(crate) fn changed(&self) -> u64 {
        self.sequence.changed.load(Ordering::Acquire)
    }

    /// The number of a call or load that begins now.
    pub(crate) fn next_event(&self) -> u64 {
        self.events.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.precise()
    }

    pub(crate) fn emit(&self, event: Event<'_>) {
        if let Some(observer) = &self.observer {
            observer.observe(&event);
        }
    }

    /// Waits for an answer, but not longer than a call to a shard may take.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        reply: impl Future<Output = Result<T, Unreachable>>,
    ) -> Result<T, Unreachable> {
        let timeout = self.clock.sleep_until(self.now().plus(limit));
        match wait::until(reply, timeout).await {
            Some(answer) => answer,
            None => Err(Unreachable::new(format!("no answer within {limit:?}"))),
        }
    }

    /// Ends the tasks of this node; loads in flight go on.
    pub(crate) fn close(&self) {
        self.closing.set(());
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closing.get().is_some()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.close();
    }
}

/// The caches of this node.
impl Node {
    /// Gives a cache its number. `None`: the name is taken, or there are 65,536 caches.
    pub(crate) fn register(&self, cache: CacheEntry) -> Option<CacheId> {
        let mut registry = self.registry.lock();
        let id = CacheId(u16::try_from(registry.caches.len()).ok()?);
        if registry.by_name.contains_key(&cache.name) {
            return None;
        }
        registry.by_name.insert(cache.name.clone(), id);
        registry.caches.push(cache);
        Some(id)
    }

    pub(crate) fn each_cache(&self, mut visit: impl FnMut(&str, &Counters)) {
        let caches = self.registry.lock().caches.clone();
        caches.iter().for_each(|cache| visit(&cache.name, &cache.counters));
    }

    pub(crate) fn listings(&self) -> Vec<Listing> {
        let registry = self.registry.lock();
        registry.caches.iter().map(|cache| Listing::clone(&cache.listing)).collect()
    }

    fn cache_named(&self, name: &str) -> Option<CacheId> {
        self.registry.lock().by_name.get(name).copied()
    }

    /// What `pick` takes of a cache.
    fn of_cache<T>(&self, id: CacheId, pick: impl FnOnce(&CacheEntry) -> T) -> Option<T> {
        self.registry.lock().caches.get(usize::from(id.0)).map(pick)
    }

    pub(crate) fn counters_of(&self, id: CacheId) -> Option<Arc<Counters>> {
        self.of_cache(id, |cache| Arc::clone(&cache.counters))
    }

    fn cache_name(&self, id: CacheId) -> Option<Box<str>> {
        self.of_cache(id, |cache| cache.name.clone())
    }

    /// How long an entry of this cache is kept once it is no longer fresh.
    fn kept_after_fresh(&self, id: CacheId) -> Duration {
        self.of_cache(id, |cache| cache.kept_after_fresh).unwrap_or_default()
    }

    /// Whether there is a tier for values beside memory.
    pub(crate) fn shares_values(&self) -> bool {
        self.views.iter().any(|view| view.shard.keeps_values())
    }

    /// The map that caches without a budget of their own share.
    pub(crate) fn shared_memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// The map that holds the entries of a cache.
    fn memory_of(&self, id: CacheId) -> Arc<Memory> {
        let own = self.of_cache(id, |cache| Arc::clone(&cache.memory));
        own.unwrap_or_else(|| Arc::clone(&self.memory))
    }

    /// Every map of this node.
    pub(crate) fn memories(&self) -> Vec<Arc<Memory>> {
        let mut memories = vec![Arc::clone(&self.memory)];
        let caches = self.registry.lock().caches.clone();
        memories.extend(
            caches
                .into_iter()
                .map(|cache| cache.memory)
                .filter(|own| !Arc::ptr_eq(own, &self.memory)),
        );
        memories
    }
}
