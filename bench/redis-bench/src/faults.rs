//! The faults of the failure model, done in the same order to fleets of Larder, of multi-tier-cache
//! and of code by hand: how many of their answers are older than allowed, and how many fail?

use std::sync::Arc;
use std::time::Duration;

use larder_faults::{
    Answer, ByHand, Crowd, LarderNode, Node, Pace, Report, STALENESS_MAX, Source, Told, pause,
};
use larder_redis::{RedisOptions, Topology};
use larder_rig::{Fault, Proxy, RedisServer};
use multi_tier_cache::error::CacheError;
use multi_tier_cache::{
    CacheManager, CacheStrategy, InvalidationConfig, L1Cache, L2Cache, MokaCacheConfig,
};

use crate::nodes;

/// Rounds of all faults, unless told.
pub(crate) const ROUNDS: usize = 3;

const NODES: usize = 3;

/// How long each fault lasts.
const LASTS: Duration = Duration::from_millis(700);

/// How long the fleet is left alone after each.
const REST: Duration = Duration::from_millis(300);

/// A node that others may connect to a server behind a proxy.
trait Contestant: Node + Sized {
    const NAME: &'static str;

    async fn on(port: u16) -> anyhow::Result<Self>;
}

/// multi-tier-cache as its documentation sets it up for several processes: memory, Redis, and
/// invalidations over a channel.
struct MultiTier(Arc<CacheManager>);

impl Contestant for MultiTier {
    const NAME: &'static str = "multi-tier-cache";

    async fn on(port: u16) -> anyhow::Result<Self> {
        let url = format!("redis://127.0.0.1:{port}");
        let memory = Arc::new(L1Cache::new(MokaCacheConfig::default())?);
        let shared = Arc::new(L2Cache::with_url(&url).await?);
        let config = InvalidationConfig::default();
        let manager = CacheManager::new_with_invalidation(memory, shared, &url, config).await?;
        Ok(MultiTier(Arc::new(manager)))
    }
}

impl Node for MultiTier {
    async fn read(&self, key: usize, source: &Source) -> Result<Answer, String> {
        let source = source.clone();
        let load = async move || Ok::<u64, CacheError>(source.load(key).await);
        let (name, strategy) = (key.to_string(), CacheStrategy::MediumTerm);
        let read = self.0.get_or_compute_typed(&name, strategy, load).await;
        let version = read.map_err(|error| error.to_string())?;
        Ok(Answer { version, origin: "the cache" })
    }

    async fn invalidate(&self, key: usize) -> Told {
        // It has no ticket to wait for: whoever gets an error can only go on.
        drop(self.0.invalidate(&key.to_string()).await);
        Told::Shared
    }
}

impl Contestant for LarderNode {
    const NAME: &'static str = "larder";

    async fn on(port: u16) -> anyhow::Result<Self> {
        let node = LarderNode::new(RedisOptions::new(Topology::single("127.0.0.1", port)));
        node.redis.connected().await;
        Ok(node)
    }
}

impl Contestant for ByHand {
    const NAME: &'static str = "by hand";

    async fn on(port: u16) -> anyhow::Result<Self> {
        Ok(ByHand::new(port))
    }
}

/// Prints what each fleet answered, and fails if one of Larder's answers was stale or a failure, or
/// if nothing was found in multi-tier-cache: then the faults do nothing.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let runtime = nodes::runtime()?;
    let larder = runtime.block_on(fleet::<LarderNode>(rounds))?;
    let multi_tier = runtime.block_on(fleet::<MultiTier>(rounds))?;
    runtime.block_on(fleet::<ByHand>(rounds))?;
    anyhow::ensure!(larder.stale == 0 && larder.failed == 0, "{}", larder.stories.join("\n"));
    anyhow::ensure!(multi_tier.stale > 0, "the harness finds nothing in multi-tier-cache");
    Ok(())
}

async fn fleet<N: Contestant>(rounds: usize) -> anyhow::Result<Report> {
    let mut server = RedisServer::start();
    let (mut proxies, mut fleet) = (Vec::new(), Vec::new());
    for _ in 0..NODES {
        let proxy = Proxy::before(server.port()).await;
        fleet.push(N::on(proxy.port()).await?);
        proxies.push(proxy);
    }
    let crowd = Crowd::on(fleet, Source::new(Duration::from_millis(1)), Pace::default());
    for _ in 0..rounds {
        torment(&mut server, &proxies).await;
    }
    pause(STALENESS_MAX).await;
    let report = crowd.end(N::NAME).await;
    println!("{report}");
    Ok(report)
}

/// Every fault once: of the server, then of the network of one node and of all.
async fn torment(server: &mut RedisServer, proxies: &[Proxy]) {
    server.kill();
    pause(LASTS).await;
    server.run();
    pause(REST).await;
    server.restart_empty();
    pause(REST).await;
    let old = server.snapshot();
    pause(REST).await;
    server.restart_with(&old);
    pause(REST).await;
    let slow = Fault::Delay(Duration::from_millis(100));
    for fault in [slow, Fault::BlackHole, Fault::NoAnswers, Fault::Cut] {
        for sick in [1, proxies.len()] {
            proxies[..sick].iter().for_each(|proxy| proxy.inflict(fault));
            pause(LASTS).await;
            proxies.iter().for_each(|proxy| proxy.inflict(Fault::None));
            pause(REST).await;
        }
    }
}
