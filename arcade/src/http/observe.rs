//! Decides what is known of a request afterwards: its id, one log line, two metrics. The metrics
//! carry the route's template, never the path, so their number is bounded.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use rand::Rng;
use tracing::Instrument;

use crate::cause;
use crate::telemetry::{HttpRequest, Telemetry};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id that is taken from a caller, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// The name of a request, in its answer and in the log.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

impl RequestId {
    /// The caller's id if it is short and plain, else a random one.
    fn of(request: &Request) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let given = request.headers().get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        let good =
            |id: &&str| (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(plain);
        match given.filter(good) {
            Some(id) => RequestId(id.to_owned()),
            None => RequestId(format!("{:032x}", rand::rng().random::<u128>())),
        }
    }
}

/// Names, times and logs a request.
pub async fn observed(
    State(telemetry): State<Arc<Telemetry>>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = telemetry.now();
    let id = RequestId::of(&request);
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let method = bounded(request.method());
    let span = tracing::info_span!("request", id = id.0, method, route);
    request.extensions_mut().insert(id.clone());
    let answering = next.run(request).instrument(span.clone());
    let mut response = cause::of_request(method, matched.clone(), answering).await;
    let status = response.status().as_u16();
    let took = telemetry.since(begun);
    telemetry.http_request(&HttpRequest { method, route, status, took });
    span.in_scope(|| tracing::info!(status, took_us = took.as_micros() as u64, "answered"));
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}

/// A method's name, out of a closed set: a caller can invent methods.
fn bounded(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
