//! Who is under the load: a node of Larder, and the same by hand.

use std::convert::Infallible;
use std::sync::Arc;

use larder::Cache;
use moka::future::Cache as Moka;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use yardstick::page::Page;

use super::CAPACITY;
use super::ledger::Ledger;
use crate::nodes::Node;
use crate::sides::connection;

/// By hand, values stay in the server for so long.
const BY_HAND_SECONDS: u64 = 300;

/// How far an invalidation has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// All processes know, or will before they are asked for more than the bound.
    Everywhere,
    /// It could not be told to the others in time.
    Here,
}

/// The cache of one process.
pub(super) trait Cached: Send + Sync + 'static {
    /// Gets or loads the version of a key.
    #[expect(clippy::ptr_arg, reason = "caches look a key up by the type that they were made with")]
    fn read(&self, text: &String, key: u32, source: &Arc<Ledger>)
    -> impl Future<Output = u64> + Send;
    /// Says that the source has a newer version.
    #[expect(clippy::ptr_arg, reason = "caches look a key up by the type that they were made with")]
    fn invalidate(&self, text: &String) -> impl Future<Output = Reach> + Send;
    /// What it did, in one line.
    fn stats(&self) -> String;
}

pub(super) struct LarderNode(Node);

impl LarderNode {
    pub(super) async fn on(port: u16) -> anyhow::Result<Self> {
        Ok(LarderNode(Node::on(port, CAPACITY).await?))
    }

    fn cache(&self) -> &Cache<String, Page> {
        &self.0.cache
    }
}

impl Cached for LarderNode {
    async fn read(&self, text: &String, key: u32, source: &Arc<Ledger>) -> u64 {
        let source = Arc::clone(source);
        let load = move |_| async move { Ok::<_, Infallible>(source.load(key).await) };
        self.cache().get_or_load(text, load).await.expect("it does not fail").version
    }

    async fn invalidate(&self, text: &String) -> Reach {
        match self.cache().invalidate(text).await.position() {
            Some(_) => Reach::Everywhere,
            None => Reach::Here,
        }
    }

    fn stats(&self) -> String {
        let stats = self.cache().stats();
        format!(
            "{} hits in memory, {} in the server, {} misses, {} bypasses, {} loads, {} fills refused",
            stats.hits,
            stats.shared_hits,
            stats.misses,
            stats.bypasses,
            stats.loads,
            stats.fills_rejected
        )
    }
}

/// As a careful team writes it: values by a single load in memory, then in the server.
pub(super) struct Hand {
    memory: Moka<String, Arc<Page>>,
    server: MultiplexedConnection,
}

impl Hand {
    pub(super) async fn on(port: u16) -> anyhow::Result<Self> {
        let server = connection(port).await?;
        Ok(Hand { memory: Moka::new(CAPACITY), server })
    }

    async fn shared_or_loaded(
        &self,
        text: &String,
        key: u32,
        source: &Ledger,
    ) -> anyhow::Result<Arc<Page>> {
        let mut server = self.server.clone();
        let stored: Option<Vec<u8>> = server.get(text).await?;
        if let Some(json) = stored {
            return Ok(Arc::new(serde_json::from_slice(&json)?));
        }
        let page = source.load(key).await;
        server.set_ex::<_, _, ()>(text, serde_json::to_vec(&page)?, BY_HAND_SECONDS).await?;
        Ok(Arc::new(page))
    }
}

impl Cached for Hand {
    async fn read(&self, text: &String, key: u32, source: &Arc<Ledger>) -> u64 {
        let missed = self.shared_or_loaded(text, key, source);
        self.memory.try_get_with_by_ref(text, missed).await.expect("the server answers").version
    }

    async fn invalidate(&self, text: &String) -> Reach {
        self.server.clone().del::<_, ()>(text).await.expect("the server answers");
        self.memory.invalidate(text).await;
        Reach::Everywhere
    }

    fn stats(&self) -> String {
        String::new()
    }
}
