//! Which keys of memory are worth a restart. What memory holds is what its policy kept because it was
//! read; how often each was read, nobody counts, because every hit would pay for it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::Node;
use super::sweep::each_entry;
use crate::key::is_hashed;
use crate::memory::key::{CacheId, MemoryKey};
use crate::memory::resident::Stored;

/// The keys of a cache that are worth a restart.
#[derive(Debug, Default)]
pub(crate) struct Hottest {
    /// As they are stored, the costliest load first.
    pub(crate) keys: Vec<Box<[u8]>>,
    /// Fresh ones beyond these: they cost less, or are stored as a digest, which nobody can read back.
    pub(crate) left_out: usize,
}

/// A key in memory, and what its load took.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct HotKey {
    load_cost: Duration,
    parts: Box<[u8]>,
}

/// The costliest of the keys that come by. Memory may hold millions: never more are copied than kept.
#[derive(Default)]
struct Costliest {
    kept: BinaryHeap<Reverse<HotKey>>,
    left_out: usize,
}

impl Costliest {
    fn add(&mut self, parts: &[u8], load_cost: Duration, keys_max: usize) {
        let full = self.kept.len() >= keys_max;
        let cheap = || self.kept.peek().is_none_or(|Reverse(least)| load_cost <= least.load_cost);
        if is_hashed(parts) || full && cheap() {
            self.left_out += 1;
            return;
        }
        if full {
            self.kept.pop();
            self.left_out += 1;
        }
        self.kept.push(Reverse(HotKey { load_cost, parts: Box::from(parts) }));
    }

    fn in_order(self) -> Hottest {
        let keys = self.kept.into_sorted_vec().into_iter().map(|Reverse(key)| key.parts);
        Hottest { keys: keys.collect(), left_out: self.left_out }
    }
}

impl Node {
    /// The keys of these caches that memory holds fresh, by cache, at most `keys_max` of each.
    pub(crate) async fn hot_keys(
        &self,
        of: &[CacheId],
        keys_max: usize,
    ) -> HashMap<CacheId, Hottest> {
        let now = self.clock.coarse();
        let mut found: HashMap<CacheId, Costliest> =
            of.iter().map(|cache| (*cache, Costliest::default())).collect();
        for memory in self.memories() {
            let visit = |key: &MemoryKey, entry: &Arc<dyn Stored>| {
                let meta = entry.meta();
                let Some(costliest) = found.get_mut(&meta.cache) else { return };
                if now < meta.fresh_until() && !entry.is_absent() {
                    costliest.add(key.parts(), meta.load_cost(), keys_max);
                }
            };
            each_entry(&memory, visit).await;
        }
        found.into_iter().map(|(cache, costliest)| (cache, costliest.in_order())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_costliest_are_kept_in_their_order_and_the_rest_is_counted() {
        let mut costliest = Costliest::default();
        for (key, cost) in [(1, 30), (2, 500), (3, 10), (4, 90), (5, 90), (6, 40)] {
            costliest.add(&[0x10, key], Duration::from_millis(cost), 3);
            assert!(costliest.kept.len() <= 3);
        }
        let hottest = costliest.in_order();
        let mut keys: Vec<u8> = hottest.keys.iter().map(|parts| parts[1]).collect();
        assert_eq!((keys.remove(0), hottest.left_out), (2, 3));
        keys.sort_unstable();
        assert_eq!(keys, [4, 5]);
    }
}
