//! Decides how well the server is. A lost cache degrades it; only a lost database makes it
//! unhealthy, since every answer can be had without the cache and none without the database.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use larder_redis::{BreakerState, ServerHealth};
use serde::Serialize;

use super::parts::System;
use crate::sessions::ActivityFigures;

/// A part that does not answer within this time counts as lost.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Condition {
    Healthy,
    Degraded,
    Unhealthy,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    status: Condition,
    version: &'static str,
    profile: &'static str,
    uptime_s: u64,
    components: Components,
}

#[derive(Debug, Serialize)]
struct Components {
    database: Component,
    cache: Component,
    activity: ActivityComponent,
    /// Missing where the cache is this process's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<RedisComponent>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    status: Condition,
    latency_us: u64,
    /// Why it is not healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// The activity of sessions, which goes into the database behind the requests.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ActivityComponent {
    status: Condition,
    waiting: usize,
    parked: usize,
    /// Why it is not healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl ActivityComponent {
    fn of(figures: ActivityFigures) -> Self {
        ActivityComponent {
            status: figures.problem.map_or(Condition::Healthy, |_| Condition::Degraded),
            waiting: figures.writes.pending,
            parked: figures.writes.parked,
            reason: figures.problem,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RedisComponent {
    status: Condition,
    /// `required` or `optional`.
    mode: &'static str,
    /// How many servers keep the cache's shards.
    servers: usize,
    /// The worst of theirs: `closed`, `open` or `halfopen`.
    breaker: String,
    connections: usize,
    connects: u64,
    latency_us: u64,
    damaged_values: u64,
}

#[derive(Debug, Serialize)]
struct Readiness {
    status: &'static str,
    /// What the server goes on without.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    degraded: &'static [&'static str],
}

/// The shared tier, as requirements name it.
const SHARED_TIER: &[&str] = &["l2"];

pub(super) async fn report(State(system): State<System>) -> Response {
    let (database, cache) = tokio::join!(database(&system), cache(&system));
    let activity = ActivityComponent::of(system.sessions.figures());
    let status = match (database.status, cache.status, activity.status) {
        (Condition::Healthy, Condition::Healthy, Condition::Healthy) => Condition::Healthy,
        (Condition::Healthy, ..) => Condition::Degraded,
        _ => Condition::Unhealthy,
    };
    let code = match status {
        Condition::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        Condition::Healthy | Condition::Degraded => StatusCode::OK,
    };
    let report = Report {
        status,
        version: env!("CARGO_PKG_VERSION"),
        profile: system.profile.name(),
        uptime_s: system.telemetry.uptime().as_secs(),
        components: Components { database, cache, activity, redis: redis(&system) },
    };
    (code, Json(report)).into_response()
}

/// Whether to send requests here: not while draining and not without the database.
pub(super) async fn ready(State(system): State<System>) -> Response {
    let status = match (system.stop.is_cancelled(), database(&system).await.status) {
        (true, _) => "draining",
        (false, Condition::Unhealthy) => "no database",
        (false, _) => match cache(&system).await.status {
            Condition::Healthy => "ready",
            _ => "degraded",
        },
    };
    let code = match status {
        "ready" | "degraded" => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let degraded = if status == "degraded" { SHARED_TIER } else { &[] };
    (code, Json(Readiness { status, degraded })).into_response()
}

/// Whether to let the process live. It answers, so yes.
pub(super) async fn live() -> impl IntoResponse {
    Json(Readiness { status: "live", degraded: &[] })
}

async fn database(system: &System) -> Component {
    probe(system, system.store.ping(), Condition::Unhealthy).await
}

async fn cache(system: &System) -> Component {
    probe(system, system.larder.ping(), Condition::Degraded).await
}

/// What this process knows of Redis, without asking it.
fn redis(system: &System) -> Option<RedisComponent> {
    let health = system.tier.health()?;
    let servers = &health.servers;
    let is_well = |server: &ServerHealth| server.connected && server.breaker == BreakerState::Closed;
    let well = health.shards_without_server == 0 && servers.iter().all(is_well);
    // The worst of them.
    let breaker = [BreakerState::Open, BreakerState::HalfOpen]
        .into_iter()
        .find(|state| servers.iter().any(|server| server.breaker == *state))
        .unwrap_or(BreakerState::Closed);
    let latency = servers.iter().map(|server| server.latency).max().unwrap_or_default();
    Some(RedisComponent {
        status: if well { Condition::Healthy } else { Condition::Degraded },
        mode: system.tier.mode().name(),
        servers: servers.len(),
        breaker: format!("{breaker:?}").to_lowercase(),
        connections: servers.iter().map(|server| server.connections).sum(),
        connects: servers.iter().map(|server| server.connects).sum(),
        latency_us: latency.as_micros() as u64,
        damaged_values: health.damaged_values,
    })
}

async fn probe<T, E>(
    system: &System,
    ping: impl Future<Output = Result<T, E>>,
    lost: Condition,
) -> Component {
    let begun = system.telemetry.now();
    let (status, reason) = match tokio::time::timeout(PROBE_TIMEOUT, ping).await {
        Ok(Ok(_)) => (Condition::Healthy, None),
        Ok(Err(_)) => (lost, Some("refuses")),
        Err(_) => (lost, Some("does not answer in time")),
    };
    Component { status, reason, latency_us: system.telemetry.since(begun).as_micros() as u64 }
}
