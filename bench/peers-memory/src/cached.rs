//! cached: what its macro for concurrent caches does (get, run, set), on the same store, with the
//! refresh that its example `stale_while_revalidate` composes.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use cached::{ConcurrentCloneCached, ShardedLruTtlCache};
use tokio::task::JoinSet;
use yardstick::races::{Contestant, Feature, Load};

/// Long enough for a race, short enough to wait for.
const FRESH_FOR: Duration = Duration::from_millis(100);

pub(crate) struct Racer {
    store: ShardedLruTtlCache<u64, u64>,
    refreshes: Mutex<JoinSet<u64>>,
}

impl Racer {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let store = ShardedLruTtlCache::builder().max_size(10_000).ttl(FRESH_FOR).build();
        let store = store.context("cannot build the store")?;
        Ok(Racer { store, refreshes: Mutex::default() })
    }
}

impl Contestant for Racer {
    const NAME: &'static str = "cached";
    const TAGS: Feature = Feature::Missing;
    const REFRESH: Feature = Feature::There;

    async fn read(&self, key: u64, load: Load) -> u64 {
        let store = self.store.clone();
        let filled = async move {
            let version = load.await;
            store.set(key, version);
            version
        };
        match self.store.cache_peek_with_expiry_status(&key) {
            (Some(version), false) => version,
            (Some(old), true) => {
                self.refreshes.lock().expect("no panic while it is held").spawn(filled);
                old
            }
            (None, _) => filled.await,
        }
    }

    async fn insert(&self, key: u64, version: u64) {
        self.store.set(key, version);
    }

    async fn invalidate(&self, key: u64) {
        self.store.remove(&key);
    }

    async fn invalidate_tag(&self, _: u64) {
        unreachable!("cached has no tags");
    }

    async fn grow_old(&self, _: u64) {
        tokio::time::sleep(FRESH_FOR * 2).await;
    }
}
