//! The names that an invalidation may name in the simulated source, and the versions by which the
//! checker tells old from new: each commit raises the version of every name that it names.

use larder::record::Mode;
use serde::{Deserialize, Serialize};

/// Rows of the source. Few, so that operations meet.
pub(crate) const KEYS: usize = 4;

/// One thing that can be invalidated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// One row, below [`KEYS`].
    Key(usize),
    /// Everything in the namespace.
    Root,
    /// The one cache.
    Cache,
    /// The rows of group 0: the first two.
    Prefix,
    /// The rows whose owner this is at the moment: a tag that depends on the value.
    Owner(usize),
    /// A glob that matches every row but the second.
    Pattern,
}

/// Owners that a row may have.
pub(crate) const OWNERS: usize = 2;
/// The owner of a row that was stored by `set`, which gives a value no tags.
pub(crate) const NOBODY: usize = OWNERS;
const ROOT: usize = KEYS;
const CACHE: usize = KEYS + 1;
const PREFIX: usize = KEYS + 2;
const OWNER: usize = KEYS + 3;
const PATTERN: usize = OWNER + OWNERS;
const NAMES: usize = PATTERN + 1;

/// Group and number of each row: what its typed key shows. The rows of one group live on both
/// shards, see the test of the node.
pub(crate) const PARTS: [(u64, u64); KEYS] = [(0, 10), (0, 20), (1, 11), (1, 12)];

/// The text of [`Named::Pattern`] behind the name of the cache.
pub(crate) const PATTERN_TEXT: &str = "*:1?";

impl Named {
    fn index(self) -> usize {
        match self {
            Named::Key(key) => key,
            Named::Root => ROOT,
            Named::Cache => CACHE,
            Named::Prefix => PREFIX,
            Named::Owner(owner) => OWNER + owner,
            Named::Pattern => PATTERN,
        }
    }

    /// The row, if this names one.
    pub(crate) fn as_key(self) -> Option<usize> {
        match self {
            Named::Key(key) => Some(key),
            _ => None,
        }
    }

    /// Whether this names row `key` while it belongs to `owner`.
    pub(crate) fn covers(self, key: usize, owner: usize) -> bool {
        match self {
            Named::Key(named) => named == key,
            Named::Root | Named::Cache => true,
            Named::Prefix => PARTS[key].0 == 0,
            Named::Owner(named) => named == owner,
            Named::Pattern => (10..20).contains(&PARTS[key].1),
        }
    }

    fn all() -> impl Iterator<Item = Named> {
        let wide = [Named::Root, Named::Cache, Named::Prefix, Named::Pattern];
        (0..KEYS).map(Named::Key).chain((0..OWNERS).map(Named::Owner)).chain(wide)
    }
}

/// A version of each name, hard and soft. What the source holds, a value has seen, or an
/// acknowledgement promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, larder::Entry)]
pub(crate) struct Versions {
    hard: [u32; NAMES],
    soft: [u32; NAMES],
}

impl Versions {
    fn side(&mut self, mode: Mode) -> &mut [u32; NAMES] {
        match mode {
            Mode::Hard => &mut self.hard,
            Mode::Soft => &mut self.soft,
        }
    }

    /// The next version of `named`; a commit.
    pub(crate) fn bump(&mut self, named: Named, mode: Mode) -> u32 {
        let version = &mut self.side(mode)[named.index()];
        *version += 1;
        *version
    }

    /// Knows `named` up to `version`.
    pub(crate) fn raise(&mut self, named: Named, mode: Mode, version: u32) {
        let known = &mut self.side(mode)[named.index()];
        *known = version.max(*known);
    }

    /// Knows all that `other` knows.
    pub(crate) fn merge(&mut self, other: &Versions) {
        for index in 0..NAMES {
            self.hard[index] = self.hard[index].max(other.hard[index]);
            self.soft[index] = self.soft[index].max(other.soft[index]);
        }
    }

    /// The hard version of one row.
    pub(crate) fn of_key(&self, key: usize) -> u32 {
        self.hard[key]
    }
}

/// What the loader answers for a row: whose it is and every version it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, larder::Entry)]
pub(crate) struct Row {
    /// Which row.
    pub(crate) key: usize,
    /// Its owner, below [`OWNERS`], becomes a tag; or [`NOBODY`].
    pub(crate) owner: usize,
    /// The source when it was read.
    pub(crate) seen: Versions,
}

/// How an answer was marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Fresh,
    Stale,
}

impl Row {
    /// A number that differs for most different rows.
    pub(crate) fn digest(&self) -> u64 {
        let seen = self.seen.hard.iter().chain(&self.seen.soft);
        seen.fold(self.owner as u64, |sum, version| sum.wrapping_mul(1_000_003) + u64::from(*version))
    }

    /// What it has seen, for a violation.
    pub(crate) fn story(&self) -> String {
        let Row { owner, seen, .. } = self;
        format!("owner {owner}, hard versions {:?}, soft versions {:?}", seen.hard, seen.soft)
    }

    /// The first name that this row should have seen by `floor` but has not. A row marked stale
    /// may miss soft invalidations.
    pub(crate) fn misses(&self, floor: &Versions, mark: Mark) -> Option<Named> {
        Named::all().filter(|named| named.covers(self.key, self.owner)).find(|named| {
            let index = named.index();
            self.seen.hard[index] < floor.hard[index]
                || mark == Mark::Fresh && self.seen.soft[index] < floor.soft[index]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_old_for_names_that_cover_it_and_stale_rows_only_for_hard_ones() {
        let row = Row { key: 1, owner: 0, seen: Versions::default() };
        let floor = |named, mode| {
            let mut floor = Versions::default();
            floor.bump(named, mode);
            floor
        };
        for named in [Named::Key(1), Named::Root, Named::Cache, Named::Prefix, Named::Owner(0)] {
            assert_eq!(row.misses(&floor(named, Mode::Hard), Mark::Stale), Some(named));
            assert_eq!(row.misses(&floor(named, Mode::Soft), Mark::Fresh), Some(named));
            assert_eq!(row.misses(&floor(named, Mode::Soft), Mark::Stale), None);
        }
        for named in [Named::Key(0), Named::Owner(1), Named::Pattern] {
            assert_eq!(row.misses(&floor(named, Mode::Hard), Mark::Fresh), None);
        }
    }
}
