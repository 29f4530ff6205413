//! Decides which headers tell where an answer came from.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use larder::Origin;

use super::plan::Audience;

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const X_CACHE_ORIGIN: HeaderName = HeaderName::from_static("x-cache-origin");

/// How the cache took part in an answer; the later, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheStatus {
    /// A fresh entry.
    Hit,
    /// An entry past its fresh time.
    Stale,
    /// The source was asked, by this request or by one that it waited for.
    Miss,
    /// The cache was not asked.
    Bypass,
}

impl CacheStatus {
    const fn name(self) -> &'static str {
        match self {
            CacheStatus::Hit => "HIT",
            CacheStatus::Stale => "STALE",
            CacheStatus::Miss => "MISS",
            CacheStatus::Bypass => "BYPASS",
        }
    }
}

/// The word for where an answer came from.
pub const fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Memory => "memory",
        Origin::Shared => "shared",
        Origin::Loaded => "loaded",
    }
}

/// Where an answer came from, and for whom it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provenance {
    /// How the cache took part.
    pub status: CacheStatus,
    /// From where.
    pub origin: Origin,
    /// How long ago the source was asked.
    pub age: Duration,
    /// Who may be shown the answer again.
    pub audience: Audience,
}

impl Provenance {
    /// Of an answer that never saw the cache.
    pub const fn bypass(audience: Audience) -> Self {
        let (status, origin) = (CacheStatus::Bypass, Origin::Loaded);
        Provenance { status, origin, age: Duration::ZERO, audience }
    }

    /// Of an answer that is made of two: as bad as the worse of them, and of two alike as the one
    /// from farther away.
    #[must_use]
    pub fn and(self, other: Provenance) -> Self {
        let is_better = (self.status, self.origin) < (other.status, other.origin);
        let (better, worse) = if is_better { (self, other) } else { (other, self) };
        Provenance {
            age: better.age.max(worse.age),
            audience: better.audience.and(worse.audience),
            ..worse
        }
    }

    /// Says so in the headers of an answer.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(X_CACHE, HeaderValue::from_static(self.status.name()));
        headers.insert(X_CACHE_ORIGIN, HeaderValue::from_static(origin_name(self.origin)));
        headers.insert(header::AGE, HeaderValue::from(self.age.as_secs()));
        let control = HeaderValue::from_static(self.audience.cache_control());
        headers.insert(header::CACHE_CONTROL, control);
    }
}
