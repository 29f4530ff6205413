//! Decides what is said of a cache: its name, its lifetime, what drops its entries and who may see
//! them. The cache is built from it and the description of the routes is made from it, so the two
//! cannot differ.

use std::time::Duration;

use crate::settings;

/// Who may be shown an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    Public,
    /// The one who asked.
    Private,
}

impl Audience {
    /// Our invalidations reach no browser and no proxy: each may keep an answer, but must ask
    /// before it shows it again.
    pub(super) const fn cache_control(self) -> &'static str {
        match self {
            Audience::Public => "public, no-cache",
            Audience::Private => "private, no-cache",
        }
    }

    /// The narrower of two.
    pub(super) const fn and(self, other: Audience) -> Audience {
        match (self, other) {
            (Audience::Public, Audience::Public) => Audience::Public,
            _ => Audience::Private,
        }
    }
}

/// What a cache is called, how long its entries are fresh, what drops them and who may see them.
#[derive(Debug, Clone, Copy)]
pub struct CachePlan {
    /// The first part of its keys.
    pub name: &'static str,
    /// How long its entries are fresh.
    pub fresh: fn(&settings::Cache) -> Duration,
    /// How much longer they are served, marked stale, while one caller loads them again.
    pub stale: fn(&settings::Cache) -> Duration,
    /// How long the knowledge that there is no such thing is kept; zero if it is not.
    pub absent: Duration,
    /// What an invalidation names to drop entries, such as `tournament:{id}`.
    pub tags: &'static [&'static str],
    /// Who may see them.
    pub audience: Audience,
}
