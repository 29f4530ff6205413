//! One read with wishes of its own.

use super::{BoxError, Cache};
use crate::error::SourceError;
use crate::hit::{Answer, Lookup};
use crate::loaded::{IntoLoaded, Load};
use crate::read::{Consistency, Demand, Loader, Loading, fetch_one, read};
use crate::{Entry, Error, Key};

/// A read about to be made, see [`Cache::read`].
#[must_use = "a read does nothing until `get` or `get_or_load`"]
pub struct Read<'c, K, V> {
    cache: &'c Cache<K, V>,
    key: &'c K,
    demand: Demand,
}

impl<'c, K: Key, V: Entry> Read<'c, K, V> {
    pub(super) fn new(cache: &'c Cache<K, V>, key: &'c K, demand: Demand) -> Self {
        Read { cache, key, demand }
    }

    /// How current the answer must be, instead of the cache's consistency.
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.demand.consistency = consistency;
        self
    }

    /// Does not look into this process's memory; the answer is still put there.
    pub fn skip_memory(mut self) -> Self {
        self.demand.skip_memory = true;
        self
    }

    /// Neither reads nor fills the shared tier.
    pub fn skip_shared(mut self) -> Self {
        self.demand.skip_shared = true;
        self
    }

    /// Asks the source, and keeps nothing of it.
    pub fn bypass(mut self) -> Self {
        self.demand.bypass = true;
        self
    }

    /// Waits until the shared tier has answered the fill.
    pub fn await_fill(mut self) -> Self {
        self.demand.await_fill = true;
        self
    }

    /// As [`Cache::get`].
    pub async fn get(self) -> Option<Lookup<V>> {
        let core = &self.cache.core;
        if self.demand.bypass {
            return None;
        }
        let answer = fetch_one(core, &core.sought(self.key), &self.demand).await;
        answer.map(Answer::into_lookup)
    }

    /// As [`Cache::get_or_load`].
    ///
    /// # Errors
    /// As [`Cache::get_or_load`].
    pub async fn get_or_load<F, Fut, L, E>(self, load: F) -> Result<L::Answer, Error>
    where
        F: FnOnce(Load<V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, E>> + Send + 'static,
        L: IntoLoaded<V>,
        E: Into<BoxError> + 'static,
    {
        self.cache.read_with(self.key, self.demand, load).await
    }
}

impl<K: Key, V: Entry> Cache<K, V> {
    pub(super) async fn read_with<F, Fut, L, E>(
        &self,
        key: &K,
        demand: Demand,
        load: F,
    ) -> Result<L::Answer, Error>
    where
        F: FnOnce(Load<V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, E>> + Send + 'static,
        L: IntoLoaded<V>,
        E: Into<BoxError> + 'static,
    {
        let answer = Box::pin(read(&self.core, self.core.sought(key), &demand, one(load))).await?;
        L::shape(answer.into_lookup())
    }
}

/// A caller's loader of one key.
fn one<V, F, Fut, L, E>(load: F) -> Box<dyn Loader<V>>
where
    V: Entry,
    F: FnOnce(Load<V>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<L, E>> + Send + 'static,
    L: IntoLoaded<V>,
    E: Into<BoxError> + 'static,
{
    let mut load = Some(load);
    Box::new(move |mut loads: Vec<Load<V>>| -> Loading<V> {
        match (load.take(), loads.pop()) {
            (Some(load), Some(told)) => {
                let loading = load(told);
                Box::pin(async move {
                    match loading.await {
                        Ok(answer) => Ok(vec![answer.into_loaded()]),
                        Err(error) => Err(Error::Source(SourceError::new(error))),
                    }
                })
            }
            // One key is led once, and loaded once.
            _ => Box::pin(async { Err(Error::Closed) }),
        }
    })
}
