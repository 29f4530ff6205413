//! Decides what the metrics are called. The only module that names one. Each server has a recorder
//! of its own, so two servers in one process do not count for each other.

mod redis;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder::clock::{Clock, Moment};
use larder::{Origin, ProbeReport};
use larder_sql::outbox::OutboxStats;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{
    BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::figures::{CacheFigures, SourceReads};
use crate::http::{CacheStatus, origin_name};
use crate::sessions::ActivityFigures;
use crate::shared_tier::RedisFigures;

/// Upper bounds of the histograms in seconds: memory answers in microseconds, a database in
/// milliseconds, and a request is cut off after seconds.
const BUCKETS_S: [f64; 14] = [
    0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0,
    10.0,
];

/// Counts and times what happens, and renders it for Prometheus.
pub struct Telemetry {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    clock: Arc<dyn Clock>,
    started: Moment,
    source_reads: Arc<SourceReads>,
    hits_timed: AtomicU64,
    hit_nanos: AtomicU64,
}

/// An answered request.
#[derive(Debug)]
pub struct HttpRequest<'a> {
    /// The method, out of a closed set.
    pub method: &'static str,
    /// The route's template.
    pub route: &'a str,
    /// The status.
    pub status: u16,
    /// How long the answer took.
    pub took: Duration,
}

/// A read through the cache.
#[derive(Debug)]
pub struct CacheRead {
    /// The cache's name.
    pub cache: &'static str,
    /// How the cache took part.
    pub status: CacheStatus,
    /// From where.
    pub origin: Origin,
    /// How long the read took, with the load if there was one.
    pub took: Duration,
}

/// What the parts that count by themselves say.
#[derive(Debug)]
pub struct Told<'a> {
    /// The caches.
    pub caches: &'a [CacheFigures],
    /// The consistency probe, where it runs.
    pub probe: Option<ProbeReport>,
    /// The outbox.
    pub outbox: OutboxStats,
    /// The activity of sessions.
    pub activity: ActivityFigures,
    /// Redis, as it was last seen; `None` without one.
    pub redis: Option<RedisFigures>,
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").field("started", &self.started).finish_non_exhaustive()
    }
}

impl Telemetry {
    /// Telemetry that has seen nothing yet and measures with `clock`.
    ///
    /// # Errors
    /// The exporter refuses the buckets.
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS_S)?.build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, describe);
        Ok(Telemetry {
            recorder,
            handle,
            started: clock.precise(),
            clock,
            source_reads: Arc::default(),
            hits_timed: AtomicU64::new(0),
            hit_nanos: AtomicU64::new(0),
        })
    }

    /// The moment from which something is measured.
    pub fn now(&self) -> Moment {
        self.clock.precise()
    }

    /// How long ago `begun` was.
    pub fn since(&self, begun: Moment) -> Duration {
        self.clock.precise().since(begun)
    }

    /// How long this server has been up.
    pub fn uptime(&self) -> Duration {
        self.since(self.started)
    }

    /// Counts an answered request.
    pub fn http_request(&self, request: &HttpRequest<'_>) {
        let route = request.route.to_owned();
        let status = request.status.to_string();
        metrics::with_local_recorder(&self.recorder, || {
            let method = request.method;
            counter!("http_requests_total", "method" => method, "route" => route.clone(), "status" => status)
                .increment(1);
            histogram!("http_request_duration_seconds", "method" => method, "route" => route)
                .record(request.took.as_secs_f64());
        });
    }

    /// Times a read through the cache.
    pub fn cache_read(&self, read: &CacheRead) {
        if read.status == CacheStatus::Hit {
            let nanos = u64::try_from(read.took.as_nanos()).unwrap_or(u64::MAX);
            self.hits_timed.fetch_add(1, Ordering::Relaxed);
            self.hit_nanos.fetch_add(nanos, Ordering::Relaxed);
        }
        metrics::with_local_recorder(&self.recorder, || {
            histogram!("cache_operation_duration_seconds", "cache" => read.cache, "operation" => "read", "origin" => origin_name(read.origin))
                .record(read.took.as_secs_f64());
        });
    }

    /// Where reads of the source are counted.
    pub fn source_reads(&self) -> &Arc<SourceReads> {
        &self.source_reads
    }

    /// The mean time of a hit, or `None` before the first.
    pub fn hit_mean(&self) -> Option<Duration> {
        let timed = self.hits_timed.load(Ordering::Relaxed);
        let nanos = self.hit_nanos.load(Ordering::Relaxed);
        nanos.checked_div(timed).map(Duration::from_nanos)
    }

    /// Everything, as Prometheus reads it. The cache counts by itself; its counts are taken over.
    pub fn rendered(&self, told: &Told<'_>) -> String {
        metrics::with_local_recorder(&self.recorder, || {
            gauge!("process_uptime_seconds").set(self.uptime().as_secs_f64());
            told.caches.iter().for_each(take_over);
            if let Some(report) = told.probe {
                take_over_probe(report);
            }
            take_over_outbox(told.outbox);
            take_over_activity(told.activity);
        });
        let redis = told.redis.as_ref().map(redis::rendered);
        self.handle.render() + &redis.unwrap_or_default()
    }

    /// Folds what was recorded since the last call. Without it memory would grow until a scrape.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

fn take_over(figures: &CacheFigures) {
    let cache = &figures.name;
    let hits = [("memory", figures.hits_memory), ("shared", figures.hits_shared)];
    for (origin, count) in hits {
        counter!("cache_hits_total", "cache" => cache.clone(), "origin" => origin).absolute(count);
    }
    counter!("cache_misses_total", "cache" => cache.clone()).absolute(figures.misses);
    counter!("source_reads_total", "cache" => cache.clone()).absolute(figures.source_reads);
    counter!("cache_stale_total", "cache" => cache.clone()).absolute(figures.stale);
    counter!("cache_errors_total", "cache" => cache.clone()).absolute(figures.errors);
    counter!("cache_invalidations_total", "cache" => cache.clone()).absolute(figures.invalidations);
}

fn take_over_probe(report: ProbeReport) {
    counter!("probe_writes_total").absolute(report.writes);
    counter!("probe_checks_total").absolute(report.checks);
    for (tier, count) in [("memory", report.stale_in_memory), ("shared", report.stale_in_shared)] {
        counter!("probe_stale_total", "tier" => tier).absolute(count);
    }
}

fn take_over_outbox(stats: OutboxStats) {
    gauge!("outbox_rows", "state" => "waiting").set(stats.waiting as f64);
    gauge!("outbox_rows", "state" => "parked").set(stats.parked as f64);
    gauge!("outbox_oldest_age_seconds").set(stats.oldest_age.as_secs_f64());
    counter!("outbox_relayed_total").absolute(stats.relayed);
}

fn take_over_activity(figures: ActivityFigures) {
    let writes = figures.writes;
    gauge!("write_behind_writes", "state" => "waiting").set(writes.pending as f64);
    gauge!("write_behind_writes", "state" => "parked").set(writes.parked as f64);
    let oldest = writes.oldest_age.unwrap_or_default();
    gauge!("write_behind_oldest_age_seconds").set(oldest.as_secs_f64());
    for (outcome, count) in [
        ("acknowledged", writes.acknowledged),
        ("coalesced", writes.coalesced),
        ("flushed", writes.flushed),
        ("skipped", figures.skipped),
    ] {
        counter!("write_behind_writes_total", "outcome" => outcome).absolute(count);
    }
    counter!("write_behind_batches_total").absolute(writes.batches);
    counter!("write_behind_retries_total").absolute(writes.retries);
}

fn describe() {
    describe_gauge!("write_behind_writes", "Activity that waits for the database, or is refused.");
    describe_gauge!("write_behind_oldest_age_seconds", Unit::Seconds, "Age of the oldest.");
    describe_counter!("write_behind_writes_total", "Activity, by what became of it.");
    describe_counter!("write_behind_batches_total", "Batches that the database has taken.");
    describe_counter!("write_behind_retries_total", "Batches that it has failed to take.");
    describe_gauge!("outbox_rows", "Invalidations in the database that wait, or that nobody reads.");
    describe_gauge!("outbox_oldest_age_seconds", Unit::Seconds, "Age of the oldest that waits.");
    describe_counter!("outbox_relayed_total", "Those that this process sent for another.");
    describe_counter!("probe_writes_total", "Versions that the consistency probe wrote.");
    describe_counter!("probe_checks_total", "Times that the probe looked at a register again.");
    describe_counter!("probe_stale_total", "Times that it found one too old. Never but 0.");
    describe_counter!("http_requests_total", "Answered requests by route template.");
    describe_histogram!("http_request_duration_seconds", Unit::Seconds, "Time to the answer.");
    describe_counter!("cache_hits_total", "Reads answered by a fresh entry.");
    describe_counter!("cache_misses_total", "Reads that asked the source.");
    describe_counter!("source_reads_total", "Reads of the source for a cache.");
    describe_counter!("cache_stale_total", "Reads answered by an entry past its fresh time.");
    describe_counter!("cache_errors_total", "Faults of the cache, each survived by the request.");
    describe_counter!("cache_invalidations_total", "Invalidations that named the cache.");
    describe_histogram!("cache_operation_duration_seconds", Unit::Seconds, "Time of a read.");
}
