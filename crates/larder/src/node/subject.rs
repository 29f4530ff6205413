//! What is judged: an entry as judges see it.

use crate::key::EncodedKey;
use crate::memory::resident::EpochNumber;
use crate::name::NameHash;

/// Where an entry is when it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Residence {
    /// Inserted and judged: hard key records and finished patterns remove it themselves.
    InMemory,
    /// Anything else: a candidate, the result of a load, an entry just inserted.
    Elsewhere,
}

/// An entry as judges see it.
pub(crate) struct Subject<'a> {
    /// The local sequence when what is judged began.
    pub(crate) l0: u64,
    pub(crate) residence: Residence,
    pub(crate) epoch: EpochNumber,
    pub(crate) as_of: u64,
    /// No record of the key up to this position outdates the entry: only later ones count.
    pub(crate) key_as_of: u64,
    /// Flagged soft. A resident's flag is read after its verdict, see `Node::judge_resident`.
    pub(crate) soft: bool,
    pub(crate) key_slot: u16,
    pub(crate) names: Names<'a>,
}

/// The names of an entry: its key, and its tags.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) key: &'a EncodedKey,
    /// The cache's name as tables know it.
    pub(crate) cache: NameHash,
    /// The proper prefixes of the key.
    pub(crate) prefixes: &'a [NameHash],
    /// The tags of the value.
    pub(crate) tags: &'a [NameHash],
}
