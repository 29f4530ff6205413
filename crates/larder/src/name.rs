//! Names reduced to what tables and pending sets know of them. Knows neither keys nor records.

use twox_hash::XxHash3_64;

/// What kind of thing a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum NameKind {
    /// Every entry of the namespace.
    Root = b'r',
    /// Every entry of one cache.
    Cache = b'c',
    /// Every entry whose key begins with these parts.
    Prefix = b'p',
    /// Every entry that carries this tag.
    Tag = b't',
    /// One entry.
    Key = b'k',
}

/// A name reduced to 64 bits, stable across processes and versions (XXH3, seeded by the kind).
///
/// Two names with one hash share their fate: a collision costs a miss, never a stale answer.
/// The upper and lower half are the two 32-bit hashes that tables reduce to slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameHash(u64);

impl NameHash {
    pub(crate) fn of(kind: NameKind, bytes: &[u8]) -> Self {
        NameHash(XxHash3_64::oneshot_with_seed(kind as u64, bytes))
    }

    /// The hash as stored with an entry.
    pub const fn from_bits(bits: u64) -> Self {
        NameHash(bits)
    }

    /// The hash as stored with an entry.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The hash that row 0 of a table reduces.
    pub const fn row0(self) -> u32 {
        self.0 as u32
    }

    /// The hash that row 1 of a table reduces.
    pub const fn row1(self) -> u32 {
        (self.0 >> 32) as u32
    }
}
