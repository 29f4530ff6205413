//! How nodes of Larder are set up on a real server, and how they are filled.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::join_all;
use larder::{Cache, Larder, LarderBuilder};
use larder_redis::{Redis, RedisOptions, Topology};
use tokio::runtime::{Builder, Runtime};
use yardstick::home;
use yardstick::page::Page;

/// Nodes of one fleet share this namespace.
const NAMESPACE: &str = "bench";
/// How long a node may take until it reads what it has stored.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many values are loaded at a time while a node is filled: more at once make the server so slow
/// that a node's breaker opens, and nothing is stored for a while.
const LOADED_AT_ONCE: usize = 16;

/// One process's part of a fleet, with the connections of its own.
pub(crate) struct Node {
    pub(crate) redis: Redis,
    pub(crate) larder: Larder,
    pub(crate) cache: Cache<String, Page>,
}

/// A runtime with a worker for each processor of the machine that is measured.
///
/// # Errors
/// The system gives no threads.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

impl Node {
    /// A node with room for `entries` entries, connected. Every other setting is the default.
    ///
    /// # Errors
    /// It does not connect.
    pub(crate) async fn on(port: u16, entries: u64) -> anyhow::Result<Self> {
        Node::set_up(port, Node::builder().entries_max(entries).bytes_max(1 << 30)).await
    }

    /// The node that `builder` describes, connected.
    ///
    /// # Errors
    /// It does not connect.
    pub(crate) async fn set_up(port: u16, builder: LarderBuilder) -> anyhow::Result<Self> {
        Node::with(RedisOptions::new(Topology::single("127.0.0.1", port)), builder).await
    }

    async fn with(options: RedisOptions, builder: LarderBuilder) -> anyhow::Result<Self> {
        let redis = Redis::open(NAMESPACE, options)?;
        let larder = builder.shards(redis.shards()).build()?;
        let cache = larder.cache("pages").fresh_for(home::FRESH_FOR).build()?;
        let node = Node { redis, larder, cache };
        tokio::time::timeout(PATIENCE, node.redis.connected()).await.context("no connection")?;
        node.redis.joined().await?;
        Ok(node)
    }

    /// A node to be, of this fleet.
    pub(crate) fn builder() -> LarderBuilder {
        Larder::builder(NAMESPACE)
    }

    /// Puts the first version of each of these keys into the shared tier.
    ///
    /// # Errors
    /// It does not take them.
    pub(crate) async fn fill(&self, texts: &[String]) -> anyhow::Result<()> {
        fill(&self.cache, texts).await
    }
}

/// Puts the first version of each of these keys into the shared tier. Loads it and does not set it:
/// each set is an invalidation too, and those say of a few other keys that they may be old.
///
/// # Errors
/// It does not take them.
pub(crate) async fn fill(cache: &Cache<String, Page>, texts: &[String]) -> anyhow::Result<()> {
    for (some, first) in texts.chunks(LOADED_AT_ONCE).zip((0..).step_by(LOADED_AT_ONCE)) {
        let shared = some.iter().zip(first..).map(|(text, key)| shared(cache, text, key));
        tokio::time::timeout(PATIENCE, join_all(shared)).await.context("values are not shared")?;
    }
    Ok(())
}

/// Completes once this node reads the key from the shared tier. What it loads before its view of the
/// log has seen the epoch is not stored.
async fn shared(cache: &Cache<String, Page>, text: &String, key: u64) {
    while cache.read(text).skip_memory().get().await.is_none() {
        let load = move |_| async move { Ok::<_, Infallible>(Page::of(key, 1)) };
        let loaded = cache.read(text).skip_memory().await_fill().get_or_load(load).await;
        drop(loaded.expect("the source is healthy"));
    }
}
