//! Decides which input is good: known fields, within their limits. Every mistake of a request is
//! named at once, before anything is read or written.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::Value;

use super::error::ApiError;
use super::problem::Detail;

/// The most items on a page.
pub const LIMIT_MAX: u32 = 100;

/// The last page that can be asked for. Skipping rows costs time in proportion.
pub const PAGE_MAX: u32 = 100_000;

/// A page of a list, as the query names it: `page` from 1, `limit` from 1 to [`LIMIT_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The page's number; the first is 1.
    pub number: u32,
    /// The most items on it.
    pub limit: u32,
}

/// Takes a [`Page`] from the query; `LIMIT` stands where the query names none.
#[derive(Debug)]
pub struct PageQuery<const LIMIT: u32>(pub Page);

impl<S: Send + Sync, const LIMIT: u32> FromRequestParts<S> for PageQuery<LIMIT> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut fields = Fields::of(&parts.uri);
        let number = fields.number("page", 1..=PAGE_MAX, 1);
        let limit = fields.number("limit", 1..=LIMIT_MAX, LIMIT);
        fields.finish("page, limit")?;
        Ok(PageQuery(Page { number, limit }))
    }
}

/// A query without fields.
#[derive(Debug)]
pub struct NoQuery;

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Fields::of(&parts.uri).finish("no fields").map(|()| NoQuery)
    }
}

/// The `id` in the path: a positive number.
#[derive(Debug)]
pub struct IdPath(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for IdPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let raw = RawPathParams::from_request_parts(parts, state).await;
        let id = raw.ok().and_then(|raw| {
            let (_, text) = raw.iter().find(|(name, _)| *name == "id")?;
            text.parse().ok().filter(|id| *id > 0)
        });
        id.map(IdPath).ok_or_else(|| {
            let limit = format!("1 to {}", i64::MAX);
            ApiError::BadInput(vec![detail("id", "must be a whole number", &limit)])
        })
    }
}

/// No query and no body, or an empty object as body.
#[derive(Debug)]
pub struct NoInput;

impl<S: Send + Sync> FromRequest<S> for NoInput {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let mut fields = Fields::of(request.uri());
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::BodyTooLong,
            _ => ApiError::BodyUnreadable,
        })?;
        fields.mistakes.extend(mistakes_of_empty_body(&body));
        fields.finish("no fields").map(|()| NoInput)
    }
}

fn mistakes_of_empty_body(body: &[u8]) -> Vec<Detail> {
    if body.is_empty() {
        return Vec::new();
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => {
            fields.keys().map(|name| detail(name, "unknown field", "no fields")).collect()
        }
        _ => vec![detail("", "the body must be empty or an empty JSON object", "no fields")],
    }
}

/// The fields of a query, with the mistakes found while taking them out.
struct Fields {
    left: BTreeMap<String, String>,
    mistakes: Vec<Detail>,
}

impl Fields {
    fn of(uri: &Uri) -> Self {
        let mut fields = Fields { left: BTreeMap::new(), mistakes: Vec::new() };
        let query = uri.query().unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            if fields.left.insert(name.clone(), value).is_some() {
                fields.mistakes.push(detail(&name, "given more than once", "once"));
            }
        }
        fields
    }

    fn number(&mut self, name: &str, range: RangeInclusive<u32>, fallback: u32) -> u32 {
        let Some(text) = self.left.remove(name) else {
            return fallback;
        };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.unwrap_or_else(|| {
            let limit = format!("{} to {}", range.start(), range.end());
            self.mistakes.push(detail(name, "must be a whole number", &limit));
            fallback
        })
    }

    /// Names every field that nobody took; `known` are those that somebody would have taken.
    fn finish(mut self, known: &str) -> Result<(), ApiError> {
        let unknown = self.left.keys().map(|name| detail(name, "unknown field", known));
        self.mistakes.extend(unknown);
        match self.mistakes.is_empty() {
            true => Ok(()),
            false => Err(ApiError::BadInput(self.mistakes)),
        }
    }
}

fn detail(path: &str, message: &str, limit: &str) -> Detail {
    // A field's name comes from outside; its start is enough to find it.
    const PATH_CHARS_MAX: usize = 64;
    Detail {
        path: path.chars().take(PATH_CHARS_MAX).collect(),
        message: message.to_owned(),
        limit: limit.to_owned(),
    }
}
