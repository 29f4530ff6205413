//! Decides which headers tell where an answer came from.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const X_CACHE_ORIGIN: HeaderName = HeaderName::from_static("x-cache-origin");

/// How the cache took part in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A value for one user, and where it came from.
#[derive(Debug, Clone)]
pub struct Cached<T> {
    /// The value.
    pub value: Arc<T>,
    /// How the cache took part.
    pub status: CacheStatus,
    /// `memory`, `shared` or `loaded`.
    pub origin: &'static str,
    /// How long ago the source was asked.
    pub age: Duration,
}

impl<T> Cached<T> {
    /// A value that never saw the cache.
    pub fn bypass(value: T) -> Self {
        Cached {
            value: Arc::new(value),
            status: CacheStatus::Bypass,
            origin: "loaded",
            age: Duration::ZERO,
        }
    }
}

impl<T: Serialize> IntoResponse for Cached<T> {
    fn into_response(self) -> Response {
        let headers = [
            (X_CACHE, HeaderValue::from_static(self.status.name())),
            (X_CACHE_ORIGIN, HeaderValue::from_static(self.origin)),
            (header::AGE, HeaderValue::from(self.age.as_secs())),
            // A browser may keep the answer but must ask before it shows it again: our
            // invalidations do not reach it.
            (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        ];
        (headers, Json(self.value.as_ref())).into_response()
    }
}
