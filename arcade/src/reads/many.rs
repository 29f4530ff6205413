//! Decides what a read of many keys means to HTTP: one answer, as bad as the worst of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use larder::{Entry, Key, Loaded, Lookup, Tag};

use super::{CachedReads, failed};
use crate::http::{ApiError, CacheStatus, Cached, Provenance};
use crate::settings::Caching;
use crate::storage::StorageError;

/// What many keys stand for, in their order; `None` where there is nothing.
pub(crate) type Many<T> = Vec<Option<Arc<T>>>;

impl<K, T> CachedReads<K, T>
where
    K: Key + Clone + Eq + Hash,
    T: Send + Sync + 'static,
    Arc<T>: Entry,
{
    /// The cached values, and for the keys without one those of `load`, which is asked once for all
    /// of them. Each value carries its `tags`. A key that `load` leaves out stands for nothing.
    ///
    /// # Errors
    /// The load failed.
    ///
    /// # Cancel safety
    /// Dropping the future hands the load of each key to a waiter.
    pub async fn find_many<F, Fut>(
        &self,
        keys: &[K],
        tags: fn(&T) -> Vec<Tag>,
        load: F,
    ) -> Result<Cached<Many<T>>, ApiError>
    where
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, Arc<T>>, StorageError>> + Send + 'static,
    {
        let begun = self.telemetry.now();
        let (values, provenance) = match (keys, self.caching) {
            ([], _) => (Vec::new(), self.nothing_read()),
            (_, Caching::On) => self.cached_many(keys, tags, load).await?,
            (_, Caching::Off) => {
                self.telemetry.source_reads().count(self.plan.name);
                let mut found = load(keys.to_vec()).await?;
                let values = keys.iter().map(|key| found.remove(key)).collect();
                (values, Provenance::bypass(self.plan.audience))
            }
        };
        Ok(Cached { value: Arc::new(values), provenance: self.measured(begun, provenance) })
    }

    async fn cached_many<F, Fut>(
        &self,
        keys: &[K],
        tags: fn(&T) -> Vec<Tag>,
        load: F,
    ) -> Result<(Many<T>, Provenance), ApiError>
    where
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, Arc<T>>, StorageError>> + Send + 'static,
    {
        let (source_reads, name) = (Arc::clone(self.telemetry.source_reads()), self.plan.name);
        let counted = move |keys: Vec<K>| {
            source_reads.count(name);
            let loading = load(keys);
            async move {
                let tagged = |value: Arc<T>| {
                    let tags = tags(&value);
                    tags.into_iter().fold(Loaded::value(value), Loaded::tag)
                };
                let found = loading.await?;
                let found = found.into_iter().map(|(key, value)| (key, tagged(value)));
                Ok::<HashMap<K, Loaded<Arc<T>>>, StorageError>(found.collect())
            }
        };
        let lookups = self.cache.get_or_load_many(keys, counted).await.map_err(failed)?;
        let mut provenance = self.nothing_read();
        let mut values = Vec::with_capacity(lookups.len());
        for lookup in lookups {
            let (value, origin, stale, age) = match lookup {
                Lookup::Found(hit) => {
                    (Some(Arc::clone(&hit)), hit.origin(), hit.is_stale(), hit.age())
                }
                Lookup::Absent(absence) => {
                    (None, absence.origin(), absence.is_stale(), absence.age())
                }
            };
            values.push(value);
            provenance = provenance.and(Provenance { age, ..self.provenance(origin, stale) });
        }
        Ok((values, provenance))
    }

    /// Of an answer that needed no read: no other is better.
    fn nothing_read(&self) -> Provenance {
        Provenance {
            status: CacheStatus::Hit,
            origin: "memory",
            age: Duration::ZERO,
            audience: self.plan.audience,
        }
    }
}
