//! How nodes of Larder are set up on a real server, and how they are filled.

use std::time::Duration;

use anyhow::Context;
use larder::{Cache, Larder, LarderBuilder};
use larder_redis::{Redis, RedisOptions, Topology};
use tokio::runtime::{Builder, Runtime};
use yardstick::home;
use yardstick::page::Page;

/// Nodes of one fleet share this namespace.
const NAMESPACE: &str = "bench";
/// How long a node may take until it reads what it has stored.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many values are set at a time while a node is filled.
const SET_AT_ONCE: usize = 250;

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
        Node::set_up(port, Larder::builder(NAMESPACE).entries_max(entries).bytes_max(1 << 30)).await
    }

    /// The node that `builder` describes, connected.
    ///
    /// # Errors
    /// It does not connect.
    pub(crate) async fn set_up(port: u16, builder: LarderBuilder) -> anyhow::Result<Self> {
        let options = RedisOptions::new(Topology::single("127.0.0.1", port));
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

/// Puts the first version of each of these keys into the shared tier.
///
/// # Errors
/// It does not take them.
pub(crate) async fn fill(cache: &Cache<String, Page>, texts: &[String]) -> anyhow::Result<()> {
    let pages = texts.iter().zip(0..).map(|(text, key)| (text.clone(), Page::of(key, 1)));
    let pages: Vec<(String, Page)> = pages.collect();
    for some in pages.chunks(SET_AT_ONCE) {
        for (outcome, (key, _)) in cache.set_many(some.to_vec()).await.iter().zip(some) {
            anyhow::ensure!(outcome.stored, "{key} was not stored");
        }
    }
    for text in texts {
        readable(cache, text).await?;
    }
    Ok(())
}

/// Completes once this node reads the key from the shared tier: at first its view of the log has
/// not seen the epoch yet.
async fn readable(cache: &Cache<String, Page>, text: &String) -> anyhow::Result<()> {
    let reading = async {
        while cache.read(text).skip_memory().get().await.is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.with_context(|| format!("{text} is not read"))
}
