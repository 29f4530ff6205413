//! Decides how a list is cut into pages.

use super::fields::{Fields, Input};
use super::format::integer;

/// The most items on a page.
pub const LIMIT_MAX: u32 = 100;

/// Items on a page where the caller names no limit and the list has no number of its own.
pub const LIMIT_DEFAULT: u32 = 20;

/// The last page that can be asked for. Skipping rows costs time in proportion.
pub const PAGE_MAX: u32 = 100_000;

/// Pages above this number bypass the cache: few ask for them, and each would take the place of
/// a page that many ask for.
pub const PAGES_CACHED_MAX: u32 = 3;

/// A page of a list, as the query names it: `page` from 1, `limit` from 1 to [`LIMIT_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The page's number; the first is 1.
    pub number: u32,
    /// The most items on it.
    pub limit: u32,
}

impl Page {
    /// Takes `page` and `limit`; `limit_default` stands where the caller names none.
    pub fn read(fields: &mut Fields, limit_default: u32) -> Option<Self> {
        let number = fields.or("page", 1, integer(1..=PAGE_MAX));
        let limit = fields.or("limit", limit_default, integer(1..=LIMIT_MAX));
        Some(Page { number: number?, limit: limit? })
    }

    /// Whether the page may be kept in the cache.
    pub fn is_cached(self) -> bool {
        self.number <= PAGES_CACHED_MAX
    }

    /// How many items come before it.
    pub fn skipped(self) -> i64 {
        i64::from(self.number - 1) * i64::from(self.limit)
    }
}

/// A query that names a page and nothing else; `LIMIT` stands where it names no limit.
#[derive(Debug, Clone, Copy)]
pub struct PageQuery<const LIMIT: u32>(pub Page);

impl<const LIMIT: u32> Input for PageQuery<LIMIT> {
    fn read(fields: &mut Fields) -> Option<Self> {
        Page::read(fields, LIMIT).map(PageQuery)
    }
}
