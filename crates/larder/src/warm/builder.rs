//! How a warmer is set up: sets, hot keys, limits; every mistake at once.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::hot::{HotKeys, Restored};
use super::limits::Limits;
use super::pace::Pace;
use super::progress::Board;
use super::set::{List, Sizes, WarmSet, asking};
use super::supply::Supply;
use super::warming::Warming;
use super::{HOT_KEYS, Warmer};
use crate::Key;
use crate::cache::BoxError;
use crate::error::{BuildError, Mistake};
use crate::handle::Larder;
use crate::key::ReadableKey;
use crate::node::Node;
use crate::sync::AtomicBool;

/// Sets up warming, see [`Warmer::builder`].
#[must_use = "nothing is warmed before `build` and `start`"]
pub struct WarmerBuilder {
    node: Arc<Node>,
    sets: Vec<(String, List)>,
    restored: Vec<Box<dyn Restored>>,
    path: Option<PathBuf>,
    limits: Limits,
}

impl fmt::Debug for WarmerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sets: Vec<&str> = self.sets.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("WarmerBuilder")
            .field("sets", &sets)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Warmer {
    /// Sets up warming of caches of this node.
    pub fn builder(larder: &Larder) -> WarmerBuilder {
        WarmerBuilder {
            node: Arc::clone(larder.node()),
            sets: Vec::new(),
            restored: Vec::new(),
            path: None,
            limits: Limits::default(),
        }
    }
}

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        $($(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            self.limits.$name = $name;
            self
        })*
    };
}

impl WarmerBuilder {
    /// A warm set: the keys that `list` gives, of the cache of `supply`. `list` is asked at each run, and
    /// should give the most wanted first.
    pub fn set<K, F, Fut, E>(mut self, name: &str, supply: &Supply<K>, list: F) -> Self
    where
        K: Key + Clone,
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<K>, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        self.sets.push((name.to_owned(), asking(supply, list)));
        self
    }

    /// Lets the hot keys of this cache outlive the process.
    pub fn restored<K: ReadableKey + Clone>(mut self, supply: &Supply<K>) -> Self {
        self.restored.push(Box::new(supply.clone()));
        self
    }

    /// Where the hot keys are kept: a file of this node alone. Beside it, a new one is written before
    /// it takes its place.
    pub fn hot_keys_in(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    limits! {
        /// How many keys of sets are read in a second, of all runs together. Default 500.
        keys_per_second: u32;
        /// The same while hot keys are restored: users wait for just these. Default 10,000.
        restored_per_second: u32;
        /// The most keys in one batch. Default 100.
        batch_max: usize;
        /// The most keys of a set; what it lists beyond is left out. Default 10,000.
        keys_max: usize;
        /// The most hot keys of a cache. Above it those whose load took longest are kept. Default 10,000.
        hot_keys_max: usize;
        /// The most bytes of the file; each cache has the same share. 4 KiB to 256 MiB, default 4 MiB.
        file_bytes_max: usize;
        /// How long listing the keys of a set may take. Default 10 s.
        list_timeout: Duration;
        /// How often hot keys are saved besides by [`close`](Warmer::close). Default 5 minutes.
        save_interval: Duration;
    }

    /// The warmer. Nothing is read before [`start`](Warmer::start) or [`begin`](Warmer::begin).
    ///
    /// # Errors
    /// Every mistake at once: names that are empty or taken, a cache that is restored twice, a file
    /// without such caches or the other way round, limits out of range.
    pub fn build(self) -> Result<Warmer, BuildError> {
        BuildError::unless_empty(self.mistakes())?;
        let WarmerBuilder { node, sets, restored, path, limits } = self;
        let hot = path.map(|path| {
            let (namespace, bytes_max) = (node.namespace.to_string(), limits.file_bytes_max);
            Arc::new(HotKeys { namespace, path, bytes_max, caches: restored })
        });
        let restoring = hot.iter().map(|hot| WarmSet {
            name: HOT_KEYS.to_owned(),
            keys_per_second: limits.restored_per_second,
            sizes: Sizes { keys_max: limits.hot_keys_max, batch_max: limits.batch_max },
            list: hot.listing(),
        });
        let declared = sets.into_iter().map(|(name, list)| WarmSet {
            name,
            keys_per_second: limits.keys_per_second,
            sizes: Sizes { keys_max: limits.keys_max, batch_max: limits.batch_max },
            list,
        });
        let sets: Vec<WarmSet> = restoring.chain(declared).collect();
        Ok(Warmer::of(Warming {
            board: Board::new(sets.iter().map(|set| set.name.as_str())),
            pace: Pace::default(),
            ended: Notify::new(),
            stop: CancellationToken::new(),
            keeps_saving: AtomicBool::new(false),
            saving: Arc::default(),
            node,
            sets,
            hot,
            limits,
        }))
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes_of_names();
        let mut refuse = |wrong: bool, field, problem: &str| {
            if wrong {
                mistakes.push(Mistake::new(field, problem));
            }
        };
        refuse(
            self.path.is_some() && self.restored.is_empty(),
            "hot_keys_in",
            "names a file, but no cache is `restored`",
        );
        refuse(
            self.path.is_none() && !self.restored.is_empty(),
            "restored",
            "names caches, but `hot_keys_in` names no file",
        );
        mistakes.extend(self.limits.mistakes());
        mistakes
    }

    fn mistakes_of_names(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let mut sets = vec![HOT_KEYS];
        for (name, _) in &self.sets {
            if name.is_empty() || sets.contains(&name.as_str()) {
                let problem = format!("is called `{name}`; a name is not empty and used once");
                mistakes.push(Mistake::new("set", problem));
            }
            sets.push(name);
        }
        let mut caches = Vec::new();
        for cache in &self.restored {
            let name = cache.cache_name();
            if caches.contains(&name) {
                mistakes.push(Mistake::new("restored", format!("names `{name}` twice")));
            }
            caches.push(name);
        }
        mistakes
    }
}
