//! What an invalidation names: the vocabulary of the log. Knows no shard, node or clock.

use std::fmt;
use std::sync::Arc;

use crate::key::pattern::Pattern;
use crate::key::{EncodedKey, Key, prefix_bytes};
pub use crate::name::{NameHash, NameKind};

/// How hard an invalidation hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The entry is gone: nobody is served it again.
    Hard,
    /// The entry is stale: it may be served, marked so, while one caller reloads it.
    Soft,
}

/// The name that a record of the log carries. Equal names have equal kind and bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name {
    kind: NameKind,
    bytes: Arc<[u8]>,
}

impl Name {
    /// The name of every entry.
    pub fn root() -> Self {
        Name { kind: NameKind::Root, bytes: Arc::from([]) }
    }

    /// The name of every entry of the cache called `cache`.
    pub fn cache(cache: &str) -> Self {
        Name { kind: NameKind::Cache, bytes: Arc::from(cache.as_bytes()) }
    }

    /// The name of every entry that carries `tag`.
    pub fn tag(tag: &Tag) -> Self {
        Name { kind: NameKind::Tag, bytes: Arc::from(tag.as_str().as_bytes()) }
    }

    /// The name of everything in `cache` whose key begins with the parts of `prefix`.
    ///
    /// It does not name the key that *is* `prefix`: an invalidation appends that one too. A prefix
    /// without parts, such as `()`, names the whole cache.
    pub fn prefix<K: Key + ?Sized>(cache: &str, prefix: &K) -> Self {
        match prefix_bytes(cache, prefix) {
            Some(bytes) => Name { kind: NameKind::Prefix, bytes },
            None => Name::cache(cache),
        }
    }

    /// The name of one entry.
    pub fn key(key: &EncodedKey) -> Self {
        Name { kind: NameKind::Key, bytes: key.shared_bytes() }
    }

    /// A name as a shard stored it.
    pub fn from_parts(kind: NameKind, bytes: impl Into<Arc<[u8]>>) -> Self {
        Name { kind, bytes: bytes.into() }
    }

    /// What it names.
    pub fn kind(&self) -> NameKind {
        self.kind
    }

    /// The encoded key or prefix, or the text of the cache or tag.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key this name stands for, if it names one entry.
    pub fn as_key(&self) -> Option<EncodedKey> {
        (self.kind == NameKind::Key).then(|| EncodedKey::from_encoded(Arc::clone(&self.bytes)))
    }

    /// The hash under which tables and pending sets know this name.
    pub fn hash(&self) -> NameHash {
        NameHash::of(self.kind, &self.bytes)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            NameKind::Root => f.write_str("everything"),
            NameKind::Cache => write!(f, "cache {}", String::from_utf8_lossy(&self.bytes)),
            NameKind::Tag => write!(f, "tag {}", String::from_utf8_lossy(&self.bytes)),
            NameKind::Prefix => write!(f, "prefix {}", crate::key::display(&self.bytes)),
            NameKind::Key => write!(f, "key {}", crate::key::display(&self.bytes)),
        }
    }
}

/// A label that a loader puts on values, so that they can be invalidated together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Box<str>);

impl Tag {
    /// A tag with this text. Any text is a valid tag; equal texts are the same tag in every cache.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Tag(text.into())
    }

    /// The text of the tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> NameHash {
        NameHash::of(NameKind::Tag, self.0.as_bytes())
    }
}

impl<T: Into<Box<str>>> From<T> for Tag {
    fn from(text: T) -> Self {
        Tag::new(text)
    }
}

/// One invalidation as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What is invalidated.
    pub name: Name,
    /// Gone, or stale.
    pub mode: Mode,
}

/// One step of the log as a shard keeps it.
#[derive(Debug, Clone)]
pub struct LogRecord {
    /// Its place in the log of its shard and epoch; the first record has position 1.
    pub position: u64,
    /// What happened.
    pub change: Change,
}

/// What a log record says.
#[derive(Debug, Clone)]
pub enum Change {
    /// A name was invalidated.
    Invalidated(Record),
    /// The scan of a pattern began; nothing to apply.
    Anchored,
    /// The scan of a pattern ended: what matches and began before `anchor` is dead or stale.
    Finished {
        /// What was scanned for.
        pattern: Pattern,
        /// Gone, or stale.
        mode: Mode,
        /// The position of the scan's anchor.
        anchor: u64,
    },
}
