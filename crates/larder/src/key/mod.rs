//! Decides how typed keys become bytes. The only module that formats keys; knows no cache.
//!
//! A [`Key`] shows its parts, in order, to a [`Parts`] visitor. Three visitors give everything
//! else: one encodes, one hashes, one compares with stored bytes, so a memory hit encodes nothing.

mod encoding;
pub mod pattern;

use std::fmt;
use std::sync::Arc;

use crate::record::{Name, NameHash, NameKind};

pub use larder_macros::Key;

pub(crate) use encoding::{Matcher, PartsHasher, display};
use encoding::Encoder;

/// Encoded keys above this many bytes are replaced by their cache's name and a SHA-256 digest.
pub const KEY_BYTES_MAX: usize = 512;

/// A typed cache key, composed of parts. Derive it.
///
/// Two keys of one type are the same key exactly when they show the same parts; encodings sort
/// as the parts do. Types that show different parts for equal values break the cache.
///
/// ```
/// #[derive(larder::Key)]
/// struct Page { user: u64, number: u32 }
/// assert_eq!(larder::key::text("notifications", &Page { user: 7, number: 1 }), "notifications:7:1");
/// ```
pub trait Key: Send + Sync + 'static {
    /// Shows each part, in order.
    fn visit<P: Parts>(&self, parts: &mut P);
}

/// Sees the parts of a key, in order. Implemented by this crate only.
pub trait Parts: sealed::Sealed {
    /// Text, such as a name.
    fn text(&mut self, part: &str);
    /// Raw bytes.
    fn bytes(&mut self, part: &[u8]);
    /// An unsigned number; all widths are one kind of part.
    fn unsigned(&mut self, part: u64);
    /// A signed number; all widths are one kind of part.
    fn signed(&mut self, part: i64);
    /// A 128-bit number, such as a UUID.
    fn wide(&mut self, part: u128);
    /// A truth value.
    fn flag(&mut self, part: bool);
    /// Says that an optional part follows, or that there is none.
    fn optional(&mut self, present: bool);
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// A key as bytes: the name of its cache, then its parts.
///
/// The encoding is injective, and sorts as the parts do (after the tuple layer of FoundationDB).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EncodedKey(Arc<[u8]>);

impl EncodedKey {
    /// Encodes `key` of the cache called `cache`.
    pub fn new<K: Key + ?Sized>(cache: &str, key: &K) -> Self {
        EncodedKey(Encoder::whole(cache, key).finished())
    }

    /// A key as it was encoded before, on this node or another.
    pub fn from_encoded(bytes: impl Into<Arc<[u8]>>) -> Self {
        EncodedKey(bytes.into())
    }

    /// The encoded bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn shared_bytes(&self) -> Arc<[u8]> {
        Arc::clone(&self.0)
    }

    /// The name of the key's cache; empty if these bytes are no key.
    pub fn cache(&self) -> &str {
        encoding::cache_of(&self.0).map_or("", |(cache, _)| cache)
    }

    /// The encoded parts, without the cache's name.
    pub(crate) fn parts(&self) -> &[u8] {
        encoding::cache_of(&self.0).map_or(&[], |(_, parts)| parts)
    }

    /// Whether the key was longer than [`KEY_BYTES_MAX`] and only its digest is left.
    pub fn is_hashed(&self) -> bool {
        encoding::is_hashed(self.parts())
    }

    /// The hash by which tables know this key.
    pub fn hash(&self) -> NameHash {
        NameHash::of(NameKind::Key, &self.0)
    }

    /// The hash of the cache's name.
    pub fn cache_hash(&self) -> NameHash {
        NameHash::of(NameKind::Cache, self.cache().as_bytes())
    }
}

impl fmt::Display for EncodedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&display(&self.0))
    }
}

impl fmt::Debug for EncodedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key with the hashes of the prefixes that it implies.
#[derive(Debug, Clone)]
pub(crate) struct KeyNames {
    pub(crate) key: EncodedKey,
    /// Each proper prefix of the parts, shortest first.
    pub(crate) prefixes: Vec<NameHash>,
}

impl KeyNames {
    pub(crate) fn new<K: Key + ?Sized>(cache: &str, key: &K) -> Self {
        let encoder = Encoder::whole(cache, key);
        let prefixes = encoder.proper_prefixes().map(|bytes| prefix_name(bytes).hash()).collect();
        KeyNames { key: EncodedKey(encoder.finished()), prefixes }
    }
}

/// The name of everything in `cache` whose key begins with the parts of `prefix`.
///
/// It does not name the key that *is* `prefix`: an invalidation appends that one too.
pub fn encoded_prefix<K: Key + ?Sized>(cache: &str, prefix: &K) -> Name {
    prefix_name(Encoder::whole(cache, prefix).unhashed())
}

fn prefix_name(bytes: &[u8]) -> Name {
    Name::prefix(bytes)
}

/// The text of a key: its cache's name and its parts, joined by `:`.
///
/// Inside a part `:`, `%` and control characters show as `%` and two hexadecimal digits, so equal
/// texts of keys of one type mean equal keys. Patterns match this text.
pub fn text<K: Key + ?Sized>(cache: &str, key: &K) -> String {
    display(Encoder::whole(cache, key).unhashed())
}
