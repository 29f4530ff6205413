//! Decides what a read through the cache means to HTTP: an answer with its provenance, or a failure
//! with its status. Makes the caches of the domains; must not know any domain.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use larder::clock::{BoxFuture, Moment};
use larder::warm::Supply;
use larder::{
    BoxError, BuildError, Cache, CacheOf, Entry, Hit, IntoLoaded, Key, Larder, Load, Loaded, Lookup,
    Origin, Tag,
};

use crate::http::{ApiError, CachePlan, CacheStatus, Cached, Provenance};
use crate::settings::{self, Caching};
use crate::storage::StorageError;
use crate::telemetry::{CacheRead, Telemetry};

/// Makes caches that HTTP can be answered from. Clones share everything.
#[derive(Debug, Clone)]
pub struct Reads {
    larder: Larder,
    settings: Arc<settings::Cache>,
    telemetry: Arc<Telemetry>,
}

impl Reads {
    /// Caches in `larder` with the lifetimes of `settings`.
    pub fn new(larder: Larder, settings: settings::Cache, telemetry: Arc<Telemetry>) -> Self {
        Reads { larder, settings: Arc::new(settings), telemetry }
    }

    /// The cache that `plan` describes.
    ///
    /// # Errors
    /// The name is taken or the lifetime is not what the cache takes.
    pub fn cache<K, T>(&self, plan: &'static CachePlan) -> Result<CachedReads<K, T>, BuildError>
    where
        K: Key,
        T: Send + Sync + 'static,
        Arc<T>: Entry,
    {
        let fresh = (plan.fresh)(&self.settings);
        let stale = (plan.stale)(&self.settings);
        let cache = self.larder.cache(plan.name).fresh_for(fresh).stale_for(stale);
        let cache = cache.negative_for(plan.absent);
        let telemetry = Arc::clone(&self.telemetry);
        let caching = self.settings.caching;
        Ok(CachedReads { cache: cache.build()?, plan, caching, telemetry })
    }
}

/// What many keys stand for, in their order; `None` where there is nothing.
pub(crate) type Many<T> = Vec<Option<Arc<T>>>;

/// One cache, read for an answer. Stands for its name where an
/// [`Invalidation`](larder::Invalidation) asks for one.
pub struct CachedReads<K, T> {
    cache: Cache<K, Arc<T>>,
    plan: &'static CachePlan,
    caching: Caching,
    telemetry: Arc<Telemetry>,
}

impl<K, T> fmt::Debug for CachedReads<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedReads").field("plan", self.plan).finish_non_exhaustive()
    }
}

impl<K, T> CacheOf<K> for CachedReads<K, T> {
    fn cache_name(&self) -> &str {
        self.as_ref()
    }
}

impl<K, T> AsRef<str> for CachedReads<K, T> {
    fn as_ref(&self) -> &str {
        self.plan.name
    }
}

impl<K: Key, T> CachedReads<K, T>
where
    T: Send + Sync + 'static,
    Arc<T>: Entry,
{
    /// The cached value, or that of `load`, which runs once for all who ask meanwhile.
    ///
    /// # Errors
    /// The load failed.
    ///
    /// # Cancel safety
    /// Dropping the future hands the load to a waiter.
    pub async fn get_or_load<F, Fut, E>(&self, key: &K, load: F) -> Result<Cached<T>, ApiError>
    where
        F: FnOnce(Load<Arc<T>>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Arc<T>, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let begun = self.telemetry.now();
        let hit = self.read(key, load).await.map_err(failed)?;
        Ok(self.answered(begun, hit))
    }

    /// The same for a thing that need not exist: `load` gives `Option<Arc<T>>`, or a `Loaded` that
    /// may carry tags. That there is none is kept for the plan's time, too.
    ///
    /// # Errors
    /// There is no such `thing`, or the load failed.
    ///
    /// # Cancel safety
    /// Dropping the future hands the load to a waiter.
    pub async fn find<F, Fut, L, E>(
        &self,
        key: &K,
        thing: &'static str,
        load: F,
    ) -> Result<Cached<T>, ApiError>
    where
        F: FnOnce(Load<Arc<T>>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, E>> + Send + 'static,
        L: IntoLoaded<Arc<T>, Answer = Lookup<Arc<T>>>,
        E: Into<BoxError> + 'static,
    {
        let begun = self.telemetry.now();
        match self.read(key, load).await.map_err(failed)? {
            Lookup::Found(hit) => Ok(self.answered(begun, hit)),
            Lookup::Absent(absence) => {
                let provenance = self.timed(begun, absence.origin(), absence.is_stale());
                let provenance = Provenance { age: absence.age(), ..provenance };
                Err(ApiError::Absent { thing, provenance })
            }
        }
    }

    /// Many at once, in the order of `keys`, `None` where there is no such thing: one read of each
    /// tier, and one `load` for all that nobody else loads. What it leaves out is absent; what it
    /// finds carries `tags`. The answer is as bad as the worst of these reads.
    ///
    /// # Errors
    /// The load failed.
    ///
    /// # Cancel safety
    /// Dropping the future hands the loads to waiters.
    pub async fn find_many<F, Fut>(
        &self,
        keys: &[K],
        tags: fn(&T) -> Vec<Tag>,
        load: F,
    ) -> Result<Cached<Many<T>>, ApiError>
    where
        K: Clone + Eq + Hash,
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, Arc<T>>, StorageError>> + Send + 'static,
    {
        let counted = self.counted(load);
        // There is nothing to read, and not every database takes an empty list.
        if keys.is_empty() {
            return Ok(match self.caching {
                Caching::On => self.gathered(self.telemetry.now(), Vec::new()),
                Caching::Off => Cached::bypass(Vec::new(), self.plan.audience),
            });
        }
        if self.caching == Caching::Off {
            let mut found = counted(keys.to_vec()).await?;
            let found = keys.iter().map(|key| found.remove(key)).collect();
            return Ok(Cached::bypass(found, self.plan.audience));
        }
        let begun = self.telemetry.now();
        let lookups = self.cache.get_or_load_many(keys, tagged(counted, tags));
        Ok(self.gathered(begun, lookups.await.map_err(failed)?))
    }

    /// The cache for warming, filled as by [`find_many`](Self::find_many).
    pub(crate) fn supplied_many<F, Fut>(&self, tags: fn(&T) -> Vec<Tag>, load: F) -> Supply<K>
    where
        K: Clone + Eq + Hash,
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, Arc<T>>, StorageError>> + Send + 'static,
    {
        Supply::batches(&self.cache, tagged(self.counted(load), tags))
    }

    /// The cache for warming, filled as by [`find`](Self::find).
    pub(crate) fn supplied<F, Fut, L>(&self, load: F) -> Supply<K>
    where
        K: Clone,
        F: Fn(K) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<L, StorageError>> + Send + 'static,
        L: IntoLoaded<Arc<T>>,
    {
        let (source_reads, name) = (Arc::clone(self.telemetry.source_reads()), self.plan.name);
        Supply::single(&self.cache, move |key| {
            source_reads.count(name);
            load(key)
        })
    }

    /// Counts each key that is loaded.
    fn counted<F, Fut>(
        &self,
        load: F,
    ) -> impl Fn(Vec<K>) -> Fut + Send + Sync + 'static + use<K, T, F, Fut>
    where
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
    {
        let (source_reads, name) = (Arc::clone(self.telemetry.source_reads()), self.plan.name);
        move |wanted: Vec<K>| {
            wanted.iter().for_each(|_| source_reads.count(name));
            load(wanted)
        }
    }

    fn gathered(&self, begun: Moment, lookups: Vec<Lookup<Arc<T>>>) -> Cached<Many<T>> {
        let none = Provenance { status: CacheStatus::Hit, origin: "memory", ..self.unseen() };
        let told = |lookup: &Lookup<Arc<T>>| Provenance {
            age: lookup.age(),
            ..self.timed(begun, lookup.origin(), lookup.is_stale())
        };
        let provenance = lookups.iter().map(told).fold(none, Provenance::and);
        let values = lookups.iter().map(|lookup| lookup.value().map(Arc::clone)).collect();
        Cached { value: Arc::new(values), provenance }
    }

    /// A value that was read for one answer and is not to be kept.
    pub fn bypass(&self, value: T) -> Cached<T> {
        self.telemetry.source_reads().count(self.plan.name);
        Cached::bypass(value, self.plan.audience)
    }

    /// Reads through the cache, or past it where caching is off. Counts each load.
    async fn read<F, Fut, L, E>(&self, key: &K, load: F) -> Result<L::Answer, larder::Error>
    where
        F: FnOnce(Load<Arc<T>>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, E>> + Send + 'static,
        L: IntoLoaded<Arc<T>>,
        E: Into<BoxError> + 'static,
    {
        let (source_reads, name) = (Arc::clone(self.telemetry.source_reads()), self.plan.name);
        let counted = move |begun: Load<Arc<T>>| {
            source_reads.count(name);
            load(begun)
        };
        match self.caching {
            Caching::On => self.cache.get_or_load(key, counted).await,
            Caching::Off => self.cache.read(key).bypass().get_or_load(counted).await,
        }
    }

    fn answered(&self, begun: Moment, hit: Hit<Arc<T>>) -> Cached<T> {
        let provenance = self.timed(begun, hit.origin(), hit.is_stale());
        Cached { value: Arc::clone(&hit), provenance: Provenance { age: hit.age(), ..provenance } }
    }

    fn timed(&self, begun: Moment, origin: Origin, stale: bool) -> Provenance {
        let (status, origin) = match (origin, stale) {
            (Origin::Loaded, _) if self.caching == Caching::Off => (CacheStatus::Bypass, "loaded"),
            (Origin::Memory, false) => (CacheStatus::Hit, "memory"),
            (Origin::Memory, true) => (CacheStatus::Stale, "memory"),
            (Origin::Shared, false) => (CacheStatus::Hit, "shared"),
            (Origin::Shared, true) => (CacheStatus::Stale, "shared"),
            (Origin::Loaded, _) => (CacheStatus::Miss, "loaded"),
        };
        let (cache, took) = (self.plan.name, self.telemetry.since(begun));
        self.telemetry.cache_read(&CacheRead { cache, status, origin, took });
        Provenance { status, origin, ..self.unseen() }
    }

    fn unseen(&self) -> Provenance {
        Provenance::bypass(self.plan.audience)
    }
}

/// What was loaded, ready to be kept.
type Loading<K, T> = BoxFuture<'static, Result<HashMap<K, Loaded<Arc<T>>>, StorageError>>;

/// Gives what is loaded its tags.
fn tagged<K, T, F, Fut>(
    load: F,
    tags: fn(&T) -> Vec<Tag>,
) -> impl Fn(Vec<K>) -> Loading<K, T> + Send + Sync + 'static
where
    K: Eq + Hash + Send + 'static,
    T: Send + Sync + 'static,
    F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<HashMap<K, Arc<T>>, StorageError>> + Send + 'static,
{
    move |wanted| {
        let loading = load(wanted);
        Box::pin(async move {
            let tagged = |(key, value): (K, Arc<T>)| {
                let tags = tags(&value);
                (key, tags.into_iter().fold(Loaded::value(value), Loaded::tag))
            };
            Ok(loading.await?.into_iter().map(tagged).collect())
        })
    }
}

/// A failed load is the database's failure; one that takes too long may succeed in a moment.
fn failed(error: larder::Error) -> ApiError {
    match error {
        larder::Error::Source(source) => match source.downcast_ref::<StorageError>() {
            Some(fault) if fault.is_transient() => ApiError::Unavailable(Box::new(source)),
            _ => ApiError::Internal(Box::new(source)),
        },
        larder::Error::TimedOut { .. } | larder::Error::GivenUp { .. } | larder::Error::Closed => {
            ApiError::Unavailable(Box::new(error))
        }
        _ => ApiError::Internal(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use larder::clock::SystemClock;
    use tokio::sync::oneshot;

    use super::*;
    use crate::configuration::{self, Environment};
    use crate::figures::Figures;
    use crate::http::Audience;

    const PLAN: CachePlan = CachePlan {
        name: "answers",
        fresh: |cache| cache.account_fresh,
        stale: |_| std::time::Duration::ZERO,
        absent: std::time::Duration::ZERO,
        tags: &[],
        audience: Audience::Public,
    };

    #[tokio::test]
    async fn who_waits_for_the_load_of_another_has_saved_a_read() {
        let larder = Larder::new("test").expect("larder");
        let telemetry = Arc::new(Telemetry::new(Arc::new(SystemClock)).expect("telemetry"));
        let figures = Figures::new(larder.clone(), Arc::clone(telemetry.source_reads()));
        let settings = configuration::load(Environment::default()).expect("settings");
        let reads = Reads::new(larder, settings.cache, telemetry);
        let answers: CachedReads<i64, i64> = reads.cache(&PLAN).expect("cache");
        let (answer, loading) = oneshot::channel();
        let mut first = Box::pin(answers.get_or_load(&7, |_| async { loading.await.map(Arc::new) }));
        let never = |_| async { Err::<Arc<i64>, _>(StorageError::Busy) };
        let mut second = Box::pin(answers.get_or_load(&7, never));
        let mut polling = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut polling).is_pending());
        assert!(second.as_mut().poll(&mut polling).is_pending());
        answer.send(42).expect("somebody waits");
        let (first, second) = tokio::join!(first, second);
        assert_eq!((*first.expect("loaded").value, *second.expect("shared").value), (42, 42));
        let figures = &figures.in_all()[0];
        let counted = (figures.hits(), figures.misses, figures.source_reads, figures.saved_reads);
        assert_eq!(counted, (0, 2, 1, 1));
    }
}
