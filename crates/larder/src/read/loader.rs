//! What a read asks of a loader, whatever its caller wrote.

use std::time::Duration;

use crate::clock::{BoxFuture, Moment};
use crate::error::Error;
use crate::loaded::{Load, Loaded};

/// A load of some keys: one answer for each, in order.
pub(crate) type Loading<V> = BoxFuture<'static, Result<Vec<Loaded<V>>, Error>>;

/// Loads from the source. Called once for a single key; a batch may be called again for keys that
/// another node was loading.
pub(crate) trait Loader<V>: Send {
    fn load(&mut self, loads: Vec<Load<V>>) -> Loading<V>;
}

impl<V, F> Loader<V> for F
where
    F: FnMut(Vec<Load<V>>) -> Loading<V> + Send,
{
    fn load(&mut self, loads: Vec<Load<V>>) -> Loading<V> {
        self(loads)
    }
}

/// A load that came to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    pub(super) began: Moment,
    pub(super) took: Duration,
    /// The event at which it began.
    pub(super) event: u64,
}
