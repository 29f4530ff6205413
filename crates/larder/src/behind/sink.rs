//! What the source is given, and what it may answer.

use std::sync::Arc;

use crate::cache::BoxError;
use crate::clock::BoxFuture;

/// The last acknowledged value of one key.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change<K, V> {
    /// The key.
    pub key: K,
    /// Its new value; `None` removes it.
    pub value: Option<V>,
    /// Grows with every write of the cache, also across restarts. A source that stores it beside the
    /// row and refuses a smaller one is safe from a flush that was given up and arrives late.
    pub sequence: u64,
    /// Given to this write alone, and the same each time that it is tried. A source whose change is
    /// not the same done twice (one that sends a letter, say) remembers it.
    pub id: u128,
}

/// Why the source did not take a batch.
#[derive(Debug)]
pub enum SinkError {
    /// It cannot be reached, or failed: the batch is tried again. Also what `?` makes of any error.
    Unavailable(BoxError),
    /// It will never take these writes. The batch is split until it is known which one it means; that
    /// one is parked.
    Rejected(BoxError),
}

impl SinkError {
    /// The source will never take these writes, for this reason.
    pub fn rejected(reason: impl Into<BoxError>) -> Self {
        SinkError::Rejected(reason.into())
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for SinkError {
    fn from(error: E) -> Self {
        SinkError::Unavailable(Box::new(error))
    }
}

/// Takes a batch to the source: all of it, or as much as it can before it fails.
pub(crate) type Sink<K, V> =
    Box<dyn Fn(Arc<[Change<K, V>]>) -> BoxFuture<'static, Result<(), SinkError>> + Send + Sync>;
