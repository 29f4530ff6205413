//! Decides how typed keys become bytes. The only module that formats keys; knows no cache.
//!
//! A [`Key`] shows its parts, in order, to a [`Parts`] visitor. Three visitors give everything
//! else: one encodes, one hashes, one compares with stored bytes, so a memory hit encodes nothing.

mod encoding;
mod hex;
pub mod pattern;
mod reading;
pub mod shapes;
#[cfg(test)]
mod tests;
mod types;

use std::fmt;
use std::sync::Arc;

use crate::name::{NameHash, NameKind};

pub use larder_macros::Key;
pub use reading::{ReadableKey, StoredParts};

use encoding::Encoder;
pub(crate) use encoding::{
    CACHE_NAME_BYTES_MAX, Matcher, Part, display, hash_key, hash_parts, is_hashed, may_exceed,
    put_together, taken_apart,
};
pub(crate) use reading::read_back;

/// Encoded keys above this many bytes are replaced by their cache's name and a SHA-256 digest.
pub const KEY_BYTES_MAX: usize = 512;

/// A typed cache key, composed of parts. Derive it.
///
/// Two keys of one type are the same key exactly when they show the same parts; encodings of at
/// most [`KEY_BYTES_MAX`] bytes sort as the parts do. Types that show different parts for equal
/// values break the cache, and so do types that show equal parts for different values.
///
/// ```
/// #[derive(larder::Key)]
/// struct Page { user: u64, number: u32 }
/// assert_eq!(larder::key::text("notifications", &Page { user: 7, number: 1 }), "notifications:7:1");
/// ```
///
/// Numbers, `bool`, `char`, strings, `Option`, tuples, lists and the pointers to them are keys. A
/// UUID is a `u128`. Floating-point numbers are none: `NaN` differs from itself.
///
/// A variant shows its name, or the text it is given, and then its fields:
///
/// ```
/// #[derive(larder::Key)]
/// enum Board {
///     #[key(text = "all-time")]
///     AllTime,
///     Week { year: u16, number: u8 },
/// }
/// assert_eq!(larder::key::text("boards", &Board::AllTime), "boards:all-time");
/// assert_eq!(larder::key::text("boards", &Board::Week { year: 2026, number: 47 }), "boards:Week:2026:47");
/// ```
///
/// A field cannot be left out, since two values would then share one entry:
///
/// ```compile_fail
/// #[derive(larder::Key)]
/// struct Page { user: u64, #[key(skip)] number: u32 }
/// ```
///
/// Every field must be a key itself:
///
/// ```compile_fail,E0277
/// #[derive(larder::Key)]
/// struct Spot { latitude: f64, longitude: f64 }
/// ```
///
/// It cannot be a union:
///
/// ```compile_fail
/// #[derive(larder::Key)]
/// union Number { wide: u64, narrow: u32 }
/// ```
///
/// It cannot borrow, since it outlives the call that brought it:
///
/// ```compile_fail
/// #[derive(larder::Key)]
/// struct Named<'a>(&'a str);
/// fn kept<'a>(name: &'a str) -> impl larder::Key + use<'a> { Named(name) }
/// ```
pub trait Key: Send + Sync + 'static {
    /// Shows each part, in order.
    fn visit<P: Parts>(&self, parts: &mut P);

    /// How keys of this type look to people, such as `{user}:{number}`; `name` is how the key is
    /// called where it stands. Only catalogues show it.
    fn shape(name: &str) -> String {
        format!("{{{name}}}")
    }

    /// Shows a list of keys: how many there are, then each. Only bytes differ: a list of `u8` is
    /// one part of raw bytes.
    #[doc(hidden)]
    fn visit_list<P: Parts>(list: &[Self], parts: &mut P)
    where
        Self: Sized,
    {
        // Without the number, the end of a list could pass for the key that follows it.
        parts.unsigned(list.len() as u64);
        list.iter().for_each(|key| key.visit(parts));
    }
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

    /// The key of the cache called `cache` with these encoded parts.
    pub(crate) fn from_parts(cache: &str, parts: &[u8]) -> Self {
        EncodedKey(encoding::joined(cache, parts))
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
        KeyNames::of(Encoder::whole(cache, key))
    }

    fn of(encoder: Encoder) -> Self {
        let prefixes =
            encoder.proper_prefixes().map(|bytes| NameHash::of(NameKind::Prefix, bytes)).collect();
        KeyNames { key: EncodedKey(encoder.finished()), prefixes }
    }

    /// The names of a key as it is stored. Of a hashed one the prefixes are not known any more.
    pub(crate) fn of_stored(cache: &str, parts: &[u8]) -> Self {
        if encoding::is_hashed(parts) {
            return KeyNames { key: EncodedKey::from_parts(cache, parts), prefixes: Vec::new() };
        }
        KeyNames::of(Encoder::stored(cache, parts))
    }
}

/// The encoded parts that keys under `prefix` begin with; `None` if it has no parts.
pub(crate) fn prefix_bytes<K: Key + ?Sized>(cache: &str, prefix: &K) -> Option<Arc<[u8]>> {
    Encoder::whole(cache, prefix).longest_prefix().map(Arc::from)
}

/// The text of a key: its cache's name and its parts, joined by `:`.
///
/// Inside a part `:`, `%` and control characters show as `%` and two hexadecimal digits, so equal
/// texts of keys of one derived type mean equal keys. Patterns match this text.
pub fn text<K: Key + ?Sized>(cache: &str, key: &K) -> String {
    display(Encoder::whole(cache, key).unhashed())
}
