//! What Redis said last of itself, and how many keys the namespace has. Decides how often it is asked: in the
//! background, so that whoever wants to know waits for nobody.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use larder::clock::{Clock, Moment, SystemClock};
use larder::shard::Unreachable;
use larder_redis::{Address, KeyCount, Redis, ServerHealth, ServerReport};
use parking_lot::Mutex;
use tracing::{debug, info, warn};

/// How often each server is asked about itself.
const ASKED_EVERY: Duration = Duration::from_secs(10);

/// The time between two counts of the namespace's keys, at least.
const COUNTED_EVERY: Duration = Duration::from_secs(60);

/// So many times as long as a count takes, none is made: every process of a fleet counts.
const REST_OF_COUNT: u32 = 20;

/// How long one count may take: enough for millions of keys.
const COUNT_MAX: Duration = Duration::from_secs(300);

/// What is known of Redis without asking it.
#[derive(Debug)]
pub struct RedisFigures {
    /// Each server that keeps a shard.
    pub servers: Vec<ServerFigures>,
    /// How many shards no server of the cluster is known to keep.
    pub shards_without_server: usize,
    /// How many values were found that could not be read.
    pub damaged_values: u64,
    /// What was counted last; `None` before the first count, and where nothing is counted.
    pub namespace: Option<NamespaceFigures>,
}

/// What is known of one server.
#[derive(Debug)]
pub struct ServerFigures {
    /// How it is now.
    pub health: ServerHealth,
    /// What it said last, and how long ago; `None` where it never did.
    pub said: Option<(ServerReport, Duration)>,
}

/// What the namespace has in Redis.
#[derive(Debug, Clone, Copy)]
pub struct NamespaceFigures {
    /// Its keys.
    pub count: KeyCount,
    /// How long ago they were counted.
    pub age: Duration,
    /// More values than this are too many.
    pub values_max: u64,
}

/// What was said and counted last.
#[derive(Debug)]
pub(super) struct Watch {
    values_max: u64,
    said: Mutex<HashMap<Address, (ServerReport, Moment)>>,
    counted: Mutex<Option<(KeyCount, Moment)>>,
}

impl Watch {
    /// Nothing was said yet. Values are counted unless there may be any number, 0.
    pub(super) fn new(values_max: u64) -> Self {
        Watch { values_max, said: Mutex::default(), counted: Mutex::default() }
    }

    /// Asks until dropped.
    pub(super) async fn run(&self, redis: &Redis) {
        tokio::join!(self.ask(redis), self.count(redis));
    }

    async fn ask(&self, redis: &Redis) -> Infallible {
        loop {
            connected_or_late(redis, ASKED_EVERY).await;
            self.note(redis.each_report().await, redis);
            tokio::time::sleep(ASKED_EVERY).await;
        }
    }

    fn note(&self, reports: Vec<Result<ServerReport, Unreachable>>, redis: &Redis) {
        let now = SystemClock.precise();
        let mut said = self.said.lock();
        for report in reports.into_iter().flatten() {
            if let Some(address) = report.address.clone() {
                said.insert(address, (report, now));
            }
        }
        // Those that keep no shard any more.
        let servers = redis.health().servers;
        said.retain(|address, _| {
            servers.iter().any(|server| server.address.as_ref() == Some(address))
        });
    }

    async fn count(&self, redis: &Redis) {
        if self.values_max == 0 {
            return;
        }
        loop {
            connected_or_late(redis, COUNTED_EVERY).await;
            let began = SystemClock.precise();
            match redis.count_keys(COUNT_MAX).await {
                Ok(count) => self.note_count(count),
                // That Redis is lost is told elsewhere.
                Err(error) => debug!(%error, "the keys of the namespace cannot be counted"),
            }
            let took = SystemClock.precise().since(began);
            tokio::time::sleep(COUNTED_EVERY.max(took * REST_OF_COUNT)).await;
        }
    }

    fn note_count(&self, count: KeyCount) {
        let before = self.counted.lock().replace((count, SystemClock.precise()));
        let (values, values_max) = (count.values, self.values_max);
        let was_beyond = before.is_some_and(|(before, _)| before.values > values_max);
        match (was_beyond, values > values_max) {
            (false, true) => {
                warn!(
                    values,
                    values_max, "the namespace has more values in Redis than redis.values_max"
                );
            }
            (true, false) => info!(values, values_max, "the namespace has few values in Redis again"),
            _ => {}
        }
    }

    pub(super) fn figures(&self, redis: &Redis) -> RedisFigures {
        let health = redis.health();
        let now = SystemClock.precise();
        let said = self.said.lock();
        let server = |health: ServerHealth| {
            let said = health.address.as_ref().and_then(|address| said.get(address));
            let said = said.map(|(report, when)| (report.clone(), now.since(*when)));
            ServerFigures { health, said }
        };
        let namespace = self.counted.lock().map(|(count, when)| NamespaceFigures {
            count,
            age: now.since(when),
            values_max: self.values_max,
        });
        RedisFigures {
            servers: health.servers.into_iter().map(server).collect(),
            shards_without_server: health.shards_without_server,
            damaged_values: health.damaged_values,
            namespace,
        }
    }
}

/// One server that stays away must not keep the others from being asked.
async fn connected_or_late(redis: &Redis, patience: Duration) {
    drop(tokio::time::timeout(patience, redis.connected()).await);
}
