//! Decides what is warmed after a start, on demand, and over a restart: which sets the settings want,
//! how large they are, where hot keys are kept. Must not know any domain; each brings its own keys.

use std::path::Path;

use larder::warm::{Supply, Warmer, WarmerBuilder};
use larder::{BuildError, Key, Larder, ReadableKey};

use crate::settings::{Caching, Settings, Warming};
use crate::storage::StorageError;

/// The file of hot keys in the data directory.
const HOT_KEYS_FILE: &str = "hot-keys";

/// A warm set of Arcade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarmSet {
    /// Rooms in which most users sit.
    PopularRooms,
    /// Accounts of users who were here last.
    ActiveUsers,
    /// Game systems and templates that are used most.
    Systems,
    /// The newest assets.
    RecentAssets,
}

impl WarmSet {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            WarmSet::PopularRooms => "popular-rooms",
            WarmSet::ActiveUsers => "active-users",
            WarmSet::Systems => "systems",
            WarmSet::RecentAssets => "recent-assets",
        }
    }

    fn limit(self, settings: &Warming) -> u32 {
        match self {
            WarmSet::PopularRooms => settings.popular_rooms,
            WarmSet::ActiveUsers => settings.active_users,
            WarmSet::Systems => settings.systems,
            WarmSet::RecentAssets => settings.recent_assets,
        }
    }
}

/// The sets of all domains, being put together. Without caching there are none: nothing is kept.
#[derive(Debug)]
pub struct Sets {
    builder: WarmerBuilder,
    settings: Warming,
    caching: Caching,
}

impl Sets {
    /// None yet, for caches in `larder`.
    pub fn new(larder: &Larder, settings: &Settings) -> Self {
        let Settings { cache, data, .. } = settings;
        let builder = Warmer::builder(larder).keys_per_second(cache.warming.keys_per_second);
        let builder = match cache.warming.hot_keys && cache.caching == Caching::On {
            true => builder.hot_keys_in(Path::new(data).join(HOT_KEYS_FILE)),
            false => builder,
        };
        Sets { builder, settings: cache.warming, caching: cache.caching }
    }

    /// These, and `set`: as many keys as `list` may give, the most wanted first.
    pub(crate) fn set<K, F, Fut>(mut self, set: WarmSet, supply: &Supply<K>, list: F) -> Self
    where
        K: Key + Clone,
        F: Fn(u32) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<K>, StorageError>> + Send + 'static,
    {
        let limit = set.limit(&self.settings);
        if limit > 0 && self.caching == Caching::On {
            self.builder = self.builder.set(set.name(), supply, move || list(limit));
        }
        self
    }

    /// These, and the hot keys of this cache over a restart.
    pub(crate) fn restored<K: ReadableKey + Clone>(mut self, supply: &Supply<K>) -> Self {
        if self.settings.hot_keys && self.caching == Caching::On {
            self.builder = self.builder.restored(supply);
        }
        self
    }

    /// What warms them. As the settings want it, it begins at once, in the background.
    ///
    /// # Errors
    /// What the sets say of themselves does not fit together.
    pub fn begin(self) -> Result<Warmer, BuildError> {
        let warmer = self.builder.build()?;
        match self.settings.after_start {
            true => warmer.start(),
            false => warmer.restore(),
        }
        Ok(warmer)
    }
}

/// Ends warming, and keeps what is hot for the next start.
pub(crate) async fn end(warmer: &Warmer) {
    match warmer.close().await {
        Ok(Some(saved)) => tracing::info!(keys = saved.keys, "hot keys are saved"),
        Ok(None) => {}
        Err(fault) => {
            let error = format!("{:#}", anyhow::Error::from(fault));
            tracing::warn!(error, "hot keys are not saved");
        }
    }
}
