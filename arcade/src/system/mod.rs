//! What an operator sees: health, metrics, the cache's figures. Must not know any domain.

mod cache;
mod health;
mod log;
mod parts;
mod refresh;
mod warm;

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use larder_console::{CATALOGUE_PATH, FIGURES_PATH, LOG_PATH, PAGE, REFRESH_PATH, WARM_PATH};

use crate::auth::Identities;
use crate::http::{Access, NoQuery, Route, Routes, Traffic};
use crate::telemetry::Told;

pub use cache::HIT_RATE_TARGET;
pub use parts::System;

const HEALTH: &str = "The state of the server and of its parts.";

/// The routes of this module.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    System: FromRef<S>,
    Identities: FromRef<S>,
{
    let data = Routes::new()
        .route(Route::get("/api/health", Access::Public, HEALTH), health::report)
        .route(Route::get("/api/v1/health", Access::Public, HEALTH), health::report)
        .route(
            Route::get("/readyz", Access::Public, "Whether to send requests.")
                .traffic(Traffic::Probe),
            health::ready,
        )
        .route(
            Route::get("/livez", Access::Public, "Whether the process lives.")
                .traffic(Traffic::Probe),
            health::live,
        )
        .route(
            Route::get("/metrics", Access::Public, "Figures for Prometheus.").traffic(Traffic::Probe),
            metrics,
        )
        .route(Route::get("/api/v1/cache", Access::Admin, "Counts of the caches."), cache::show)
        .route(Route::delete("/api/v1/cache", Access::Admin, "Counts anew."), cache::reset)
        .route(Route::get(CATALOGUE_PATH, Access::Admin, "Every cache as set up."), log::listed)
        .route(Route::get(FIGURES_PATH, Access::Admin, "The numbers of every cache."), log::figures)
        .route(
            Route::get(LOG_PATH, Access::Admin, "What was invalidated, by whom and why."),
            log::show,
        )
        .route(
            Route::post(REFRESH_PATH, Access::Admin, "Drops all that is cached of one thing."),
            refresh::refresh,
        )
        .route(Route::get(WARM_PATH, Access::Admin, "How far the warm sets are."), warm::show)
        .route(
            Route::post(WARM_PATH, Access::Admin, "Begins to read warm sets, these or all.")
                .answers(StatusCode::ACCEPTED),
            warm::begin,
        );
    // The page holds no data; what it shows it asks for with the token of an admin.
    PAGE.into_iter().fold(data, |routes, file| {
        let answer = async move |_: NoQuery| file.answer();
        routes.route(Route::get(file.path, Access::Public, file.about), answer)
    })
}

async fn metrics(State(system): State<System>) -> impl IntoResponse {
    let told = Told {
        caches: &system.figures.in_all(),
        probe: system.probe_report(),
        outbox: system.outbox.stats(),
        activity: system.sessions.figures(),
        redis: system.tier.figures(),
    };
    let text = system.telemetry.rendered(&told);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
