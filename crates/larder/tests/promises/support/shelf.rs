//! A source that is warmed from: every key has its row, and each query is remembered.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use larder::warm::Supply;
use larder::{Cache, Loaded};

/// Rows by key, each `10 * key` unless it was set. Clones are the same shelf.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    set: HashMap<u64, u32>,
    queries: Vec<Vec<u64>>,
    fails: bool,
}

impl Shelf {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics in here")
    }

    pub(crate) fn set(&self, key: u64, number: u32) {
        self.state().set.insert(key, number);
    }

    /// From now on every query fails, or none.
    pub(crate) fn fails(&self, fails: bool) {
        self.state().fails = fails;
    }

    /// Every query so far.
    pub(crate) fn queries(&self) -> Vec<Vec<u64>> {
        self.state().queries.clone()
    }

    async fn rows(self, keys: Vec<u64>) -> io::Result<HashMap<u64, Loaded<u32>>> {
        let mut state = self.state();
        state.queries.push(keys.clone());
        if state.fails {
            return Err(io::Error::other("the shelf is locked"));
        }
        let row = |key: u64| state.set.get(&key).copied().unwrap_or(10 * key as u32);
        let row = |key| (key, Loaded::value(row(key)).tag("shelf"));
        Ok(keys.into_iter().map(row).collect())
    }

    /// The cache, filled from here.
    pub(crate) fn supply(&self, cache: &Cache<u64, u32>) -> Supply<u64> {
        let shelf = self.clone();
        Supply::batches(cache, move |keys| shelf.clone().rows(keys))
    }
}
