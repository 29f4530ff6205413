//! Hot keys: what of memory goes into the file, and what of the file is read again. Keys, not values:
//! values would be users' data at rest, and nobody could say whether they still hold
//! (`docs/decisions/0022-hot-keys-not-values.md`).

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::error::SaveError;
use super::file;
use super::set::{List, Listed, Portion, Sizes, portions};
use super::snapshot::{HotKeyList, KeysOfCache};
use super::supply::Supply;
use crate::key::{KEY_BYTES_MAX, ReadableKey, read_back};
use crate::memory::key::CacheId;
use crate::node::Node;
use crate::node::hot::Hottest;

/// What was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Saved {
    /// Keys in the file.
    pub keys: usize,
    /// Keys that are not in it: beyond the limits, or too long to be stored other than as a digest.
    pub left_out: usize,
    /// The length of the file.
    pub bytes: usize,
}

/// A cache whose hot keys outlive the process.
pub(super) trait Restored: Send + Sync {
    fn cache_name(&self) -> &str;
    fn cache_id(&self) -> CacheId;
    fn fingerprint(&self) -> u64;
    /// The portions to read, and how many keys could not be read back.
    fn portions(&self, stored: &[Box<[u8]>], sizes: Sizes) -> (Vec<Portion>, usize);
}

impl<K: ReadableKey + Clone> Restored for Supply<K> {
    fn cache_name(&self) -> &str {
        Supply::cache_name(self)
    }

    fn cache_id(&self) -> CacheId {
        Supply::cache_id(self)
    }

    fn fingerprint(&self) -> u64 {
        K::FINGERPRINT
    }

    fn portions(&self, stored: &[Box<[u8]>], sizes: Sizes) -> (Vec<Portion>, usize) {
        let known = stored.iter().filter(|parts| parts.len() <= KEY_BYTES_MAX);
        let read = known.filter_map(|parts| read_back(Supply::cache_name(self), parts));
        let keys: Vec<K> = read.take(sizes.keys_max).collect();
        (portions(self, &keys, sizes), stored.len() - keys.len())
    }
}

/// The hot keys of a node, and their file.
pub(super) struct HotKeys {
    pub(super) namespace: String,
    pub(super) path: PathBuf,
    pub(super) bytes_max: usize,
    pub(super) caches: Vec<Box<dyn Restored>>,
}

impl HotKeys {
    /// What lists the keys in the file.
    pub(super) fn listing(self: &Arc<Self>) -> List {
        let hot = Arc::clone(self);
        Box::new(move |sizes| {
            let hot = Arc::clone(&hot);
            Box::pin(async move { Ok(hot.list(sizes).await) })
        })
    }

    /// Nothing in a file is a failure: what is not restored is loaded once somebody asks.
    async fn list(&self, sizes: Sizes) -> Listed {
        let mut listed = Listed::default();
        match self.found().await {
            Ok(Some(found)) => self.list_found(found, sizes, &mut listed),
            Ok(None) => {}
            Err(reason) => listed.lost.push(format!("{}: {reason}", self.path.display())),
        }
        listed
    }

    async fn found(&self) -> Result<Option<HotKeyList>, String> {
        let bytes = file::read(self.path.clone(), self.bytes_max).await;
        let Some(bytes) = bytes.map_err(|fault| fault.to_string())? else { return Ok(None) };
        let found = HotKeyList::decode(&bytes).map_err(|reason| reason.to_string())?;
        if found.namespace != self.namespace {
            return Err(format!("it is of another namespace, `{}`", found.namespace));
        }
        Ok(Some(found))
    }

    fn list_found(&self, found: HotKeyList, sizes: Sizes, listed: &mut Listed) {
        let mut by_cache = Vec::new();
        let mut taken = HashSet::new();
        for KeysOfCache { cache, fingerprint, keys } in found.caches {
            let lost = match self.caches.iter().find(|known| known.cache_name() == cache) {
                None => "there is no such cache to restore",
                // Else a cache would get as many times its limit as a file names it.
                Some(known) if !taken.insert(known.cache_id()) => "they come a second time",
                Some(known) if known.fingerprint() != fingerprint => "its keys were of another type",
                Some(known) => {
                    let (portions, left_out) = known.portions(&keys, sizes);
                    by_cache.push(portions.into_iter());
                    listed.left_out += left_out;
                    continue;
                }
            };
            listed.left_out += keys.len();
            listed.lost.push(format!("{} hot keys of `{cache}`: {lost}", keys.len()));
        }
        // A portion of each in turn: no cache waits for all keys of another.
        while !by_cache.is_empty() {
            by_cache.retain_mut(|portions| {
                let next = portions.next();
                let more = next.is_some();
                listed.portions.extend(next);
                more
            });
        }
    }

    /// Replaces the file by what memory holds now, at most `keys_max` keys of each cache.
    pub(super) async fn save(
        &self,
        node: &Node,
        keys_max: usize,
        turn: OwnedMutexGuard<()>,
    ) -> Result<Saved, SaveError> {
        let ids: Vec<CacheId> = self.caches.iter().map(|cache| cache.cache_id()).collect();
        let mut found = node.hot_keys(&ids, keys_max).await;
        let (mut caches, mut left_out) = (Vec::new(), 0);
        for cache in &self.caches {
            let hottest = found.remove(&cache.cache_id()).unwrap_or_default();
            let Hottest { keys, left_out: others } = hottest;
            left_out += others;
            let (name, fingerprint) = (cache.cache_name().to_owned(), cache.fingerprint());
            caches.push(KeysOfCache { cache: name, fingerprint, keys });
        }
        let mut list = HotKeyList { namespace: self.namespace.clone(), caches };
        left_out += list.shorten(self.bytes_max);
        let keys = list.caches.iter().map(|cache| cache.keys.len()).sum();
        let encoded = list.encode();
        let bytes = encoded.len();
        let written = file::replace(self.path.clone(), encoded, turn).await;
        written.map_err(|source| SaveError::File { path: self.path.clone(), source })?;
        Ok(Saved { keys, left_out, bytes })
    }
}
