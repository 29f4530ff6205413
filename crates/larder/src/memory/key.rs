//! How the memory map knows keys: short ones without an allocation, and typed keys by hashing
//! and comparing their parts, so that a hit encodes nothing.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;
use quick_cache::Equivalent;

use crate::key::{EncodedKey, Key, Matcher, hash_key, hash_parts, may_exceed};

/// A cache's number on this node; keys of two caches never compare equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CacheId(pub(crate) u16);

/// Parts up to this long are kept inside the key: a text of 24 bytes, or three numbers.
const SHORT_MAX: usize = 28;

/// A key as the map stores it: 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MemoryKey {
    Short { len: u8, cache: CacheId, bytes: [u8; SHORT_MAX] },
    Long { cache: CacheId, bytes: Box<[u8]> },
}

impl MemoryKey {
    pub(crate) fn new(cache: CacheId, key: &EncodedKey) -> Self {
        let parts = key.parts();
        if parts.len() > SHORT_MAX {
            return MemoryKey::Long { cache, bytes: Box::from(parts) };
        }
        let mut bytes = [0; SHORT_MAX];
        bytes[..parts.len()].copy_from_slice(parts);
        MemoryKey::Short { len: parts.len() as u8, cache, bytes }
    }

    #[inline]
    pub(crate) fn parts(&self) -> &[u8] {
        match self {
            MemoryKey::Short { len, bytes, .. } => &bytes[..usize::from(*len)],
            MemoryKey::Long { bytes, .. } => bytes,
        }
    }

    #[inline]
    pub(crate) fn cache(&self) -> CacheId {
        match self {
            MemoryKey::Short { cache, .. } | MemoryKey::Long { cache, .. } => *cache,
        }
    }

    /// Bytes that the key owns outside the map's own slot.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            MemoryKey::Short { .. } => 0,
            MemoryKey::Long { bytes, .. } => bytes.len(),
        }
    }
}

impl Hash for MemoryKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u16(self.cache().0);
        state.write(self.parts());
    }
}

/// Hashes typed keys and stored keys to the same number.
#[derive(Debug, Clone)]
pub(crate) struct KeyHashing {
    seeded: FixedState,
}

impl KeyHashing {
    /// `seed` is drawn once a node, so that nobody outside can prepare colliding keys.
    pub(crate) fn new(seed: u64) -> Self {
        KeyHashing { seeded: FixedState::with_seed(seed) }
    }

    /// A key about to be looked up in the cache called `name`.
    #[inline]
    pub(crate) fn probe<'a, K: Key + ?Sized>(
        &self,
        cache: CacheId,
        name: &str,
        key: &'a K,
    ) -> Probe<'a, K> {
        Probe { hash: salted(hash_key(&self.seeded, name, key), cache), cache, key }
    }

    /// A stored key about to be looked up.
    pub(crate) fn stored<'a>(&self, cache: CacheId, parts: &'a [u8]) -> StoredProbe<'a> {
        StoredProbe { hash: self.hash_parts(cache, parts), cache, parts }
    }

    fn hash_parts(&self, cache: CacheId, parts: &[u8]) -> u64 {
        salted(hash_parts(&self.seeded, parts), cache)
    }
}

/// The same parts in two caches are two keys.
#[inline]
fn salted(hash: u64, cache: CacheId) -> u64 {
    hash ^ u64::from(cache.0).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl BuildHasher for KeyHashing {
    type Hasher = MapHasher;

    #[inline]
    fn build_hasher(&self) -> MapHasher {
        MapHasher { hashing: self.clone(), cache: CacheId(0), hash: 0 }
    }
}

/// The hasher of the map: probes bring their hash along, stored keys are decoded and hashed.
pub(crate) struct MapHasher {
    hashing: KeyHashing,
    cache: CacheId,
    hash: u64,
}

impl Hasher for MapHasher {
    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.hash = hash;
    }

    fn write_u16(&mut self, cache: u16) {
        self.cache = CacheId(cache);
    }

    fn write(&mut self, parts: &[u8]) {
        self.hash = self.hashing.hash_parts(self.cache, parts);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.hash
    }
}

/// A typed key with its hash.
pub(crate) struct Probe<'a, K: ?Sized> {
    pub(crate) hash: u64,
    cache: CacheId,
    key: &'a K,
}

impl<K: Key + ?Sized> Hash for Probe<'_, K> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K: Key + ?Sized> Equivalent<MemoryKey> for Probe<'_, K> {
    #[inline]
    fn equivalent(&self, stored: &MemoryKey) -> bool {
        match stored {
            MemoryKey::Short { len, cache, bytes } => {
                *cache == self.cache && Matcher::matches_padded(self.key, bytes, *len)
            }
            // For numbers this is known when it is compiled, so that nothing is left of it.
            MemoryKey::Long { cache, bytes } => {
                *cache == self.cache
                    && may_exceed(self.key, SHORT_MAX)
                    && Matcher::matches(self.key, bytes)
            }
        }
    }
}

/// A stored key with its hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredProbe<'a> {
    pub(crate) hash: u64,
    cache: CacheId,
    parts: &'a [u8],
}

impl Hash for StoredProbe<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Equivalent<MemoryKey> for StoredProbe<'_> {
    fn equivalent(&self, stored: &MemoryKey) -> bool {
        stored.cache() == self.cache && stored.parts() == self.parts
    }
}

impl<'a> StoredProbe<'a> {
    /// A stored key whose hash is known.
    pub(crate) fn new(hash: u64, cache: CacheId, parts: &'a [u8]) -> Self {
        StoredProbe { hash, cache, parts }
    }
}
