//! Many keys in one call.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::{BoxError, Cache};
use crate::error::SourceError;
use crate::hit::{Answer, Lookup};
use crate::loaded::{IntoLoaded, Load, Loaded};
use crate::read::{BatchLoader, Loader, Loading, fetch, read_many};
use crate::{Entry, Error, Key};

impl<K: Key, V: Entry> Cache<K, V> {
    /// What memory or the shared tier has of these keys, in their order; one read of each shard.
    pub async fn get_many(&self, keys: &[K]) -> Vec<Option<Lookup<V>>> {
        let sought: Vec<_> = keys.iter().map(|key| self.core.sought(key)).collect();
        let answers = fetch(&self.core, &sought, &self.demand()).await;
        answers.into_iter().map(|answer| answer.map(Answer::into_lookup)).collect()
    }

    /// Answers these keys in their order; `load` is called once for all that nobody else loads.
    ///
    /// The loader gets the missing keys and answers a map; a key that it leaves out is absent.
    /// Two calls that overlap never load a key twice. In rare cases (another node was loading a
    /// key and failed to) the loader is called once more for the rest.
    ///
    /// # Errors
    /// As [`Cache::get_or_load`]; one error for the whole call.
    ///
    /// # Cancel safety
    /// As [`Cache::get_or_load`], for each key.
    pub async fn get_or_load_many<F, Fut, L, E>(
        &self,
        keys: &[K],
        load: F,
    ) -> Result<Vec<Lookup<V>>, Error>
    where
        K: Clone + Eq + Hash,
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, L>, E>> + Send + 'static,
        L: IntoLoaded<V>,
        E: Into<BoxError> + 'static,
    {
        let sought = keys.iter().map(|key| self.core.sought(key)).collect();
        let loader = Many { keys: Arc::from(keys), load: Arc::new(load) };
        let demand = self.demand();
        let answers = Box::pin(read_many(&self.core, sought, &demand, &loader)).await?;
        Ok(answers.into_iter().map(Answer::into_lookup).collect())
    }
}

/// A caller's loader of many keys.
struct Many<K, F> {
    keys: Arc<[K]>,
    load: Arc<F>,
}

impl<K, V, F, Fut, L, E> BatchLoader<V> for Many<K, F>
where
    K: Key + Clone + Eq + Hash,
    V: Entry,
    F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<HashMap<K, L>, E>> + Send + 'static,
    L: IntoLoaded<V>,
    E: Into<BoxError> + 'static,
{
    fn for_keys(&self, places: Vec<usize>) -> Box<dyn Loader<V>> {
        let (keys, load) = (Arc::clone(&self.keys), Arc::clone(&self.load));
        Box::new(move |loads: Vec<Load<V>>| -> Loading<V> {
            let wanted: Vec<K> =
                loads.iter().map(|load| keys[places[load.index()]].clone()).collect();
            let loading = load(wanted.clone());
            Box::pin(async move {
                let mut found =
                    loading.await.map_err(|error| Error::Source(SourceError::new(error)))?;
                let answer =
                    |key| found.remove(key).map_or_else(Loaded::absent, IntoLoaded::into_loaded);
                Ok(wanted.iter().map(answer).collect())
            })
        })
    }
}
