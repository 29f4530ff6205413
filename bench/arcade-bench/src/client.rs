//! Requests over kept connections.

use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

#[derive(Clone)]
pub(crate) struct Client {
    hyper: Hyper<HttpConnector, Full<Bytes>>,
    base: String,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("the body is no JSON")
    }

    pub(crate) fn number(&self, field: &str) -> anyhow::Result<i64> {
        let number = self.json()?[field].as_i64();
        number.with_context(|| format!("no number called {field}"))
    }
}

impl Client {
    pub(crate) fn of(address: &str) -> Self {
        let hyper = Hyper::builder(TokioExecutor::new()).build_http();
        Client { hyper, base: format!("http://{address}") }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
        let (parts, body) = self.hyper.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status.as_u16(), body })
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> anyhow::Result<Answer> {
        self.send("GET", path, token, "").await
    }
}
