//! How write-behind is set up: bounds, then the source.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::WriteBehind;
use super::bounds::Bounds;
use super::core::{Behind, StoredKey};
use super::error::OpenError;
use super::intake::Intake;
use super::journal::Journal;
use super::pending::Pending;
use super::sink::{Change, Sink, SinkError};
use crate::Entry;
use crate::cache::Cache;

/// Sets up write-behind, see [`WriteBehind::builder`].
#[must_use = "nothing is written before `open`"]
pub struct WriteBehindBuilder<K, V> {
    cache: Cache<K, V>,
    journal: Arc<dyn Journal>,
    bounds: Bounds,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        $($(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            self.bounds.$name = $name;
            self
        })*
    };
}

impl<K: StoredKey, V: Entry> WriteBehind<K, V> {
    /// Sets up write-behind for a cache, with this journal. See [`open`](WriteBehindBuilder::open).
    pub fn builder(cache: &Cache<K, V>, journal: Arc<dyn Journal>) -> WriteBehindBuilder<K, V> {
        WriteBehindBuilder { cache: cache.clone(), journal, bounds: Bounds::default() }
    }
}

impl<K: StoredKey, V: Entry> WriteBehindBuilder<K, V> {
    setters! {
        /// How long a key waits for its flush, counted from the first write that it merges. Longer
        /// merges more. Default 1 s; while more than half of the room is taken, nothing waits.
        flush_after: Duration;
        /// The most writes in one batch. Default 500.
        batch_max: usize;
        /// The most writes that may wait or be parked; more wait for room. Default 100,000.
        writes_max: usize;
        /// The most bytes of writes that may wait or be parked. Default 64 MiB.
        bytes_max: usize;
        /// How long a write waits for room before it fails. Default 5 s.
        room_timeout: Duration;
        /// How long the journal may take to answer. Default 10 s.
        journal_timeout: Duration;
        /// How long the source may take for a batch before it is tried again. Default 30 s.
        sink_timeout: Duration;
        /// How often a write is tried while the source fails; then it is parked. Default 100: a good
        /// quarter of an hour.
        tries_max: u32;
        /// How long the source is left alone after a failure, at most; twice as long after each more.
        /// Default 100 ms.
        backoff_step: Duration;
        /// The longest that the source is left alone. Default 10 s.
        backoff_max: Duration;
    }

    /// Reads back what an earlier process left in the journal, and begins. Until this returns, reads
    /// may answer what the source has.
    ///
    /// `sink` takes a batch to the source: the last value of each of its keys, which occur once. It
    /// returns once they are committed. Batches of one cache never overlap.
    ///
    /// # Errors
    /// Bounds that nothing could keep, a cache that has write-behind already, or the journal's.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the journal as it is, and taken by this process.
    pub async fn open<F, Fut>(self, sink: F) -> Result<WriteBehind<K, V>, OpenError>
    where
        F: Fn(Arc<[Change<K, V>]>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), SinkError>> + Send + 'static,
    {
        let WriteBehindBuilder { cache, journal, bounds } = self;
        bounds.check()?;
        let taken = OpenError::Taken { cache: cache.name().to_owned() };
        if cache.core.behind.get().is_some() {
            return Err(taken);
        }
        let last = journal.open(cache.name()).await?;
        let behind = Behind {
            pending: Arc::new(Pending::new(bounds)),
            intake: Intake::new(last + 1),
            announcing: crate::sync::Mutex::default(),
            forgetting: tokio::sync::Mutex::default(),
            stop: CancellationToken::new(),
            sink: boxed(sink),
            cache,
            journal,
        };
        behind.replay().await?;
        if behind.cache.core.behind.set(Arc::clone(&behind.pending)).is_err() {
            return Err(taken);
        }
        behind.hide_replayed().await;
        Ok(WriteBehind::begun(Arc::new(behind)))
    }
}

fn boxed<K, V, F, Fut>(sink: F) -> Sink<K, V>
where
    F: Fn(Arc<[Change<K, V>]>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), SinkError>> + Send + 'static,
{
    Box::new(move |changes| Box::pin(sink(changes)))
}
