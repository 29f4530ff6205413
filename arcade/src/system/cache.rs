//! Decides what an admin sees of the cache: the body that callers of `/api/v1/cache` have always
//! had, and the figures of each cache.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::parts::System;
use crate::auth::Admin;
use crate::figures::CacheFigures;
use crate::http::{ApiError, NoInput, NoQuery};

/// The hit rate to reach, in percent.
pub const HIT_RATE_TARGET: f64 = 90.0;

/// A cached read is to take less than this.
const READ_TARGET: Duration = Duration::from_millis(1);

#[derive(Debug, Serialize)]
pub(super) struct Envelope {
    success: bool,
    data: Data,
}

#[derive(Debug, Serialize)]
struct Data {
    /// The name is older than the tiers. The counts are those of all caches, in all tiers.
    redis: Counts,
    performance: Performance,
    caches: Vec<PerCache>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    hits: u64,
    misses: u64,
    stale: u64,
    errors: u64,
    /// Reads answered without the source.
    saved_reads: u64,
    /// Reads of the source.
    source_reads: u64,
    /// Percent. `null` before the first read.
    hit_rate: Option<f64>,
    health: Health,
}

#[derive(Debug, Serialize)]
struct Health {
    /// Whether a Redis is connected. Arcade has none yet.
    connected: bool,
    /// Its answer time in milliseconds.
    latency: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Performance {
    hit_rate_achieved: bool,
    /// `null` before the first hit.
    sub_millisecond_reads: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PerCache {
    #[serde(flatten)]
    figures: CacheFigures,
    saved_reads: u64,
    hit_rate: Option<f64>,
}

pub(super) async fn show(
    _: Admin,
    _: NoQuery,
    State(system): State<System>,
) -> Result<Json<Envelope>, ApiError> {
    Ok(Json(envelope(&system)))
}

/// Counts from here on, and shows that.
pub(super) async fn reset(
    _: Admin,
    State(system): State<System>,
    _: NoInput,
) -> Result<Json<Envelope>, ApiError> {
    system.figures.reset();
    Ok(Json(envelope(&system)))
}

fn envelope(system: &System) -> Envelope {
    let caches = system.figures.since_reset();
    let none = CacheFigures::default();
    let all = caches.iter().fold(none, |all, figures| all.plus(figures));
    let hit_rate = all.hit_rate();
    let performance = Performance {
        hit_rate_achieved: hit_rate.is_some_and(|rate| rate >= HIT_RATE_TARGET),
        sub_millisecond_reads: system.telemetry.hit_mean().map(|mean| mean < READ_TARGET),
    };
    let redis = Counts {
        hits: all.hits(),
        misses: all.misses,
        stale: all.stale,
        errors: all.errors,
        saved_reads: all.saved_reads(),
        source_reads: all.source_reads,
        hit_rate,
        health: Health { connected: false, latency: None },
    };
    let per_cache = |figures: CacheFigures| PerCache {
        saved_reads: figures.saved_reads(),
        hit_rate: figures.hit_rate(),
        figures,
    };
    let caches = caches.into_iter().map(per_cache).collect();
    Envelope { success: true, data: Data { redis, performance, caches } }
}
