//! Decides how this process shares its cache with others, and says what becomes of that. The only
//! module that asks Redis; without it the cache is this process's own.

mod watch;

use std::sync::Arc;
use std::time::Duration;

use larder::shard::state::ConnectReply;
use larder::shard::{Shard, Unreachable};
use larder_redis::{KeyCount, MissingRight, OpenError, Redis, RedisHealth, ServerReport};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::watch::Watch;
use crate::settings::{self, Profile, RedisMode};

pub use self::watch::{NamespaceFigures, RedisFigures, ServerFigures};

/// How long a start that requires Redis waits for it.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// How long a person waits for a count of keys: some 100,000 are counted in it.
const COUNT_PATIENCE: Duration = Duration::from_secs(10);

/// The tier that processes share, if there is one. Clones share it.
#[derive(Debug, Clone)]
pub struct SharedTier {
    mode: RedisMode,
    redis: Option<Arc<Redis>>,
    watch: Arc<Watch>,
}

/// Redis cannot be reached, or refuses.
#[derive(Debug, thiserror::Error)]
#[error("Redis is {mode} (ARCADE_REDIS) and did not join: {reason}")]
pub struct NoRedis {
    mode: &'static str,
    reason: String,
}

impl SharedTier {
    /// No tier: the cache is this process's own.
    pub fn none() -> Self {
        SharedTier { mode: RedisMode::Off, redis: None, watch: Arc::new(Watch::new(0)) }
    }

    /// Opens the tier that the settings name, and connects in the background.
    ///
    /// # Errors
    /// Settings that are out of their range.
    pub fn open(settings: &settings::Redis) -> Result<Self, OpenError> {
        let redis = match &settings.server {
            Some(server) => Some(Arc::new(Redis::open(&settings.namespace, server.clone())?)),
            None => None,
        };
        let watch = Arc::new(Watch::new(settings.values_max));
        Ok(SharedTier { mode: settings.mode, redis, watch })
    }

    /// Waits for Redis where it is required, and not longer than five seconds.
    ///
    /// # Errors
    /// It is required, and cannot be reached or refuses.
    pub async fn ready(&self) -> Result<(), NoRedis> {
        match self.mode {
            RedisMode::Required => self.joined().await.map(drop),
            RedisMode::Optional | RedisMode::Off => Ok(()),
        }
    }

    /// Waits until it is joined, and not longer than five seconds. Says how each shard's parameters compare.
    ///
    /// # Errors
    /// It cannot be reached, or refuses.
    pub async fn joined(&self) -> Result<Vec<ConnectReply>, NoRedis> {
        let Some(redis) = &self.redis else { return Ok(Vec::new()) };
        self.once_connected(redis, redis.joined()).await
    }

    /// Which rights the ACL user lacks. Waits for a connection, and not longer than five seconds.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn missing_rights(&self) -> Result<Vec<MissingRight>, NoRedis> {
        let Some(redis) = &self.redis else { return Ok(Vec::new()) };
        self.once_connected(redis, redis.missing_rights()).await
    }

    /// How many keys the namespace has. Looks at every key, gently, for ten seconds at most.
    ///
    /// # Errors
    /// It cannot be reached, or refuses.
    pub async fn count_keys(&self) -> Result<KeyCount, Unreachable> {
        match &self.redis {
            Some(redis) => redis.count_keys(COUNT_PATIENCE).await,
            None => Ok(KeyCount { is_whole: true, ..KeyCount::default() }),
        }
    }

    /// What is known of it without asking, as [`watch`](Self::watch) last saw it; `None` without one.
    pub fn figures(&self) -> Option<RedisFigures> {
        self.redis.as_ref().map(|redis| self.watch.figures(redis))
    }

    /// Asks every server about itself and counts the keys of the namespace, every now and then, until the server
    /// stops. Warns once of more values than there should be.
    pub async fn watch(self, stop: CancellationToken) {
        if let Some(redis) = &self.redis {
            stop.run_until_cancelled(self.watch.run(redis)).await;
        }
    }

    async fn once_connected<T>(
        &self,
        redis: &Redis,
        asking: impl Future<Output = Result<T, Unreachable>>,
    ) -> Result<T, NoRedis> {
        let asking = async {
            redis.connected().await;
            asking.await
        };
        let reason = match tokio::time::timeout(START_PATIENCE, asking).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(refused)) => refused.to_string(),
            Err(_) => {
                let last = last_fault(redis).unwrap_or_else(|| "no answer".to_owned());
                format!("{last} (after {START_PATIENCE:?})")
            }
        };
        Err(NoRedis { mode: self.mode.name(), reason })
    }

    /// The shards for the cache; none where it is this process's own.
    pub fn shards(&self) -> Vec<Arc<dyn Shard>> {
        self.redis.as_ref().map(|redis| redis.shards()).unwrap_or_default()
    }

    /// What the server does without it.
    pub fn mode(&self) -> RedisMode {
        self.mode
    }

    /// How it is now; `None` without one.
    pub fn health(&self) -> Option<RedisHealth> {
        self.redis.as_ref().map(|redis| redis.health())
    }

    /// What its servers say about themselves; none where there is none.
    ///
    /// # Errors
    /// A server that cannot be asked.
    pub async fn reports(&self) -> Result<Vec<ServerReport>, Unreachable> {
        match &self.redis {
            Some(redis) => redis.reports().await,
            None => Ok(Vec::new()),
        }
    }

    /// Warns of what is less than the profile would have.
    pub fn warn_of_mode(&self, profile: Profile) {
        let expects_it = matches!(profile, Profile::Staging | Profile::Production);
        if expects_it && self.mode != RedisMode::Required {
            warn!(redis = self.mode.name(), %profile, "the profile expects a required Redis");
        }
    }

    /// Logs when Redis is lost and when it is back, until the server stops.
    pub async fn tell(self, stop: CancellationToken) {
        let Some(redis) = self.redis else { return };
        let telling = async {
            loop {
                redis.connected().await;
                info!("Redis is connected: the cache is shared");
                redis.lost().await;
                let reason = last_fault(&redis);
                warn!(reason, "Redis is lost: this process goes on without it");
            }
        };
        stop.run_until_cancelled(telling).await;
    }
}

fn last_fault(redis: &Redis) -> Option<String> {
    let health = redis.health();
    let of_server = health.servers.into_iter().find_map(|server| server.last_fault);
    of_server.or(health.search_fault)
}
