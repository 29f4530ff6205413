//! multi-tier-cache: typed get-or-load over its moka tier alone.

use std::sync::Arc;

use multi_tier_cache::{
    CacheManager, CacheStrategy, CacheSystemBuilder, MokaCache, MokaCacheConfig, TierConfig,
};
use yardstick::races::{Contestant, Feature, Load};

pub(crate) struct Racer(Arc<CacheManager>);

/// The cache without a second tier.
///
/// # Errors
/// The crate does not set it up.
pub(crate) async fn manager() -> anyhow::Result<Arc<CacheManager>> {
    let memory = Arc::new(MokaCache::new(MokaCacheConfig::default())?);
    let system = CacheSystemBuilder::new().with_tier(memory, TierConfig::as_l1()).build().await?;
    Ok(Arc::clone(system.cache_manager()))
}

impl Racer {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        manager().await.map(Racer)
    }
}

impl Contestant for Racer {
    const NAME: &'static str = "multi-tier-cache";
    const TAGS: Feature = Feature::Missing;
    const REFRESH: Feature = Feature::Missing;

    async fn read(&self, key: u64, load: Load) -> u64 {
        let load = || async { Ok(load.await) };
        let name = key.to_string();
        let read = self.0.get_or_compute_typed(&name, CacheStrategy::MediumTerm, load);
        read.await.expect("the load does not fail")
    }

    async fn insert(&self, key: u64, version: u64) {
        let bytes = version.to_string().into();
        let inserted =
            self.0.set_with_strategy(&key.to_string(), bytes, CacheStrategy::MediumTerm).await;
        inserted.expect("memory takes it");
    }

    async fn invalidate(&self, key: u64) {
        self.0.invalidate(&key.to_string()).await.expect("memory drops it");
    }

    async fn invalidate_tag(&self, _: u64) {
        unreachable!("multi-tier-cache has no tags");
    }

    async fn grow_old(&self, _: u64) {
        unreachable!("multi-tier-cache does not refresh in the background");
    }
}
