//! Decides how a value from the cache is answered.

use std::sync::Arc;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::conditional::etag;
use super::error::ApiError;
use super::plan::Audience;
use super::provenance::Provenance;

/// A value, and where it came from.
#[derive(Debug, Clone)]
pub struct Cached<T> {
    /// The value.
    pub value: Arc<T>,
    /// Where it came from.
    pub provenance: Provenance,
}

impl<T> Cached<T> {
    /// A value that never saw the cache.
    pub fn bypass(value: T, audience: Audience) -> Self {
        Cached { value: Arc::new(value), provenance: Provenance::bypass(audience) }
    }

    /// What `shape` makes of the value, with its provenance.
    pub fn map<V>(self, shape: impl FnOnce(&T) -> V) -> Cached<V> {
        Cached { value: Arc::new(shape(&self.value)), provenance: self.provenance }
    }

    /// One value made of two.
    pub fn join<U, V>(self, other: &Cached<U>, join: impl FnOnce(&T, &U) -> V) -> Cached<V> {
        Cached {
            value: Arc::new(join(&self.value, &other.value)),
            provenance: self.provenance.and(other.provenance),
        }
    }
}

impl<T: Serialize> IntoResponse for Cached<T> {
    fn into_response(self) -> Response {
        let body = match serde_json::to_vec(self.value.as_ref()) {
            Ok(body) => body,
            Err(fault) => return ApiError::Internal(Box::new(fault)).into_response(),
        };
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut response = ([kind, (header::ETAG, etag(&body))], body).into_response();
        self.provenance.tell(response.headers_mut());
        response
    }
}
