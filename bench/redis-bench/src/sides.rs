//! Who is asked for values that only the server has: a bare client, the peers with their memory tier
//! left out, and Larder with its memory left out too, or as it comes. All values are the same JSON.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use larder::{Cache, Codec, Larder};
use larder_rig::RedisServer;
use multi_tier_cache::{CacheManager, CacheStrategy, CacheSystemBuilder, RedisCache, TierConfig};
use oxcache::Cache as Ox;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncCommands, AsyncConnectionConfig, ConnectionAddr, IntoConnectionInfo};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use yardstick::clocks::elapsed;
use yardstick::home;
use yardstick::page::Page;

use crate::nodes::{Node, fill};

/// Keys that the server has.
pub(crate) const KEYS: u32 = 10_000;

/// Somebody who reads typed values. Answers are versions, so that nobody has to copy a value.
pub(crate) trait Side: Send + Sync + 'static {
    /// One key.
    #[expect(clippy::ptr_arg, reason = "caches look a key up by the type that they were made with")]
    fn one(&self, key: &String) -> impl Future<Output = u64> + Send;
}

/// Somebody who reads many in one call.
pub(crate) trait Batches: Send + Sync + 'static {
    /// Many keys in one call, or with all calls made at once: the sum, once all of their values are
    /// there, as a caller gets them.
    fn many(&self, keys: &[String]) -> impl Future<Output = u64> + Send;
}

/// A cache of Larder whose answers come from the server.
pub(crate) struct Shared {
    _larder: Larder,
    _redis: larder_redis::Redis,
    pub(crate) cache: Cache<String, Page>,
}

impl Shared {
    /// As it comes: what is read is put into memory.
    pub(crate) fn with_memory(node: Node) -> Self {
        Shared { _larder: node.larder, _redis: node.redis, cache: node.cache }
    }

    /// A cache of `node` that leaves memory out.
    ///
    /// # Errors
    /// It has been made before.
    pub(crate) fn without_memory(node: Node, codec: Codec) -> anyhow::Result<Self> {
        let cache = node.larder.cache("shared").fresh_for(home::FRESH_FOR).codec(codec);
        let cache = cache.memory_bytes_max(0).build()?;
        Ok(Shared { cache, ..Shared::with_memory(node) })
    }

    /// Puts the first version of each of these keys into the shared tier.
    ///
    /// # Errors
    /// It does not take them.
    pub(crate) async fn fill(&self, texts: &[String]) -> anyhow::Result<()> {
        fill(&self.cache, texts).await
    }
}

impl Side for Shared {
    async fn one(&self, key: &String) -> u64 {
        let read = self.cache.read(key).skip_memory().get().await;
        read.and_then(|lookup| lookup.found()).expect("the server has every key").version
    }
}

impl Batches for Shared {
    async fn many(&self, keys: &[String]) -> u64 {
        let pages = self.cache.get_many(keys).await.into_iter();
        let versions = pages.map(|lookup| {
            lookup.and_then(|lookup| lookup.found()).expect("the server has every key").version
        });
        versions.sum()
    }
}

/// What a careful team writes without a cache library.
pub(crate) struct Bare(MultiplexedConnection);

impl Bare {
    pub(crate) async fn on(server: &RedisServer) -> anyhow::Result<Self> {
        Ok(Bare(connection(server.port()).await?))
    }

    pub(crate) async fn fill(&self, texts: &[String]) -> anyhow::Result<()> {
        let mut connection = self.0.clone();
        for (text, key) in texts.iter().zip(0..) {
            let json = serde_json::to_vec(&Page::of(key, 1))?;
            connection.set_ex::<_, _, ()>(text, json, home::FRESH_FOR.as_secs()).await?;
        }
        Ok(())
    }
}

impl Side for Bare {
    async fn one(&self, key: &String) -> u64 {
        let mut connection = self.0.clone();
        let bytes: Vec<u8> = connection.get(key).await.expect("the server answers");
        black_box(&page(&bytes)).version
    }
}

impl Batches for Bare {
    async fn many(&self, keys: &[String]) -> u64 {
        let mut connection = self.0.clone();
        let values: Vec<Vec<u8>> = connection.mget(keys).await.expect("the server answers");
        let pages: Vec<Page> = values.iter().map(|bytes| page(bytes)).collect();
        black_box(&pages).iter().map(|page| page.version).sum()
    }
}

fn page(json: &[u8]) -> Page {
    serde_json::from_slice(json).expect("the server has every key")
}

/// A connection that many tasks share, which sends at once, as Larder's does.
///
/// # Errors
/// There is none.
pub(crate) async fn connection(port: u16) -> anyhow::Result<MultiplexedConnection> {
    let address = ConnectionAddr::Tcp(String::from("127.0.0.1"), port).into_connection_info()?;
    let sent_at_once = address.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let patient = AsyncConnectionConfig::new().set_response_timeout(None);
    let client = redis::Client::open(sent_at_once)?;
    Ok(client.get_multiplexed_async_connection_with_config(&patient).await?)
}

/// multi-tier-cache with Redis as its only tier: there is no memory that could answer.
pub(crate) struct MultiTier(Arc<CacheManager>);

impl MultiTier {
    pub(crate) async fn on(server: &RedisServer) -> anyhow::Result<Self> {
        let tier = Arc::new(RedisCache::with_url(&server.url()).await?);
        let system = CacheSystemBuilder::new().with_tier(tier, TierConfig::as_l1()).build().await?;
        Ok(MultiTier(Arc::clone(system.cache_manager())))
    }

    pub(crate) async fn fill(&self, texts: &[String]) -> anyhow::Result<()> {
        let strategy = CacheStrategy::Custom(Duration::from_secs(3_600));
        for (text, key) in texts.iter().zip(0..) {
            let json = serde_json::to_vec(&Page::of(key, 1))?;
            self.0.set_with_strategy(text, json.into(), strategy.clone()).await?;
        }
        Ok(())
    }

    async fn page(&self, key: &str) -> Page {
        let page = self.0.get_typed(key).await.expect("the server answers");
        page.expect("the server has every key")
    }
}

impl Side for MultiTier {
    async fn one(&self, key: &String) -> u64 {
        black_box(&self.page(key).await).version
    }
}

impl Batches for MultiTier {
    async fn many(&self, keys: &[String]) -> u64 {
        let pages = join_all(keys.iter().map(|key| self.page(key))).await;
        black_box(&pages).iter().map(|page| page.version).sum()
    }
}

/// oxcache over its Redis backend alone.
pub(crate) struct OxRedis(Ox<String, Page>);

impl OxRedis {
    pub(crate) async fn on(server: &RedisServer) -> anyhow::Result<Self> {
        Ok(OxRedis(Ox::redis(&server.url()).await?))
    }

    pub(crate) async fn fill(&self, texts: &[String]) -> anyhow::Result<()> {
        for (text, key) in texts.iter().zip(0..) {
            self.0.set(text, &Page::of(key, 1)).await?;
        }
        Ok(())
    }
}

impl Side for OxRedis {
    async fn one(&self, key: &String) -> u64 {
        let page = self.0.get(key).await.expect("the server answers");
        black_box(page.expect("the server has every key")).version
    }
}

impl Batches for OxRedis {
    async fn many(&self, keys: &[String]) -> u64 {
        let pages = self.0.get_many(keys).await.expect("the server answers");
        assert_eq!(pages.len(), keys.len(), "the server has every key");
        pages.values().map(|page| page.version).sum()
    }
}

/// How long `tasks` tasks take that each do `work` once.
pub(crate) fn together<F>(runtime: &Runtime, tasks: usize, work: impl Fn(usize) -> F) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
{
    elapsed(|| {
        runtime.block_on(async {
            let mut working = JoinSet::new();
            for task in 0..tasks {
                working.spawn(work(task));
            }
            working.join_all().await
        })
    })
}
