//! Stands in for the cache of `larder` until that crate exports it: same names, one map, no
//! single flight, no promise. To be deleted together with the `use crate::stand_in` lines.
#![allow(missing_docs)]

use std::any::Any;
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder::clock::{Clock, Moment, SystemClock};
use larder::{Entry, Key};
use parking_lot::Mutex;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the load failed")]
    Load(#[source] Box<dyn StdError + Send + Sync>),
}

#[derive(Debug, thiserror::Error)]
#[error("the cache cannot be built")]
pub struct BuildError;

#[derive(Clone)]
struct Stored {
    value: Arc<dyn Any + Send + Sync>,
    at: Moment,
}

#[derive(Debug, Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    errors: AtomicU64,
    invalidations: AtomicU64,
}

#[derive(Default)]
struct Inner {
    entries: Mutex<BTreeMap<String, Stored>>,
    caches: Mutex<Vec<(&'static str, Arc<Counters>)>>,
}

#[derive(Clone, Default)]
pub struct Larder(Arc<Inner>);

impl std::fmt::Debug for Larder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Larder")
    }
}

#[derive(Debug)]
pub struct LarderBuilder;

impl LarderBuilder {
    pub fn bytes_max(self, _: u64) -> Self {
        self
    }
    pub fn entries_max(self, _: u64) -> Self {
        self
    }
    pub fn build(self) -> Result<Larder, BuildError> {
        Ok(Larder::default())
    }
}

#[derive(Debug)]
pub struct CacheStats {
    pub name: String,
    pub hits: u64,
    pub misses: u64,
    pub errors: u64,
    pub invalidations: u64,
}

#[derive(Debug)]
pub struct Stats {
    pub caches: Vec<CacheStats>,
}

impl Larder {
    pub fn builder(_namespace: &str) -> LarderBuilder {
        LarderBuilder
    }
    pub fn cache(&self, name: &'static str) -> CacheBuilder {
        CacheBuilder { larder: self.clone(), name, fresh: Duration::from_secs(60) }
    }
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
    pub async fn close(&self) {}
    pub async fn invalidate(&self, invalidation: Invalidation) {
        self.0.entries.lock().retain(|key, _| {
            let named = invalidation.prefixes.iter().any(|prefix| key.starts_with(prefix))
                || invalidation.keys.contains(key);
            !named
        });
        for counters in invalidation.counters {
            counters.invalidations.fetch_add(1, Ordering::Relaxed);
        }
    }
    pub fn stats(&self) -> Stats {
        let read = |(name, counters): &(&'static str, Arc<Counters>)| CacheStats {
            name: (*name).to_owned(),
            hits: counters.hits.load(Ordering::Relaxed),
            misses: counters.misses.load(Ordering::Relaxed),
            errors: counters.errors.load(Ordering::Relaxed),
            invalidations: counters.invalidations.load(Ordering::Relaxed),
        };
        Stats { caches: self.0.caches.lock().iter().map(read).collect() }
    }
}

#[derive(Debug)]
pub struct CacheBuilder {
    larder: Larder,
    name: &'static str,
    fresh: Duration,
}

impl CacheBuilder {
    pub fn fresh_for(mut self, fresh: Duration) -> Self {
        self.fresh = fresh;
        self
    }
    pub fn build<K, V>(self) -> Result<Cache<K, V>, BuildError> {
        let counters = Arc::new(Counters::default());
        self.larder.0.caches.lock().push((self.name, Arc::clone(&counters)));
        let CacheBuilder { larder, name, fresh } = self;
        Ok(Cache { larder, name, fresh, counters, types: PhantomData })
    }
}

pub struct Cache<K, V> {
    larder: Larder,
    name: &'static str,
    fresh: Duration,
    counters: Arc<Counters>,
    types: PhantomData<fn(K) -> V>,
}

impl<K, V> std::fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

#[derive(Debug)]
pub struct Load;

impl<K: Key, V: Entry> Cache<K, V> {
    pub async fn get_or_load<L, F, E>(&self, key: &K, loader: L) -> Result<Hit<V>, Error>
    where
        L: FnOnce(Load) -> F,
        F: Future<Output = Result<V, E>>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let text = larder::key::text(self.name, key);
        let stored = self.larder.0.entries.lock().get(&text).cloned();
        let fresh = stored.filter(|stored| SystemClock.precise().since(stored.at) < self.fresh);
        if let Some((value, at)) = fresh.and_then(|s| Some((s.value.downcast::<V>().ok()?, s.at))) {
            self.counters.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(Hit { value, origin: Origin::Memory, age: SystemClock.precise().since(at) });
        }
        self.counters.misses.fetch_add(1, Ordering::Relaxed);
        let at = SystemClock.precise();
        let value = loader(Load).await.map_err(|error| {
            self.counters.errors.fetch_add(1, Ordering::Relaxed);
            Error::Load(error.into())
        })?;
        let value = Arc::new(value);
        let stored = Stored { value: Arc::clone(&value) as _, at };
        self.larder.0.entries.lock().insert(text, stored);
        Ok(Hit { value, origin: Origin::Loaded, age: Duration::ZERO })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Memory,
    Shared,
    Loaded,
}

#[derive(Debug)]
pub struct Hit<V> {
    value: Arc<V>,
    origin: Origin,
    age: Duration,
}

impl<V> Hit<V> {
    pub fn origin(&self) -> Origin {
        self.origin
    }
    pub fn is_stale(&self) -> bool {
        false
    }
    pub fn age(&self) -> Duration {
        self.age
    }
    pub fn into_arc(self) -> Arc<V> {
        self.value
    }
}

#[derive(Debug, Default)]
pub struct Invalidation {
    keys: Vec<String>,
    prefixes: Vec<String>,
    counters: Vec<Arc<Counters>>,
}

impl Invalidation {
    pub fn new() -> Self {
        Invalidation::default()
    }
    pub fn key<K: Key, V>(mut self, cache: &Cache<K, V>, key: &K) -> Self {
        self.keys.push(larder::key::text(cache.name, key));
        self.counters.push(Arc::clone(&cache.counters));
        self
    }
    pub fn prefix<K: Key, V, P: Key>(mut self, cache: &Cache<K, V>, prefix: &P) -> Self {
        self.prefixes.push(format!("{}:", larder::key::text(cache.name, prefix)));
        self.counters.push(Arc::clone(&cache.counters));
        self
    }
}
