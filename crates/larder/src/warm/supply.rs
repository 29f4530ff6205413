//! A cache together with the loader that fills it. Decides which of some keys are read at all, and
//! counts where their values came from.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use crate::cache::{BoxError, Cache};
use crate::clock::BoxFuture;
use crate::hit::{Lookup, Origin};
use crate::loaded::{IntoLoaded, Loaded};
use crate::memory::key::CacheId;
use crate::{Entry, Error, Key, wait};

/// Loads of single keys that run at a time.
const AT_ONCE: usize = 8;

/// A cache and how its values are loaded, given keys alone. Cheap to clone.
///
/// A read through it is an ordinary read: of the shared tier, then of the source, under the cache's
/// policy and limits; whoever asks for the same key meanwhile waits for the same load. It counts in the
/// cache's numbers as one.
pub struct Supply<K> {
    reads: Arc<dyn Reads<K>>,
}

impl<K> Clone for Supply<K> {
    fn clone(&self) -> Self {
        Supply { reads: Arc::clone(&self.reads) }
    }
}

impl<K> fmt::Debug for Supply<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supply").field("cache", &self.cache_name()).finish_non_exhaustive()
    }
}

/// What reading some keys came to.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// Were in memory already.
    pub(super) present: usize,
    /// Came from the shared tier.
    pub(super) shared: usize,
    /// Came from the source.
    pub(super) loaded: usize,
    pub(super) failed: usize,
    pub(super) error: Option<String>,
}

impl Filled {
    fn count<V>(&mut self, read: Result<Lookup<V>, Error>) {
        match read.map(|lookup| lookup.origin()) {
            Ok(Origin::Memory) => self.present += 1,
            Ok(Origin::Shared) => self.shared += 1,
            Ok(Origin::Loaded) => self.loaded += 1,
            Err(error) => self.fail(1, &error),
        }
    }

    fn fail(&mut self, keys: usize, error: &Error) {
        self.failed += keys;
        self.error = Some(error.to_string());
    }
}

trait Reads<K>: Send + Sync {
    fn cache_name(&self) -> &str;
    fn cache_id(&self) -> CacheId;
    fn missing(&self, keys: Vec<K>) -> Vec<K>;
    fn read(self: Arc<Self>, keys: Vec<K>) -> BoxFuture<'static, Filled>;
}

impl<K: Key> Supply<K> {
    /// `load` answers many keys at once, as that of
    /// [`get_or_load_many`](Cache::get_or_load_many) does; what it leaves out is absent.
    pub fn batches<V, F, Fut, L, E>(cache: &Cache<K, V>, load: F) -> Self
    where
        K: Clone + Eq + Hash,
        V: Entry,
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, L>, E>> + Send + 'static,
        L: IntoLoaded<V>,
        E: Into<BoxError> + 'static,
    {
        let cache = cache.clone();
        let load = move |keys| {
            let loading = load(keys);
            async move {
                let found = loading.await.map_err(Into::into)?;
                let found = found.into_iter().map(|(key, value)| (key, value.into_loaded()));
                Ok(found.collect())
            }
        };
        Supply { reads: Arc::new(Batches { cache, load }) }
    }

    /// `load` answers one key, as that of [`get_or_load`](Cache::get_or_load) does. Of a batch, a few
    /// are loaded at a time.
    pub fn single<V, F, Fut, L, E>(cache: &Cache<K, V>, load: F) -> Self
    where
        K: Clone,
        V: Entry,
        F: Fn(K) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<L, E>> + Send + 'static,
        L: IntoLoaded<V>,
        E: Into<BoxError> + 'static,
    {
        let cache = cache.clone();
        let load = move |key| {
            let loading = load(key);
            async move { loading.await.map(IntoLoaded::into_loaded).map_err(Into::into) }
        };
        Supply { reads: Arc::new(Single { cache, load }) }
    }

    pub(super) fn cache_id(&self) -> CacheId {
        self.reads.cache_id()
    }

    /// Those of `keys` that memory does not hold fresh.
    pub(super) fn missing(&self, keys: Vec<K>) -> Vec<K> {
        self.reads.missing(keys)
    }

    pub(super) fn read(&self, keys: Vec<K>) -> BoxFuture<'static, Filled> {
        Arc::clone(&self.reads).read(keys)
    }
}

impl<K> Supply<K> {
    pub(super) fn cache_name(&self) -> &str {
        self.reads.cache_name()
    }
}

/// Looking counts as no use: a warm set does not make its own entries hot.
fn missing<K: Key, V: Entry>(cache: &Cache<K, V>, mut keys: Vec<K>) -> Vec<K> {
    keys.retain(|key| cache.peek(key).is_none_or(|lookup| lookup.is_stale()));
    keys
}

struct Batches<K, V, F> {
    cache: Cache<K, V>,
    load: F,
}

impl<K, V, F, Fut> Reads<K> for Batches<K, V, F>
where
    K: Key + Clone + Eq + Hash,
    V: Entry,
    F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<HashMap<K, Loaded<V>>, BoxError>> + Send + 'static,
{
    fn cache_name(&self) -> &str {
        self.cache.name()
    }

    fn cache_id(&self) -> CacheId {
        self.cache.core.id
    }

    fn missing(&self, keys: Vec<K>) -> Vec<K> {
        missing(&self.cache, keys)
    }

    fn read(self: Arc<Self>, keys: Vec<K>) -> BoxFuture<'static, Filled> {
        Box::pin(async move {
            let mut filled = Filled::default();
            let loader = Arc::clone(&self);
            let reading = self.cache.get_or_load_many(&keys, move |keys| (loader.load)(keys));
            match reading.await {
                Ok(lookups) => lookups.into_iter().for_each(|lookup| filled.count(Ok(lookup))),
                Err(error) => filled.fail(keys.len(), &error),
            }
            filled
        })
    }
}

struct Single<K, V, F> {
    cache: Cache<K, V>,
    load: F,
}

impl<K, V, F, Fut> Reads<K> for Single<K, V, F>
where
    K: Key + Clone,
    V: Entry,
    F: Fn(K) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Loaded<V>, BoxError>> + Send + 'static,
{
    fn cache_name(&self) -> &str {
        self.cache.name()
    }

    fn cache_id(&self) -> CacheId {
        self.cache.core.id
    }

    fn missing(&self, keys: Vec<K>) -> Vec<K> {
        missing(&self.cache, keys)
    }

    fn read(self: Arc<Self>, keys: Vec<K>) -> BoxFuture<'static, Filled> {
        Box::pin(async move {
            let mut filled = Filled::default();
            for some in keys.chunks(AT_ONCE) {
                let reading = some.iter().map(|key| {
                    let (loader, wanted) = (Arc::clone(&self), key.clone());
                    self.cache.get_or_load(key, move |_| (loader.load)(wanted))
                });
                wait::all(reading).await.into_iter().for_each(|read| filled.count(read));
            }
            filled
        })
    }
}
