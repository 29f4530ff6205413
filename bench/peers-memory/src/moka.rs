//! moka: get-or-load is `try_get_with`. A predicate stands for its missing tags, as its
//! documentation suggests.

use std::convert::Infallible;

use moka::future::Cache;
use yardstick::races::{Contestant, Feature, Load};

pub(crate) struct Racer(Cache<u64, u64>);

impl Racer {
    pub(crate) fn new() -> Self {
        Racer(Cache::builder().max_capacity(10_000).support_invalidation_closures().build())
    }
}

impl Contestant for Racer {
    const NAME: &'static str = "moka";
    const TAGS: Feature = Feature::There;
    const REFRESH: Feature = Feature::Missing;

    async fn read(&self, key: u64, load: Load) -> u64 {
        let load = async { Ok::<_, Infallible>(load.await) };
        self.0.try_get_with(key, load).await.expect("the load does not fail")
    }

    async fn insert(&self, key: u64, version: u64) {
        self.0.insert(key, version).await;
    }

    async fn invalidate(&self, key: u64) {
        self.0.invalidate(&key).await;
    }

    async fn invalidate_tag(&self, key: u64) {
        self.0.invalidate_entries_if(move |held, _| *held == key).expect("closures are allowed");
        self.0.run_pending_tasks().await;
    }

    async fn grow_old(&self, _: u64) {
        unreachable!("moka does not refresh in the background");
    }
}
