//! Larder as the benchmarks use it: with its defaults, bounds large enough, and no other node.

use std::convert::Infallible;
use std::time::Duration;

use larder::{Cache, Entry, Invalidation, Key, Larder, LarderBuilder, Loaded};

use crate::races::{Contestant, Feature, Load};

/// Freshness that no benchmark outlives.
pub const FRESH_FOR: Duration = Duration::from_secs(3_600);

/// A node with room for `entries` entries, and its only cache.
///
/// # Errors
/// There is no tokio runtime.
pub fn node<K: Key, V: Entry>(entries: u64) -> anyhow::Result<(Larder, Cache<K, V>)> {
    set_up(with_room(entries))
}

/// A node to be, with room for `entries` entries.
pub fn with_room(entries: u64) -> LarderBuilder {
    Larder::builder("bench").entries_max(entries).bytes_max(8 << 30)
}

/// This node, and its only cache.
///
/// # Errors
/// There is no tokio runtime.
pub fn set_up<K: Key, V: Entry>(builder: LarderBuilder) -> anyhow::Result<(Larder, Cache<K, V>)> {
    let larder = builder.build()?;
    let cache = larder.cache("notifications").fresh_for(FRESH_FOR).build()?;
    Ok((larder, cache))
}

/// Larder in the races.
pub struct Racer {
    larder: Larder,
    cache: Cache<u64, u64>,
}

impl Racer {
    /// A new, empty one.
    ///
    /// # Errors
    /// There is no tokio runtime.
    pub fn new() -> anyhow::Result<Self> {
        let larder = Larder::builder("races").build()?;
        let cache = larder.cache("pages").fresh_for(FRESH_FOR).stale_for(FRESH_FOR).build()?;
        Ok(Racer { larder, cache })
    }
}

impl Contestant for Racer {
    const NAME: &'static str = "larder";
    const TAGS: Feature = Feature::There;
    const REFRESH: Feature = Feature::There;

    async fn read(&self, key: u64, load: Load) -> u64 {
        let load = move |_| async move {
            Ok::<_, Infallible>(Loaded::value(load.await).tag(key.to_string()))
        };
        let lookup = self.cache.get_or_load(&key, load).await.expect("the load does not fail");
        *lookup.value().expect("the source has every key")
    }

    async fn insert(&self, key: u64, version: u64) {
        // Stored or only invalidated: in both cases the older value must not come back.
        assert!(self.cache.set(&key, version).await.invalidated.position().is_some());
    }

    async fn invalidate(&self, key: u64) {
        assert!(self.cache.invalidate(&key).await.position().is_some());
    }

    async fn invalidate_tag(&self, key: u64) {
        assert!(self.larder.invalidate_tag(key.to_string()).await.position().is_some());
    }

    async fn grow_old(&self, key: u64) {
        let soft = Invalidation::new().key(&self.cache, &key).soft();
        assert!(self.larder.invalidate(soft).await.position().is_some());
    }
}
