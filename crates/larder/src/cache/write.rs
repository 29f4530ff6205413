//! Values that are set instead of loaded.

use super::Cache;
use super::storing::{Right, Storing};
use crate::invalidation::Invalidated;
use crate::loaded::IntoLoaded;
use crate::{Entry, Key, wait};

/// What became of a `set`.
#[derive(Debug, Clone)]
#[must_use = "`stored` may be false: another caller was loading or setting this key"]
pub struct SetOutcome {
    /// The invalidation of the old value, which happens in any case.
    pub invalidated: Invalidated,
    /// Whether the new value was stored. If not, the next read loads.
    pub stored: bool,
}

impl<K: Key, V: Entry> Cache<K, V> {
    /// Replaces the value of a key: invalidates the old one and stores the new one in one step.
    /// `value` is anything a loader may answer: a `V`, an `Option<V>`, or a
    /// [`Loaded<V>`](crate::Loaded) with a time and tags of its own.
    ///
    /// Two sets of one key are ordered by the log, not by your source: if the value was written to a
    /// source, [`write_through`](Cache::write_through) takes the lease before it. Where another
    /// caller of the fleet is loading the key, nothing is stored.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the old value invalidated; the new one may or may not be stored.
    pub async fn set(&self, key: &K, value: impl IntoLoaded<V>) -> SetOutcome {
        let core = &self.core;
        core.counters.set();
        let storing = Storing::new(core, core.sought(key), value.into_loaded(), core.node.now());
        let right = match core.node.embedded() {
            Some(_) => Right::OfTheLog,
            None if storing.is_kept() => Right::Claimed(core.claim(storing.sought()).await),
            None => Right::Claimed(None),
        };
        let records = vec![storing.record()];
        let kept = storing.store(core, records, right).await;
        SetOutcome { invalidated: kept.invalidated, stored: kept.stored }
    }

    /// Sets many values, each with its own time and tags if it has any. Answers in the same order.
    pub async fn set_many<L: IntoLoaded<V>>(
        &self,
        entries: impl IntoIterator<Item = (K, L)>,
    ) -> Vec<SetOutcome> {
        let sets = entries.into_iter().map(|(key, value)| async move { self.set(&key, value).await });
        wait::all(sets).await
    }
}
