//! Decides how a failure looks on the wire: `application/problem+json` (RFC 9457), everywhere.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};

use super::observe::RequestId;

/// Answers below this path carry `success`, as their callers have always known it.
const ENVELOPED_PREFIX: &str = "/api/v1/";

/// What a body carries besides the problem itself.
#[derive(Debug, Clone, Copy)]
enum Envelope {
    Plain,
    Success,
}

impl Envelope {
    fn of(path: &str) -> Self {
        match path.starts_with(ENVELOPED_PREFIX) {
            true => Envelope::Success,
            false => Envelope::Plain,
        }
    }
}

/// One mistake in the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// Which field.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
    /// What would be right.
    pub limit: String,
}

/// The public part of a failure, handed from the place where it arose to [`rendered`].
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) error: String,
    pub(super) details: Vec<Detail>,
}

/// Gives every failed answer its body, also those that no handler made: unknown routes, wrong
/// methods, timeouts, panics.
pub async fn rendered(request: Request, next: Next) -> Response {
    let envelope = Envelope::of(request.uri().path());
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_failure(status) && !is_json(&response) => {
            Problem { error: title(status).to_lowercase(), details: Vec::new() }
        }
        None => return response,
    };
    let body = body(status, problem, envelope, id);
    *response.body_mut() = Body::from(body.to_string());
    let kind = HeaderValue::from_static("application/problem+json");
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, kind);
    response
}

fn body(status: StatusCode, problem: Problem, envelope: Envelope, id: Option<RequestId>) -> Value {
    let mut body = json!({
        "type": "about:blank",
        "title": title(status),
        "status": status.as_u16(),
        "error": problem.error,
        "details": problem.details,
    });
    if let Envelope::Success = envelope {
        body["success"] = Value::Bool(false);
    }
    if let Some(RequestId(id)) = id {
        body["requestId"] = Value::String(id);
    }
    body
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

fn is_failure(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}
