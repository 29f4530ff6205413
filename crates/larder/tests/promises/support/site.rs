//! A node of a fleet, its cache, and its way to the server.

use std::sync::Arc;

use larder::conformance::manual::ManualClock;
use larder::{Cache, Larder, Origin};

use super::{Cable, Fleet, Source, numbers, pass, seconds, settle, within};

/// A node whose cable the test may cut.
pub(crate) struct Site {
    clock: ManualClock,
    pub(crate) larder: Larder,
    pub(crate) cable: Arc<Cable>,
    pub(crate) cache: Cache<u64, u32>,
}

impl Site {
    pub(crate) async fn of(fleet: &Fleet) -> Self {
        let (larder, cable) = fleet.node();
        let cache = numbers(&larder).build().expect("a cache");
        settle().await;
        Site { clock: fleet.clock.clone(), larder, cable, cache }
    }

    /// A read that must be answered within the time that a caller has.
    pub(crate) async fn read(&self, key: u64, source: &Source) -> (u32, Origin) {
        let reading = self.cache.get_or_load(&key, source.load());
        let hit = within(&self.clock, seconds(2), reading).await.expect("an answer");
        (*hit, hit.origin())
    }

    /// A read whose value has the tag `red`.
    pub(crate) async fn read_red(&self, key: u64, source: &Source) -> (u32, Origin) {
        let reading = self.cache.get_or_load(&key, source.tagged("red"));
        let found = within(&self.clock, seconds(2), reading).await.expect("an answer");
        let hit = found.found().expect("a value");
        (*hit, hit.origin())
    }

    /// Cuts the cable, and waits until the node knows that it knows nothing.
    pub(crate) async fn cut_off(&self) {
        self.cable.cut();
        pass(&self.clock, seconds(2)).await;
    }
}
