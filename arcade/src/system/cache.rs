//! Decides what an admin sees of the cache: the body that callers of `/api/v1/cache` have always
//! had, and the figures of each cache.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use larder::ProbeReport;
use larder_console::Answer;
use larder_redis::{CommandFigures, ServerReport};
use larder_sql::outbox::OutboxStats;
use serde::Serialize;

use super::parts::System;
use crate::auth::Admin;
use crate::figures::CacheFigures;
use crate::http::{ApiError, NoInput, NoQuery};
use crate::sessions::ActivityFigures;
use crate::shared_tier::NamespaceFigures;

/// The hit rate to reach, in percent.
pub const HIT_RATE_TARGET: f64 = 90.0;

/// A cached read is to take less than this.
const READ_TARGET: Duration = Duration::from_millis(1);

#[derive(Debug, Serialize)]
pub(super) struct Data {
    /// The name is older than the tiers. The counts are those of all caches, in all tiers.
    redis: Counts,
    performance: Performance,
    caches: Vec<PerCache>,
    /// What each Redis says about itself; empty where there is none, or it cannot be asked.
    servers: Vec<Server>,
    /// How many keys the namespace has on them together, whoever else uses them; `null` before they were counted.
    namespace: Option<Namespace>,
    /// What the consistency probe of this process has found; `null` where it is off.
    probe: Option<ProbeFigures>,
    /// Invalidations that committed with their changes, as this process last saw them.
    outbox: OutboxFigures,
    /// The activity of sessions, on its way into the database.
    activity: WriteBehindFigures,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OutboxFigures {
    /// Not known to be everywhere yet.
    waiting: u64,
    oldest_age_ms: u64,
    /// Nobody can read them.
    parked: u64,
    /// Sent by this process in the place of another.
    relayed: u64,
}

impl OutboxFigures {
    fn of(stats: OutboxStats) -> Self {
        OutboxFigures {
            waiting: stats.waiting,
            oldest_age_ms: u64::try_from(stats.oldest_age.as_millis()).unwrap_or(u64::MAX),
            parked: stats.parked,
            relayed: stats.relayed,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WriteBehindFigures {
    /// Acknowledged, and not in the database yet.
    waiting: usize,
    oldest_age_ms: u64,
    /// The database refuses them.
    parked: usize,
    acknowledged: u64,
    /// Found in the journal at the start.
    replayed: u64,
    /// Replaced by a later one before the database had them.
    coalesced: u64,
    flushed: u64,
    batches: u64,
    retries: u64,
    /// Not noted, because the journal did not take them in time.
    skipped: u64,
}

impl WriteBehindFigures {
    fn of(figures: ActivityFigures) -> Self {
        let ActivityFigures { writes, skipped, .. } = figures;
        let oldest_age = writes.oldest_age.unwrap_or_default();
        WriteBehindFigures {
            waiting: writes.pending,
            oldest_age_ms: u64::try_from(oldest_age.as_millis()).unwrap_or(u64::MAX),
            parked: writes.parked,
            acknowledged: writes.acknowledged,
            replayed: writes.replayed,
            coalesced: writes.coalesced,
            flushed: writes.flushed,
            batches: writes.batches,
            retries: writes.retries,
            skipped,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProbeFigures {
    writes: u64,
    checks: u64,
    stale_in_memory: u64,
    stale_in_shared: u64,
}

impl ProbeFigures {
    fn of(report: ProbeReport) -> Self {
        ProbeFigures {
            writes: report.writes,
            checks: report.checks,
            stale_in_memory: report.stale_in_memory,
            stale_in_shared: report.stale_in_shared,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Namespace {
    values: u64,
    /// More values are too many.
    values_max: u64,
    /// Values, and what belongs to them.
    keys: u64,
    /// `false`: there are at least so many.
    is_whole: bool,
    /// How long ago they were counted.
    age_ms: u64,
}

impl Namespace {
    fn of(figures: NamespaceFigures) -> Self {
        let NamespaceFigures { count, age, values_max } = figures;
        Namespace {
            values: count.values,
            values_max,
            keys: count.keys,
            is_whole: count.is_whole,
            age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Server {
    address: Option<String>,
    version: Option<String>,
    used_memory_bytes: Option<u64>,
    memory_bytes_max: Option<u64>,
    eviction_policy: Option<String>,
    connections: Option<u64>,
    keys: u64,
    commands: BTreeMap<String, Command>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Command {
    calls: u64,
    took_us: u64,
}

impl Server {
    fn of(report: ServerReport) -> Self {
        let command = |(name, figures): (String, CommandFigures)| {
            (name, Command { calls: figures.calls, took_us: figures.took_us })
        };
        Server {
            address: report.address.map(|address| address.to_string()),
            version: report.version,
            used_memory_bytes: report.used_memory_bytes,
            memory_bytes_max: report.memory_bytes_max,
            eviction_policy: report.eviction_policy,
            connections: report.connections,
            keys: report.keys,
            commands: report.commands.into_iter().map(command).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    hits: u64,
    misses: u64,
    stale: u64,
    errors: u64,
    /// Reads of the source that the caches have spared.
    saved_reads: u64,
    /// Reads of the source.
    source_reads: u64,
    /// Percent. `null` before the first read.
    hit_rate: Option<f64>,
    health: Health,
}

#[derive(Debug, Serialize)]
struct Health {
    /// Whether a Redis is connected.
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
    hit_rate: Option<f64>,
}

pub(super) async fn show(
    _: Admin,
    _: NoQuery,
    State(system): State<System>,
) -> Result<Json<Answer<Data>>, ApiError> {
    Ok(Json(Answer::of(data(&system).await)))
}

/// Counts from here on, and shows that.
pub(super) async fn reset(
    _: Admin,
    State(system): State<System>,
    _: NoInput,
) -> Result<Json<Answer<Data>>, ApiError> {
    system.figures.reset();
    Ok(Json(Answer::of(data(&system).await)))
}

async fn data(system: &System) -> Data {
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
        saved_reads: all.saved_reads,
        source_reads: all.source_reads,
        hit_rate,
        health: redis_health(system),
    };
    let per_cache = |figures: CacheFigures| PerCache { hit_rate: figures.hit_rate(), figures };
    let caches = caches.into_iter().map(per_cache).collect();
    // One that cannot be asked has nothing to say; `health` tells that it is lost.
    let reports = system.tier.reports().await.unwrap_or_default();
    let servers = reports.into_iter().map(Server::of).collect();
    let probe = system.probe_report().map(ProbeFigures::of);
    let outbox = OutboxFigures::of(system.outbox.stats());
    let activity = WriteBehindFigures::of(system.sessions.figures());
    let namespace = system.tier.figures().and_then(|figures| figures.namespace).map(Namespace::of);
    Data { redis, performance, caches, servers, namespace, probe, outbox, activity }
}

fn redis_health(system: &System) -> Health {
    let servers = system.tier.health().map(|health| health.servers).unwrap_or_default();
    let connected = !servers.is_empty() && servers.iter().all(|server| server.connected);
    let slowest = servers.iter().map(|server| server.latency).max();
    let latency = slowest.filter(|_| connected).map(|latency| latency.as_secs_f64() * 1e3);
    Health { connected, latency }
}
