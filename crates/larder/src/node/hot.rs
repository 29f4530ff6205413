//! Which keys of memory are worth a restart. What memory holds is what its policy kept because it was
//! read; how often each was read, nobody counts, because every hit would pay for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Node;
use super::sweep::each_entry;
use crate::memory::key::{CacheId, MemoryKey};
use crate::memory::resident::Stored;

/// A key in memory, and what its load took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HotKey {
    pub(crate) load_cost: Duration,
    /// As they are stored.
    pub(crate) parts: Box<[u8]>,
}

impl Node {
    /// The keys of these caches that memory holds fresh, by cache, the costliest load first.
    pub(crate) async fn hot_keys(&self, of: &[CacheId]) -> HashMap<CacheId, Vec<HotKey>> {
        let now = self.clock.coarse();
        let mut found: HashMap<CacheId, Vec<HotKey>> =
            of.iter().map(|cache| (*cache, Vec::new())).collect();
        for memory in self.memories() {
            let visit = |key: &MemoryKey, entry: &Arc<dyn Stored>| {
                let meta = entry.meta();
                let Some(keys) = found.get_mut(&meta.cache) else { return };
                if now < meta.fresh_until() && !entry.is_absent() {
                    let parts = Box::from(key.parts());
                    keys.push(HotKey { load_cost: meta.load_cost(), parts });
                }
            };
            each_entry(&memory, visit).await;
        }
        for keys in found.values_mut() {
            keys.sort_by_key(|key| std::cmp::Reverse(key.load_cost));
        }
        found
    }
}
