//! foyer: its memory cache, where get-or-load is `get_or_fetch`.

use std::convert::Infallible;

use foyer_memory::{Cache, CacheBuilder};
use yardstick::races::{Contestant, Feature, Load};

pub(crate) struct Racer(Cache<u64, u64>);

impl Racer {
    pub(crate) fn new() -> Self {
        Racer(CacheBuilder::new(10_000).build())
    }
}

impl Contestant for Racer {
    const NAME: &'static str = "foyer";
    const TAGS: Feature = Feature::Missing;
    const REFRESH: Feature = Feature::Missing;

    async fn read(&self, key: u64, load: Load) -> u64 {
        let load = || async { Ok::<u64, Infallible>(load.await) };
        *self.0.get_or_fetch(&key, load).await.expect("the load does not fail").value()
    }

    async fn insert(&self, key: u64, version: u64) {
        self.0.insert(key, version);
    }

    async fn invalidate(&self, key: u64) {
        self.0.remove(&key);
    }

    async fn invalidate_tag(&self, _: u64) {
        unreachable!("foyer has no tags");
    }

    async fn grow_old(&self, _: u64) {
        unreachable!("foyer does not refresh in the background");
    }
}
