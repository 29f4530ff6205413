//! How the rows of the simulated source are called in the cache: keys, prefixes, tags, patterns.

use std::sync::LazyLock;

use larder::key::EncodedKey;
use larder::key::pattern::Pattern;
use larder::record::{Name, Tag};

use crate::world::names::{Named, PARTS, PATTERN_TEXT};

/// The one cache.
pub(crate) const CACHE: &str = "rows";

/// The typed key of a row.
#[derive(Debug, Clone, Copy, larder::Key)]
pub(crate) struct RowKey {
    group: u64,
    number: u64,
}

impl RowKey {
    /// The key of row `key`.
    pub(crate) fn of(key: usize) -> Self {
        let (group, number) = PARTS[key];
        RowKey { group, number }
    }

    /// As the shared tier knows it.
    pub(crate) fn encoded(key: usize) -> EncodedKey {
        EncodedKey::new(CACHE, &RowKey::of(key))
    }
}

/// The prefix of all rows of `group`.
pub(crate) fn prefix(group: u64) -> Name {
    Name::prefix(CACHE, &(group,))
}

/// The tag of all rows of `owner`.
pub(crate) fn owner_tag(owner: usize) -> Tag {
    Tag::new(format!("owner-{owner}"))
}

/// What the pattern of the simulation matches.
pub(crate) fn pattern() -> Pattern {
    static PATTERN: LazyLock<Pattern> = LazyLock::new(|| {
        Pattern::glob(&format!("{CACHE}:{PATTERN_TEXT}")).expect("the text is a glob")
    });
    PATTERN.clone()
}

/// The name that a record carries; `None`: a pattern, which is no record.
pub(crate) fn recorded(named: Named) -> Option<Name> {
    Some(match named {
        Named::Key(key) => Name::key(&RowKey::encoded(key)),
        Named::Root => Name::root(),
        Named::Cache => Name::cache(CACHE),
        Named::Prefix => prefix(0),
        Named::Owner(owner) => Name::tag(&owner_tag(owner)),
        Named::Pattern => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::names::KEYS;

    #[test]
    fn the_pattern_matches_exactly_the_rows_that_the_checker_thinks_it_does() {
        for key in 0..KEYS {
            let expected = Named::Pattern.covers(key, 0);
            assert_eq!(pattern().matches_key(&RowKey::encoded(key)), expected, "row {key}");
        }
    }
}
