//! The loader: bounded in number and time, its panics caught, its lease renewed while it runs.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::select;

use super::lead::{Leading, Lease};
use super::loader::Done;
use crate::Entry;
use crate::error::Error;
use crate::event::Event;
use crate::loaded::{Load, Loaded};
use crate::wait;

impl<V: Entry> Leading<V> {
    /// Loads these legs with one call of the loader, and ends their flights.
    pub(super) async fn load(&mut self, indices: &[usize]) {
        let open: Vec<usize> =
            indices.iter().copied().filter(|&index| self.legs[index].is_open()).collect();
        if open.is_empty() {
            return;
        }
        let core = Arc::clone(&self.core);
        // A queue before the source is a slow source.
        open.iter().for_each(|&index| self.legs[index].loading(core.node.now()));
        let Ok(_permit) = Arc::clone(&core.node.loads).acquire_owned().await else {
            return self.fail(&open, &Error::Closed);
        };
        let loads = open.iter().map(|&index| self.told(index)).collect();
        let load_began = core.node.next_event();
        let began = core.node.now();
        core.counters.load_began();
        let loaded = self.guarded(loads, &open).await;
        let took = core.node.now().since(began);
        core.counters.loaded(took);
        match loaded {
            Ok(loaded) if loaded.len() == open.len() => {
                core.node.emit(Event::Loaded { cache: &core.name, took });
                let done = Done { began, took, event: load_began };
                for (index, loaded) in open.into_iter().zip(loaded) {
                    self.finish(index, loaded, done).await;
                }
            }
            Ok(loaded) => {
                let problem = format!("the loader answered {} of {} keys", loaded.len(), open.len());
                self.fail(&open, &Error::Source(crate::error::SourceError::new(problem)));
            }
            Err(error) => self.fail(&open, &error),
        }
    }

    fn told(&self, index: usize) -> Load<V> {
        let leg = &self.legs[index];
        let shown = leg.candidate.as_ref().map(|held| Arc::clone(&held.resident));
        Load { as_of: leg.as_of, shown, index }
    }

    /// Runs the loader. A panic becomes an error; past `load_time_max` it is dropped.
    async fn guarded(
        &mut self,
        loads: Vec<Load<V>>,
        legs: &[usize],
    ) -> Result<Vec<Loaded<V>>, Error> {
        let node = Arc::clone(&self.core.node);
        let began = std::panic::catch_unwind(AssertUnwindSafe(|| self.loader.load(loads)));
        let loading = match began {
            Ok(loading) => AssertUnwindSafe(loading).catch_unwind(),
            Err(panic) => return Err(panicked(&*panic)),
        };
        let leases: Vec<&Lease> =
            legs.iter().filter_map(|&index| self.legs[index].lease.as_ref()).collect();
        let limit = node.limits.load_time_max;
        let renewing = pin!(renew(&node, leases));
        let stop = select(renewing, node.clock.sleep_until(node.now().plus(limit)));
        match wait::until(loading, stop).await {
            Some(loaded) => loaded.unwrap_or_else(|panic| Err(panicked(&*panic))),
            None => Err(Error::given_up(limit)),
        }
    }

    fn fail(&mut self, legs: &[usize], error: &Error) {
        let core = Arc::clone(&self.core);
        core.counters.load_failed();
        core.node.emit(Event::LoadFailed { cache: &core.name, error });
        for &index in legs {
            self.fall_back(index, error);
        }
    }
}

/// Renews leases for as long as it is polled; never ends.
pub(crate) async fn renew(node: &crate::node::Node, leases: Vec<&Lease>) -> std::convert::Infallible {
    let interval = node.limits.lease_ttl / 3;
    loop {
        node.clock.sleep_until(node.now().plus(interval)).await;
        for lease in &leases {
            // A lease that was lost is no reason to stop loading: its fill will be rejected.
            lease.renew().await;
        }
    }
}

pub(super) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let message = text
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned());
    Error::LoaderPanicked { message: message.into() }
}
