//! A node of Larder on Redis.

use larder::{Cache, Invalidation, Larder, LarderBuilder, Loaded, Origin, Outcome};
use larder_redis::{Redis, RedisOptions};

use crate::node::{Answer, Node, Told};
use crate::source::Source;

/// A node of Larder, with connections of its own.
pub struct LarderNode {
    /// Its servers.
    pub redis: Redis,
    /// Its cache.
    pub cache: Cache<u64, u64>,
    /// The node.
    pub larder: Larder,
}

impl LarderNode {
    /// With every default.
    ///
    /// # Panics
    /// Options that are out of their range.
    pub fn new(options: RedisOptions) -> Self {
        LarderNode::with(options, |builder| builder)
    }

    /// Set up as a test needs it.
    ///
    /// # Panics
    /// Options that are out of their range.
    pub fn with(options: RedisOptions, set: impl FnOnce(LarderBuilder) -> LarderBuilder) -> Self {
        let redis = Redis::open("faults", options).expect("options in range");
        let builder = set(Larder::builder("faults").shards(redis.shards()));
        let larder = builder.build().expect("settings in range");
        let cache = larder.cache("rows").build().expect("a cache");
        LarderNode { redis, cache, larder }
    }

    /// Loads a row until the shared tier has it: nothing is stored before the log was asked once.
    ///
    /// # Panics
    /// The load fails, which the source never does.
    pub async fn share(&self, key: usize, source: &Source) {
        let row = key as u64;
        while self.cache.peek_shared(&row).await.is_none() {
            let source = source.clone();
            let load = move |_| async move { loaded(key, &source).await };
            let read = self.cache.read(&row).skip_memory().await_fill().get_or_load(load);
            read.await.expect("the source is healthy");
        }
    }
}

fn tag_of(key: usize) -> String {
    format!("row {key}")
}

async fn loaded(key: usize, source: &Source) -> Result<Loaded<u64>, std::io::Error> {
    Ok(Loaded::value(source.load(key).await).tag(tag_of(key)))
}

impl Node for LarderNode {
    async fn read(&self, key: usize, source: &Source) -> Result<Answer, String> {
        let source = source.clone();
        let load = move |_| async move { loaded(key, &source).await };
        let hit = self.cache.get_or_load(&(key as u64), load).await;
        let hit = hit.map_err(|error| error.to_string())?;
        let version = *hit.value().expect("the source has every row");
        let origin = match hit.origin() {
            Origin::Memory => "memory",
            Origin::Shared => "the shared tier",
            Origin::Loaded => "the source",
        };
        Ok(Answer { version, origin })
    }

    async fn invalidate(&self, key: usize) -> Told {
        // Half of the rows by their key, which memory finds at once, half by a tag, which it must judge.
        let named = match key % 2 {
            0 => Invalidation::new().key(&self.cache, &(key as u64)),
            _ => Invalidation::new().tag(tag_of(key)),
        };
        match self.larder.invalidate(named).await.outcome() {
            Outcome::Shared(_) => Told::Shared,
            Outcome::Local(ticket) => {
                let ticket = ticket.clone();
                Told::Later(Box::pin(async move { drop(ticket.shared().await) }))
            }
        }
    }
}
