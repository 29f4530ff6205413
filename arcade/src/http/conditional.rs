//! Decides when an answer need not be sent again: the caller names the one that it holds (RFC 9110
//! §13.1.2).

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use twox_hash::XxHash3_128;

/// What describes the body only, and so goes with it.
const OF_THE_BODY: [HeaderName; 2] = [header::CONTENT_TYPE, header::CONTENT_LENGTH];

/// Names a body. Weak, because the same answer may be sent compressed: other bytes, same meaning.
pub(super) fn etag(body: &[u8]) -> HeaderValue {
    let text = format!("W/\"{:032x}\"", XxHash3_128::oneshot(body));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("W/\"0\""))
}

/// Answers 304 without a body where the caller already holds it. The other headers stay.
pub async fn conditional(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let held = request.headers().get_all(header::IF_NONE_MATCH);
    let held: Vec<HeaderValue> = if reads { held.iter().cloned().collect() } else { Vec::new() };
    let mut response = next.run(request).await;
    if response.status() == StatusCode::OK && is_held(&held, response.headers()) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        OF_THE_BODY.iter().for_each(|name| drop(response.headers_mut().remove(name)));
    }
    response
}

fn is_held(held: &[HeaderValue], headers: &HeaderMap) -> bool {
    let Some(tag) = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()) else {
        return false;
    };
    let named = held.iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|list| list.split(',')).map(str::trim).any(|one| one == "*" || same(one, tag))
}

/// The weak comparison: strong and weak names of the same answer are equal.
fn same(one: &str, other: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    opaque(one) == opaque(other)
}
