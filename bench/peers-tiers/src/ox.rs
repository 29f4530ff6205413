//! oxcache: get-or-load is `get_or`, over its default tier, which is memory.

use oxcache::Cache;
use yardstick::races::{Contestant, Feature, Load};

pub(crate) struct Racer(Cache<u64, u64>);

impl Racer {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Ok(Racer(Cache::builder().capacity(10_000).build().await?))
    }
}

impl Contestant for Racer {
    const NAME: &'static str = "oxcache";
    const TAGS: Feature = Feature::Missing;
    const REFRESH: Feature = Feature::Missing;

    async fn read(&self, key: u64, load: Load) -> u64 {
        let load = || async { Ok(load.await) };
        self.0.get_or(&key, load).await.expect("the load does not fail")
    }

    async fn insert(&self, key: u64, version: u64) {
        self.0.set(&key, &version).await.expect("memory takes it");
    }

    async fn invalidate(&self, key: u64) {
        self.0.delete(&key).await.expect("memory drops it");
    }

    async fn invalidate_tag(&self, _: u64) {
        unreachable!("oxcache has no tags");
    }

    async fn grow_old(&self, _: u64) {
        unreachable!("oxcache does not refresh in the background");
    }
}
