//! A client that can be handed to a task of its own.

use arcade::http::Verb;
use axum::body::Bytes;
use axum::http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::Answer;
use super::told::must_be_told;

/// Sends requests to one server. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(super) client: Client<HttpConnector, Full<Bytes>>,
    pub(super) base: String,
}

impl Sender {
    /// A client of the server at this address, such as `http://127.0.0.1:3000`.
    pub(crate) fn to(base: String) -> Self {
        Sender { client: Client::builder(TokioExecutor::new()).build_http(), base }
    }

    pub(crate) async fn send(
        &self,
        verb: Verb,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> Answer {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let mut headers: Vec<(&str, &str)> =
            authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.send_with(verb, path, &headers, body).await
    }

    pub(crate) async fn send_with(
        &self,
        verb: Verb,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let url = format!("{}{path}", self.base);
        let mut request = Request::builder().method(verb.name()).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let request = request.body(body).expect("request");
        let (parts, body) = self.client.request(request).await.expect("answer").into_parts();
        must_be_told(verb, path, parts.status);
        let bytes = body.collect().await.expect("body").to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }
}
