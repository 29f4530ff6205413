//! Decides how the routes are described: for programs in OpenAPI, for people as a page. Both are
//! made from the one table of routes, so they cannot name a route, a limit or a lifetime that is
//! not in force.

mod openapi;
mod page;

use std::sync::Arc;

use axum::extract::{FromRef, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;

use crate::http::{Access, ApiError, NoQuery, Route, Routes};
use crate::settings;

/// Nothing on the page may be loaded from elsewhere, run, or be shown inside another page.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const STYLE: &str = include_str!("style.css");

/// The descriptions, made once. Clones share them.
#[derive(Debug, Clone)]
pub struct Description {
    openapi: Arc<str>,
    page: Arc<str>,
}

impl Description {
    /// Describes `table` with the lifetimes of `settings`.
    pub fn of(table: &[Route], settings: &settings::Cache) -> Self {
        Description {
            openapi: openapi::document(table, settings).to_string().into(),
            page: page::html(table, settings).into(),
        }
    }
}

/// The routes of this module.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Description: FromRef<S>,
{
    Routes::new()
        .route(Route::get("/openapi.json", Access::Public, "This list, for programs."), document)
        .route(Route::get("/docs", Access::Public, "This list, for people."), page)
        .route(Route::get("/docs/style.css", Access::Public, "How it looks."), style)
}

async fn document(
    _: NoQuery,
    State(description): State<Description>,
) -> Result<impl IntoResponse, ApiError> {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kind, description.openapi.to_string()))
}

async fn page(
    _: NoQuery,
    State(description): State<Description>,
) -> Result<impl IntoResponse, ApiError> {
    Ok((guarded("text/html; charset=utf-8"), description.page.to_string()))
}

async fn style(_: NoQuery) -> Result<impl IntoResponse, ApiError> {
    Ok((guarded("text/css; charset=utf-8"), STYLE))
}

fn guarded(kind: &'static str) -> [(HeaderName, HeaderValue); 3] {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    ]
}
