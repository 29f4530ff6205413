//! Decides where a handler's input comes from: path, query, body. Each is an argument type; what a
//! handler does not take, a request may not have.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;

use super::error::ApiError;
use super::fields::{Fields, Input, detail, of_json, of_query};
use super::format::{Format, Given, Text, id, line};
use super::problem::Detail;

/// An input without fields.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

impl Input for Nothing {
    fn read(_: &mut Fields) -> Option<Self> {
        Some(Nothing)
    }
}

/// The query of a request.
#[derive(Debug, Clone, Copy)]
pub struct Query<I>(pub I);

/// A query without fields.
pub type NoQuery = Query<Nothing>;

impl<S: Send + Sync, I: Input> FromRequestParts<S> for Query<I> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        of_query(&parts.uri).map(Query).map_err(ApiError::BadInput)
    }
}

/// The one id in the path: a positive number, whatever its parameter is called.
#[derive(Debug, Clone, Copy)]
pub struct IdPath(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for IdPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        IdPaths::from_request_parts(parts, state).await.map(|IdPaths([id])| IdPath(id))
    }
}

/// The `N` ids in the path, in its order.
#[derive(Debug, Clone, Copy)]
pub struct IdPaths<const N: usize>(pub [i64; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for IdPaths<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let raw = RawPathParams::from_request_parts(parts, state).await;
        let raw = raw.map_err(|_| ApiError::BadInput(vec![id_mistake("path")]))?;
        let read = |text| id().read(Given::Query(text));
        let (ids, wrong): (Vec<_>, Vec<_>) =
            raw.iter().map(|(name, text)| read(text).ok_or(name)).partition(Result::is_ok);
        if !wrong.is_empty() {
            let mistakes = wrong.into_iter().filter_map(Result::err).map(id_mistake);
            return Err(ApiError::BadInput(mistakes.collect()));
        }
        let ids: Vec<i64> = ids.into_iter().flatten().collect();
        // The path of the route has more or fewer parameters than its handler takes.
        ids.try_into().map(IdPaths).map_err(|ids: Vec<i64>| {
            let fault = format!("the path has {} ids, the handler takes {N}", ids.len());
            ApiError::Internal(fault.into())
        })
    }
}

/// The one name in the path, whatever its parameter is called.
#[derive(Debug, Clone)]
pub struct NamePath(pub String);

/// What a name in a path is.
pub(super) const NAME: Text = line(1..=60);

impl<S: Send + Sync> FromRequestParts<S> for NamePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let mistake = || {
            let message = format!("must {}", NAME.demand());
            ApiError::BadInput(vec![detail("name", &message, &NAME.limit())])
        };
        let raw = RawPathParams::from_request_parts(parts, state).await.map_err(|_| mistake())?;
        let name = raw.iter().next().and_then(|(_, text)| NAME.read(Given::Query(text)));
        name.map(NamePath).ok_or_else(mistake)
    }
}

fn id_mistake(name: &str) -> Detail {
    detail(name, &format!("must {}", id().demand()), &id().limit())
}

/// A body that is one JSON object, and no query.
#[derive(Debug, Clone, Copy)]
pub struct JsonBody<I>(pub I);

impl<S: Send + Sync, I: Input> FromRequest<S> for JsonBody<I> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let query = of_query::<Nothing>(request.uri());
        let kind = json_announced(request.headers());
        let body = whole_body(request, state).await?;
        let body = kind.and_then(|()| of_json(&body));
        both(query, body).map(JsonBody)
    }
}

/// A body that is one JSON object or missing, which is like one without fields, and no query.
#[derive(Debug, Clone, Copy)]
pub struct MaybeBody<I>(pub I);

impl<S: Send + Sync, I: Input> FromRequest<S> for MaybeBody<I> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let query = of_query::<Nothing>(request.uri());
        let kind = json_announced(request.headers());
        let body = whole_body(request, state).await?;
        let body = match body.is_empty() {
            true => of_json(b"{}"),
            false => kind.and_then(|()| of_json(&body)),
        };
        both(query, body).map(MaybeBody)
    }
}

/// No query and no body, or an empty object as body.
#[derive(Debug, Clone, Copy)]
pub struct NoInput;

impl<S: Send + Sync> FromRequest<S> for NoInput {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let query = of_query::<Nothing>(request.uri());
        let body = whole_body(request, state).await?;
        let body = if body.is_empty() { Ok(Nothing) } else { of_json::<Nothing>(&body) };
        both(query, body).map(|_| NoInput)
    }
}

/// The body's input, unless either part has mistakes, which are then named together.
fn both<I>(query: Result<Nothing, Vec<Detail>>, body: Result<I, Vec<Detail>>) -> Result<I, ApiError> {
    match (query, body) {
        (Ok(Nothing), Ok(input)) => Ok(input),
        (query, body) => {
            let mistakes = [query.err(), body.err()].into_iter().flatten().flatten();
            Err(ApiError::BadInput(mistakes.collect()))
        }
    }
}

fn json_announced(headers: &HeaderMap) -> Result<(), Vec<Detail>> {
    const JSON: &str = "application/json";
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    match essence.is_some_and(|essence| essence.eq_ignore_ascii_case(JSON)) {
        true => Ok(()),
        false => Err(vec![detail("content-type", "must be that of JSON", JSON)]),
    }
}

/// How long a body may take to arrive; a layer tells it to every request.
#[derive(Debug, Clone, Copy)]
pub struct ReadTimeout(pub Duration);

async fn whole_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    // Nothing is inflated here, so a short body cannot become a long one.
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(ApiError::BodyEncoded);
    }
    let timeout = request.extensions().get::<ReadTimeout>().copied();
    let reading = Bytes::from_request(request, state);
    let body = match timeout {
        Some(ReadTimeout(most)) => {
            tokio::time::timeout(most, reading).await.map_err(|_| ApiError::BodySlow)?
        }
        None => reading.await,
    };
    body.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::BodyTooLong,
        _ => ApiError::BodyUnreadable,
    })
}
