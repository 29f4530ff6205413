//! What an operator sees: health, metrics, the cache's figures. Must not know any domain.

mod cache;
mod health;
mod parts;

use axum::extract::{FromRef, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::auth::Tokens;
use crate::http::{Access, Routes, Verb};

pub use cache::HIT_RATE_TARGET;
pub use parts::System;

/// The routes of this module.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    System: FromRef<S>,
    Tokens: FromRef<S>,
{
    Routes::new()
        .route(Verb::Get, "/api/health", Access::Public, health::report)
        .route(Verb::Get, "/api/v1/health", Access::Public, health::report)
        .route(Verb::Get, "/readyz", Access::Public, health::ready)
        .route(Verb::Get, "/livez", Access::Public, health::live)
        .route(Verb::Get, "/metrics", Access::Public, metrics)
        .route(Verb::Get, "/api/v1/cache", Access::Admin, cache::show)
        .route(Verb::Delete, "/api/v1/cache", Access::Admin, cache::reset)
}

async fn metrics(State(system): State<System>) -> impl IntoResponse {
    let text = system.telemetry.rendered(&system.figures.in_all());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
