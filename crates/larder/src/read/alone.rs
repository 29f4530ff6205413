//! A read that may stand on nothing but the source: nothing is shared, nothing is kept.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use super::load::panicked;
use super::loader::Loader;
use crate::Entry;
use crate::cache::core::{CacheCore, Making, Sought};
use crate::error::Error;
use crate::hit::{Answer, Origin};
use crate::loaded::{Content, Load};
use crate::memory::resident::Held;
use crate::node::view::Place;
use crate::policy::Lifetime;
use crate::wait;

impl<V: Entry> CacheCore<V> {
    /// Loads these keys for this caller only.
    pub(super) async fn load_alone(
        &self,
        sought: &[&Sought],
        loader: &mut Box<dyn Loader<V>>,
    ) -> Result<Vec<Answer<V>>, Error> {
        let node = &self.node;
        let Ok(_permit) = Arc::clone(&node.loads).acquire_owned().await else {
            return Err(Error::Closed);
        };
        let began = node.now();
        self.counters.load_began();
        let loads = (0..sought.len()).map(|index| Load { as_of: 0, shown: None, index }).collect();
        let loading = std::panic::catch_unwind(AssertUnwindSafe(|| loader.load(loads)));
        let loading = loading.map_err(|panic| panicked(&*panic))?;
        let limit = self.policy.hard_timeout.unwrap_or(node.limits.load_time_max);
        let guarded = AssertUnwindSafe(loading).catch_unwind();
        let loaded = match wait::until(guarded, node.clock.sleep_until(began.plus(limit))).await {
            Some(loaded) => loaded.unwrap_or_else(|panic| Err(panicked(&*panic))),
            None => Err(Error::timed_out(limit)),
        };
        let loaded = loaded.inspect_err(|_| self.counters.load_failed())?;
        self.counters.loaded(node.now().since(began));
        let answers = loaded.into_iter().zip(sought).map(|(loaded, sought)| {
            let value = match loaded.content {
                Content::Value(value) => Held::Own(value),
                Content::Absent => Held::Absent,
                Content::NotModified => return Err(Error::NothingToKeep),
            };
            let making = Making {
                l0: 0,
                place: Place { epoch: None, number: u32::MAX, applied: 0 },
                as_of: 0,
                key_as_of: 0,
                lifetime: Lifetime::NONE,
                loaded_at: began,
                load_cost: node.now().since(began),
                own_load: true,
                soft: false,
                tags: Box::default(),
            };
            let resident = self.make(sought, making, value);
            Ok(Answer { resident, origin: Origin::Loaded, stale: false, at: node.now() })
        });
        answers.collect()
    }
}
