//! How a cache is set up: name, then policy; every mistake is reported at once.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::Cache;
use super::core::CacheCore;
use super::holdoff::Holdoffs;
use super::is_bounded;
use crate::catalogue::Listing;
use crate::codec::{Codec, Compression};
use crate::error::{BuildError, Mistake};
use crate::key::CACHE_NAME_BYTES_MAX;
use crate::memory::{Bounds, Memory};
use crate::node::{CacheEntry, Node};
use crate::policy::Policy;
use crate::read::Consistency;
use crate::record::{NameHash, NameKind};
use crate::stats::Counters;
use crate::{Entry, Key};

/// The most that jitter may shorten a time: a tenth.
const JITTER_MAX: f64 = 0.1;

/// The smallest budget of memory.
pub(crate) const BYTES_MIN: u64 = 64 * 1024;

/// Sets up a cache, see [`Larder::cache`](crate::Larder::cache).
#[must_use = "a cache does not exist until `build`"]
pub struct CacheBuilder<K, V> {
    node: Arc<Node>,
    name: Box<str>,
    policy: Policy,
    types: PhantomData<fn(K) -> V>,
}

impl<K, V> fmt::Debug for CacheBuilder<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("name", &self.name)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty => $set:expr;)*) => {
        $($(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            #[allow(clippy::redundant_closure_call)]
            ($set)(&mut self.policy, $name);
            self
        })*
    };
}

impl<K: Key, V: Entry> CacheBuilder<K, V> {
    pub(crate) fn new(node: Arc<Node>, name: &str) -> Self {
        CacheBuilder { node, name: name.into(), policy: Policy::default(), types: PhantomData }
    }

    setters! {
        /// How long a value is served without asking anybody. Default 300 s, at most `ttl_max`;
        /// zero means that values are not kept at all.
        fresh_for: Duration => |policy: &mut Policy, time| policy.fresh_for = time;
        /// How much longer a value is served at once, marked stale, while one caller loads it in
        /// the background. Default 0.
        stale_for: Duration => |policy: &mut Policy, time| policy.stale_for = time;
        /// How much longer still a value is served, marked stale, when its source fails. Default 0.
        fail_safe_for: Duration => |policy: &mut Policy, time| policy.fail_safe_for = time;
        /// How long a source that failed is left alone while there is a stale value. Default 1 s.
        fail_safe_throttle: Duration => |policy: &mut Policy, time| policy.fail_safe_throttle = time;
        /// How long "the source has none" is kept. Default 1 s; zero: not at all.
        negative_for: Duration => |policy: &mut Policy, time| policy.negative_for = time;
        /// How long the error of a failed load is answered without asking again. Default 0.
        errors_for: Duration => |policy: &mut Policy, time| policy.errors_for = time;
        /// By which share, at most, a time is shortened at random, so that values loaded together
        /// do not expire together. 0.0 to 0.1, default 0.1.
        jitter: f64 => |policy: &mut Policy, share| policy.jitter = share;
        /// Loads a value again before it expires, the earlier the more its load costs (XFetch,
        /// Vattani et al. 2015). The paper's beta: 1.0 is its optimum, default 0.0: never.
        early_refresh: f64 => |policy: &mut Policy, beta| policy.early_refresh = beta;
        /// How long a caller waits for a load while there is a stale value to fall back on; then
        /// the load goes on in the background. Default: until the hard timeout.
        soft_timeout: Duration => |policy: &mut Policy, time| policy.soft_timeout = Some(time);
        /// How long a caller waits for a load at all; then it gets [`Error::TimedOut`](crate::Error)
        /// and the load goes on in the background. Default 10 s.
        hard_timeout: Duration => |policy: &mut Policy, time| policy.hard_timeout = Some(time);
        /// The largest value that is kept, in bytes, in memory and encoded; larger ones are answered
        /// and counted. Default 1 MiB.
        value_bytes_max: usize => |policy: &mut Policy, bytes| policy.value_bytes_max = bytes;
        /// How values of the shared tier are encoded. Default JSON. A fleet may change it while it
        /// runs: values of either form are read.
        codec: Codec => |policy: &mut Policy, codec| policy.form.codec = codec;
        /// How long encoded values are made shorter in the shared tier. Default LZ4.
        compression: Compression => |policy: &mut Policy, compression| policy.form.compression = compression;
        /// From how many encoded bytes on a value counts as long. Default 1 KiB.
        compress_from: usize => |policy: &mut Policy, bytes| policy.form.compress_from = bytes;
        /// Gives the cache a memory budget of its own instead of a part of the node's: 64 KiB or more.
        /// Zero leaves memory out: each read asks the shared tier, which there must be. That is for values
        /// that are seldom read twice by one process, and would push out others. What is about values in memory
        /// is refused beside it: `stale_for`, `fail_safe_for`, `soft_timeout`, `early_refresh`, `sliding`. While
        /// the shared tier is away, each read is a load; there are no hot keys to restore after a restart.
        memory_bytes_max: u64 => |policy: &mut Policy, bytes| policy.memory_bytes_max = Some(bytes);
        /// How many loads of this cache may run in the background at a time. Default 16.
        refreshes_max: usize => |policy: &mut Policy, count| policy.refreshes_max = count;
        /// How far the replica that loaders read may lag behind: each invalidation is appended
        /// once more after this time. Default: loaders read the primary.
        replica_lag: Duration => |policy: &mut Policy, time| policy.replica_lag = Some(time);
        /// How current answers must be, unless a read says otherwise. Default `Bounded`.
        consistency: Consistency => |policy: &mut Policy, consistency| policy.consistency = consistency;
    }

    /// Makes a value fresh for its whole time again whenever it is read (sessions, say), on the
    /// node that reads it; other nodes still see the time that the shared tier knows.
    pub fn sliding(mut self) -> Self {
        self.policy.sliding = true;
        self
    }

    /// The cache.
    ///
    /// # Errors
    /// Every mistake at once: a name that is empty, too long, taken or holds a NUL, times above
    /// the node's `ttl_max`, shares out of range, limits of zero.
    pub fn build(self) -> Result<Cache<K, V>, BuildError> {
        let mut mistakes = mistakes_of_name(&self.name);
        mistakes.extend(mistakes_of(&self.policy, self.node.limits.ttl_max));
        if !self.policy.keeps_in_memory() && !self.node.shares_values() {
            let problem = "is zero, and there is no shared tier; nothing would be kept";
            mistakes.push(Mistake::new("memory_bytes_max", problem));
        }
        BuildError::unless_empty(mistakes)?;
        let (node, policy, name) = (self.node, self.policy, self.name);
        let counters = Arc::new(Counters::default());
        let memory = match policy.memory_bytes_max {
            Some(bytes_max) if policy.keeps_in_memory() => {
                let bounds = Bounds { bytes_max, entries_max: u64::MAX };
                Arc::new(Memory::new(bounds, node.hashing.clone()))
            }
            _ => Arc::clone(node.shared_memory()),
        };
        let entry = CacheEntry {
            name: name.clone(),
            listing: Arc::new(Listing::of::<K, V>(&name, &policy)),
            counters: Arc::clone(&counters),
            memory: Arc::clone(&memory),
            kept_after_fresh: policy.stale_for + policy.fail_safe_for,
            replica_lag: policy.replica_lag,
        };
        let Some(id) = node.register(entry) else {
            let taken =
                Mistake::new("name", format!("`{name}` is taken by another cache of this node"));
            return Err(BuildError::of(taken));
        };
        Ok(Cache::of(CacheCore {
            node,
            id,
            name_hash: NameHash::of(NameKind::Cache, name.as_bytes()),
            name,
            memory,
            counters,
            refreshes: Arc::new(Semaphore::new(policy.refreshes_max)),
            holdoffs: Holdoffs::default(),
            hits_are_bounded: is_bounded(&policy.consistency),
            policy,
            behind: OnceLock::new(),
            values: PhantomData,
        }))
    }
}

fn mistakes_of_name(name: &str) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    if name.is_empty() || name.len() > CACHE_NAME_BYTES_MAX {
        let problem = format!("has {} bytes; it must have 1 to {CACHE_NAME_BYTES_MAX}", name.len());
        mistakes.push(Mistake::new("name", problem));
    }
    if name.contains('\0') {
        mistakes.push(Mistake::new("name", "holds a NUL"));
    }
    mistakes
}

fn mistakes_of(policy: &Policy, ttl_max: Duration) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut refuse = |wrong: bool, field, problem: String| {
        if wrong {
            mistakes.push(Mistake::new(field, problem));
        }
    };
    let times = [
        ("fresh_for", policy.fresh_for),
        ("stale_for", policy.stale_for),
        ("fail_safe_for", policy.fail_safe_for),
        ("negative_for", policy.negative_for),
        ("errors_for", policy.errors_for),
    ];
    for (field, time) in times {
        refuse(time > ttl_max, field, format!("is {time:?}; the limit is ttl_max, {ttl_max:?}"));
    }
    let jitter = policy.jitter;
    refuse(
        !(0.0..=JITTER_MAX).contains(&jitter),
        "jitter",
        format!("is {jitter}; it must be 0.0 to {JITTER_MAX}"),
    );
    let beta = policy.early_refresh;
    refuse(
        !(0.0..=100.0).contains(&beta),
        "early_refresh",
        format!("is {beta}; it must be 0.0 to 100.0"),
    );
    let zero = Some(Duration::ZERO);
    refuse(
        policy.soft_timeout == zero,
        "soft_timeout",
        "is zero; leave it out to wait until the hard timeout".into(),
    );
    refuse(policy.hard_timeout == zero, "hard_timeout", "is zero; no load could end in time".into());
    refuse(policy.value_bytes_max == 0, "value_bytes_max", "is zero; nothing could be kept".into());
    refuse(
        policy.refreshes_max == 0,
        "refreshes_max",
        "is zero; no stale value could be refreshed".into(),
    );
    refuse(
        policy.refreshes_max > Semaphore::MAX_PERMITS,
        "refreshes_max",
        format!("is {}; the limit is {}", policy.refreshes_max, Semaphore::MAX_PERMITS),
    );
    let budget = policy.memory_bytes_max.unwrap_or(BYTES_MIN);
    refuse(
        (1..BYTES_MIN).contains(&budget),
        "memory_bytes_max",
        format!("is {budget}; it must be zero, or at least {BYTES_MIN}"),
    );
    if !policy.keeps_in_memory() {
        mistakes.extend(mistakes_without_memory(policy));
    }
    mistakes
}

/// What is asked for that is about values in memory, where none are.
fn mistakes_without_memory(policy: &Policy) -> impl Iterator<Item = Mistake> {
    let asked = [
        ("stale_for", !policy.stale_for.is_zero()),
        ("fail_safe_for", !policy.fail_safe_for.is_zero()),
        ("early_refresh", policy.early_refresh > 0.0),
        ("sliding", policy.sliding),
        ("soft_timeout", policy.soft_timeout.is_some()),
    ];
    let wrong = asked.into_iter().filter(|(_, asked)| *asked);
    wrong.map(|(field, _)| {
        Mistake::new(field, "needs memory, which a memory_bytes_max of zero leaves out")
    })
}
