//! Decides how a list is cut by the number of things to skip, and which of these parts are worth a
//! place in the cache.

use super::fields::Fields;
use super::format::integer;
use super::page::{LIMIT_DEFAULT, LIMIT_MAX, PAGES_CACHED_MAX};

/// The most things that can be skipped. Skipping rows costs time in proportion.
const OFFSET_MAX: u32 = 1_000_000;

/// A part of a list, as the query names it: `limit` from 1 to [`LIMIT_MAX`] behind the first
/// `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The most things in it.
    pub limit: u32,
    /// How many come before it.
    pub offset: u32,
}

impl Slice {
    /// Takes `limit` and `offset`.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        let limit = fields.or("limit", LIMIT_DEFAULT, integer(1..=LIMIT_MAX));
        let offset = fields.or("offset", 0, integer(0..=OFFSET_MAX));
        Some(Slice { limit: limit?, offset: offset? })
    }

    /// Whether it may be kept in the cache: it is one of the first pages. Of those that begin
    /// elsewhere a caller could make up as many as there are numbers.
    pub fn is_cached(self) -> bool {
        self.offset.is_multiple_of(self.limit) && self.offset / self.limit < PAGES_CACHED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_pages_are_kept_and_nothing_between_or_behind_them() {
        let cached = |offset| Slice { limit: 20, offset }.is_cached();
        assert!([0, 20, 40].into_iter().all(cached));
        assert!(![1, 19, 21, 60, 61, OFFSET_MAX].into_iter().any(cached));
    }
}
