//! The memory tier: one map a node, bounded by bytes and entries. Decides what is evicted, never
//! what is alive: that is [`node::judge`](crate::node::judge).

pub(crate) mod key;
pub(crate) mod resident;
mod rough;
pub(crate) mod verdict;

use std::sync::Arc;

use quick_cache::sync::Cache as Map;
use quick_cache::{Equivalent, Lifecycle, OptionsBuilder, Weighter};
use smallvec::SmallVec;

use key::{KeyHashing, MemoryKey};
use resident::Stored;

/// What left the map while an operation ran; dropped by the caller, outside every lock.
pub(crate) type Evicted = SmallVec<[(MemoryKey, Arc<dyn Stored>); 2]>;

/// The bounds of a memory tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) bytes_max: u64,
    pub(crate) entries_max: u64,
}

impl Bounds {
    /// The map is bounded by weight alone. An entry weighs its bytes, but at least its share of
    /// the budget, so that weight bounds the entries too.
    pub(crate) fn weight_floor(self) -> u64 {
        (self.bytes_max / self.entries_max.max(1)).max(1)
    }

    /// What the map may weigh: so many entries at the floor, and no byte more than allowed.
    fn capacity(self) -> u64 {
        self.weight_floor().saturating_mul(self.entries_max).min(self.bytes_max)
    }

    /// The map is split so that threads do not wait for each other. Each part is full by itself,
    /// so a small budget is not split: it would hold less than it promises, and no large value.
    fn map_shards(self) -> usize {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = (4 * threads).next_power_of_two() as u64;
        let held = (self.entries_max / PART_ENTRIES_MIN).min(self.bytes_max / PART_BYTES_MIN);
        usize::try_from(wanted.min(held).max(1)).unwrap_or(1)
    }
}

/// A part of the map holds at least so many entries.
const PART_ENTRIES_MIN: u64 = 256;
/// A part of the map holds at least so many bytes.
const PART_BYTES_MIN: u64 = 8 << 20;

/// What the map's slot, its hash table and the entry's head take besides key and value.
pub(crate) const ENTRY_BYTES: usize = 168;

#[derive(Clone)]
struct ByBytes {
    floor: u64,
}

impl Weighter<MemoryKey, Arc<dyn Stored>> for ByBytes {
    fn weight(&self, _: &MemoryKey, entry: &Arc<dyn Stored>) -> u64 {
        u64::from(entry.meta().weight).max(self.floor)
    }
}

#[derive(Clone)]
struct Collect;

impl Lifecycle<MemoryKey, Arc<dyn Stored>> for Collect {
    type RequestState = Evicted;

    fn on_evict(&self, evicted: &mut Evicted, key: MemoryKey, entry: Arc<dyn Stored>) {
        evicted.push((key, entry));
    }
}

/// The map.
pub(crate) struct Memory {
    map: Map<MemoryKey, Arc<dyn Stored>, ByBytes, KeyHashing, Collect>,
}

impl Memory {
    pub(crate) fn new(bounds: Bounds, hashing: KeyHashing) -> Self {
        let floor = bounds.weight_floor();
        let options = OptionsBuilder::new()
            .shards(bounds.map_shards())
            .weight_capacity(bounds.capacity())
            .estimated_items_capacity(
                usize::try_from(bounds.entries_max).unwrap_or(usize::MAX).min(1 << 16),
            )
            .build()
            .expect("weight and items are set");
        Memory { map: Map::with_options(options, ByBytes { floor }, hashing, Collect) }
    }

    #[inline]
    pub(crate) fn get<Q>(&self, key: &Q) -> Option<Arc<dyn Stored>>
    where
        Q: std::hash::Hash + Equivalent<MemoryKey> + ?Sized,
    {
        self.map.get(key)
    }

    /// Looks without counting as a use.
    pub(crate) fn peek<Q>(&self, key: &Q) -> Option<Arc<dyn Stored>>
    where
        Q: std::hash::Hash + Equivalent<MemoryKey> + ?Sized,
    {
        self.map.peek(key)
    }

    /// Inserts or replaces. What had to leave is collected: the value that was replaced, evicted
    /// ones, or the entry itself if it is too heavy for the map.
    pub(crate) fn insert(&self, key: MemoryKey, entry: Arc<dyn Stored>, evicted: &mut Evicted) {
        self.map.insert_with_lifecycle(key, entry, evicted);
    }

    /// Removes the entry if it is still `this` very object.
    pub(crate) fn remove_this<Q>(&self, key: &Q, this: &Arc<dyn Stored>) -> Option<Arc<dyn Stored>>
    where
        Q: std::hash::Hash + Equivalent<MemoryKey> + ?Sized,
    {
        self.remove_if(key, |entry| Arc::ptr_eq(entry, this))
    }

    pub(crate) fn remove_if<Q>(
        &self,
        key: &Q,
        unwanted: impl FnOnce(&Arc<dyn Stored>) -> bool,
    ) -> Option<Arc<dyn Stored>>
    where
        Q: std::hash::Hash + Equivalent<MemoryKey> + ?Sized,
    {
        self.map.remove_if(key, unwanted).map(|(_, entry)| entry)
    }

    /// Every entry, in no order, while others come and go. Holds a lock for a few entries at a
    /// time.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (MemoryKey, Arc<dyn Stored>)> + '_ {
        self.map.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn weight(&self) -> u64 {
        self.map.weight()
    }
}
