//! The cache as callers see it: typed keys, typed values, no knowledge of shards.

mod batch;
pub(crate) mod builder;
mod claim;
pub(crate) mod core;
mod get_or_load;
pub(crate) mod holdoff;
mod read;
mod storing;
mod through;
mod write;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

pub use builder::CacheBuilder;
pub use read::Read;
pub use through::{WriteThrough, Written};
pub use write::SetOutcome;

use crate::clock::{BoxFuture, Moment};
use crate::hit::{Answer, Lookup, Told};
use crate::invalidation::{CacheOf, Invalidated, Invalidation};
use crate::loaded::{IntoLoaded, Load};
use crate::memory::resident::{Resident, downcast};
use crate::position::Position;
use crate::read::{Consistency, Demand, peek};
use crate::stats::CacheStats;
use crate::{Entry, Error, Key};
use core::CacheCore;
use get_or_load::GetOrLoad;

/// What a loader may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A cache of values `V` under keys `K`. Cheap to clone; made by [`Larder::cache`](crate::Larder::cache).
///
/// Reads are answered from memory, from the shared tier, or by the loader, in this order. One
/// load per key runs at a time in this process, and one in the fleet while the shared tier is up;
/// everyone else waits for it. A value whose load began before an invalidation that names it is
/// never kept, and never served to a caller who has seen the invalidation return.
pub struct Cache<K, V> {
    pub(crate) core: Arc<CacheCore<V>>,
    keys: PhantomData<fn(K)>,
}

impl<K, V> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        Cache { core: Arc::clone(&self.core), keys: PhantomData }
    }
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("name", &self.core.name).finish_non_exhaustive()
    }
}

impl<K, V> CacheOf<K> for Cache<K, V> {
    fn cache_name(&self) -> &str {
        &self.core.name
    }
}

/// A cache stands for its name where an [`Invalidation`] asks for one.
impl<K, V> AsRef<str> for Cache<K, V> {
    fn as_ref(&self) -> &str {
        &self.core.name
    }
}

impl<K: Key, V: Entry> Cache<K, V> {
    fn of(core: CacheCore<V>) -> Self {
        Cache { core: Arc::new(core), keys: PhantomData }
    }

    /// The name of the cache: the first part of its keys.
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// Returns the fresh value, or runs `load` once per key across the process.
    ///
    /// The loader's answer decides the shape of this one, see [`IntoLoaded`]. It is told about its
    /// load by a [`Load`] and runs at most the cache's time limits; it may go on in the background
    /// when its caller no longer waits.
    ///
    /// # Errors
    /// Only the loader's: it failed, panicked or took too long, and nothing stale was allowed in
    /// its place. Faults of the cache are never in here.
    ///
    /// # Cancel safety
    /// Dropping the future hands the load to a waiter, who starts its own loader.
    ///
    /// # Cost
    /// A memory hit costs one lookup, one coarse clock reading and two comparisons; nothing is
    /// encoded or decoded.
    #[inline]
    pub fn get_or_load<'c, F, Fut, L, E>(
        &'c self,
        key: &'c K,
        load: F,
    ) -> impl Future<Output = Result<L::Answer, Error>>
    where
        F: FnOnce(Load<V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, E>> + Send + 'static,
        L: IntoLoaded<V>,
        E: Into<BoxError> + 'static,
    {
        GetOrLoad::new(self, key, move || load)
    }

    /// As [`get_or_load`](Cache::get_or_load), with a loader that is made only if it is needed: what
    /// it owns is copied for a miss, and not for every hit.
    ///
    /// ```
    /// # async fn names(names: larder::Cache<u64, String>, table: &str) -> Result<(), larder::Error> {
    /// let name = names.get_or_load_with(&7, || {
    ///     let table = table.to_owned();
    ///     move |_| async move { Ok::<_, std::io::Error>(format!("7 of {table}")) }
    /// });
    /// assert_eq!(*name.await?, format!("7 of {table}"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`get_or_load`](Cache::get_or_load).
    ///
    /// # Cancel safety
    /// As [`get_or_load`](Cache::get_or_load).
    #[inline]
    pub fn get_or_load_with<'c, M, F, Fut, L, E>(
        &'c self,
        key: &'c K,
        loader: M,
    ) -> impl Future<Output = Result<L::Answer, Error>>
    where
        M: FnOnce() -> F,
        F: FnOnce(Load<V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, E>> + Send + 'static,
        L: IntoLoaded<V>,
        E: Into<BoxError> + 'static,
    {
        GetOrLoad::new(self, key, loader)
    }

    /// Boxed: a miss is rare and big, and would make the future of every hit as big.
    #[cold]
    fn missed<'c, F, Fut, L, E>(
        &'c self,
        key: &'c K,
        load: F,
    ) -> BoxFuture<'c, Result<L::Answer, Error>>
    where
        F: FnOnce(Load<V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, E>> + Send + 'static,
        L: IntoLoaded<V>,
        E: Into<BoxError> + 'static,
    {
        Box::pin(self.read_with(key, self.demand(), load))
    }

    /// What memory or the shared tier has; no loader. `None`: neither knows anything that may be
    /// served.
    pub async fn get(&self, key: &K) -> Option<Lookup<V>> {
        self.read(key).get().await
    }

    /// What this process's memory has. Neither loads, nor counts, nor makes the entry more likely
    /// to stay.
    pub fn peek(&self, key: &K) -> Option<Lookup<V>> {
        peek(&self.core, &self.core.sought(key)).map(Answer::into_lookup)
    }

    /// What the shared tier has, judged like any read. Neither loads nor puts it into memory.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn peek_shared(&self, key: &K) -> Option<Lookup<V>> {
        let demand = Demand { skip_memory: true, keep_nothing: true, ..self.demand() };
        Read::new(self, key, demand).get().await
    }

    /// Whether [`get`](Cache::get) would find a value.
    pub async fn exists(&self, key: &K) -> bool {
        self.get(key).await.is_some_and(|lookup| lookup.value().is_some())
    }

    /// A read with its own consistency, or that skips a tier.
    pub fn read<'c>(&'c self, key: &'c K) -> Read<'c, K, V> {
        Read::new(self, key, self.demand())
    }

    /// Removes one entry everywhere, see [`Larder::invalidate`](crate::Larder::invalidate).
    pub async fn invalidate(&self, key: &K) -> Invalidated {
        self.apply(Invalidation::new().key(self, key)).await
    }

    /// The same as [`invalidate`](Cache::invalidate): an entry cannot be removed from one tier only.
    pub async fn remove(&self, key: &K) -> Invalidated {
        self.invalidate(key).await
    }

    /// Removes every entry whose key begins with the parts of `prefix`, or has just these. Costs
    /// the same for ten entries and ten million.
    pub async fn invalidate_prefix<P: Key>(&self, prefix: &P) -> Invalidated {
        self.apply(Invalidation::new().prefix(self, prefix)).await
    }

    /// Removes every entry of this cache. Costs the same for ten entries and ten million.
    pub async fn clear(&self) -> Invalidated {
        self.apply(Invalidation::new().cache(self)).await
    }

    async fn apply(&self, invalidation: Invalidation) -> Invalidated {
        self.core.node.invalidate(invalidation.into_asked()).await
    }

    /// This cache's numbers.
    pub fn stats(&self) -> CacheStats {
        self.core.counters.stats()
    }

    /// Where this node stands in the log: everything it has invalidated or seen.
    pub fn position(&self) -> Position {
        self.core.node.position()
    }

    fn demand(&self) -> Demand {
        Demand { consistency: self.core.policy.consistency.clone(), ..Demand::default() }
    }

    /// The hit that has nothing to decide: found, judged, fresh, and the log confirmed. With what is told of
    /// it: together they fit into registers.
    #[inline(never)]
    fn in_memory(&self, key: &K) -> Option<(Arc<Resident<V>>, Told)> {
        let core = &*self.core;
        if !core.hits_are_bounded {
            return None;
        }
        let entry = core.memory.get(&core.probe(key))?;
        let resident: Arc<Resident<V>> = downcast(entry)?;
        let meta = &resident.meta;
        let now = core.node.clock.coarse();
        let trusted_until = core.node.views[usize::from(meta.shard)].trusted_until();
        let fresh =
            now < meta.quiet_until().min(trusted_until) && meta.stands_fresh(core.node.changed());
        if !fresh {
            return self.unconfirmed(resident, now);
        }
        core.counters.hit();
        Some((resident, Told::fresh_in_memory(now)))
    }

    /// What a hit would be if the log had been confirmed, while it cannot be and the node serves
    /// such values. An outage is no time to make every hit expensive.
    #[cold]
    #[inline(never)]
    fn unconfirmed(&self, found: Arc<Resident<V>>, now: Moment) -> Option<(Arc<Resident<V>>, Told)> {
        let (core, node, meta) = (&*self.core, &*self.core.node, &found.meta);
        // Eventual reads trust memory in any case.
        let bounded = matches!(core.policy.consistency, Consistency::Bounded);
        if !node.limits.serve_stale_when_partitioned || !bounded {
            return None;
        }
        let view = &node.views[usize::from(meta.shard)];
        let away = view.is_suspect(now) && view.tailing.failed_within(node.limits.staleness_max, now);
        if !away || now >= meta.quiet_until() || !meta.stands_fresh(node.changed()) {
            return None;
        }
        core.counters.stale_hit();
        Some((found, Told::unconfirmed_in_memory(now)))
    }
}

/// The consistencies that a fresh hit of a confirmed view answers.
fn is_bounded(consistency: &Consistency) -> bool {
    matches!(consistency, Consistency::Bounded | Consistency::Eventual)
}
