//! Write-behind: writes that are acknowledged as soon as a journal has them, and that reach the
//! source later, merged and in batches.
//!
//! ```no_run
//! use std::sync::Arc;
//! use larder::Larder;
//! use larder::behind::{Change, Journal, WriteBehind};
//!
//! # async fn saved(_: Arc<[Change<u64, u64>]>) -> Result<(), std::io::Error> { Ok(()) }
//! # async fn example(journal: Arc<dyn Journal>) -> Result<(), Box<dyn std::error::Error>> {
//! let larder = Larder::new("game")?;
//! let scores = larder.cache::<u64, u64>("scores").build()?;
//! let writes = WriteBehind::builder(&scores, journal)
//!     .open(|batch| async { Ok(saved(batch).await?) })
//!     .await?;
//!
//! writes.put(&7, 1_200).await?; // Survives `kill -9` from here on.
//! assert_eq!(*scores.get_or_load(&7, |_| async { Ok::<_, std::io::Error>(0) }).await?, 1_200);
//! # Ok(()) }
//! ```
//!
//! # What is promised
//!
//! - **Nothing acknowledged is lost.** `put` returns once the journal keeps the write. It reaches the
//!   source, is replaced by a later write of its key, or is parked, with an alarm.
//! - **Order.** Writes of a key reach the source in the order in which they were acknowledged. Those
//!   that were merged do not reach it at all. Between keys there is no order.
//! - **Once in effect.** A batch may be tried more than once, also after a crash, so the source must
//!   take the last value of a key as it is: a row that is replaced. [`Change::sequence`] refuses what
//!   arrives late, [`Change::id`] tells whether it was there before.
//! - **Bounds.** A key is flushed `flush_after` after its first write, however often it is written. When
//!   the room is full, `put` waits, and fails after `room_timeout`; nothing is dropped.
//!
//! # Who sees what
//!
//! Every read of the cache on this node answers what was acknowledged, also when memory was evicted,
//! the shared tier has another value, or a loader is running: only [`bypass`](crate::Read::bypass) asks the
//! source. Other nodes see a write at once if the shared tier took it, as it does unless somebody was just
//! loading the key; otherwise they may serve what the source has until the flush, and `staleness_max`
//! more: then every node is told. They never go back to an older value than the source has.
//!
//! Whatever else writes these rows of the source is overwritten by the next flush of their keys. A cache with write-behind
//! should be their only writer.
//!
//! # Parked writes
//!
//! A write that the source rejects, or that cannot be read back, stays in the journal, and
//! [`Event::WriteParked`](crate::Event::WriteParked) is told. Later writes of its key go on; as soon as the source has
//! one of them, the parked one is obsolete and leaves. Parked writes take room, so that they cannot
//! become more than the bounds say.

mod appender;
mod bounds;
mod builder;
mod core;
mod error;
mod flusher;
mod frame;
mod intake;
mod journal;
pub(crate) mod pended;
pub(crate) mod pending;
mod replay;
mod sink;
mod state;
mod stats;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::core::StoredKey;
pub use builder::WriteBehindBuilder;
pub use error::{OpenError, WriteError};
pub use journal::{Journal, JournalError, JournalRecord, StoredRecord};
pub use sink::{Change, SinkError};
pub use stats::{Drained, ParkedWrite, WriteBehindStats};

use self::core::Behind;
use crate::clock::nanos;
use crate::event::NotKept;
use crate::key::EncodedKey;
use crate::{Entry, wait};
use pended::Wish;

/// The writing end of a cache with write-behind. Cheap to clone; when the last clone is dropped,
/// flushing stops, and what is left waits in the journal for the next process.
pub struct WriteBehind<K: StoredKey, V: Entry> {
    owner: Arc<Owner<K, V>>,
}

struct Owner<K: StoredKey, V: Entry> {
    behind: Arc<Behind<K, V>>,
}

impl<K: StoredKey, V: Entry> Drop for Owner<K, V> {
    fn drop(&mut self) {
        self.behind.stop.cancel();
    }
}

impl<K: StoredKey, V: Entry> Clone for WriteBehind<K, V> {
    fn clone(&self) -> Self {
        WriteBehind { owner: Arc::clone(&self.owner) }
    }
}

impl<K: StoredKey, V: Entry> fmt::Debug for WriteBehind<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBehind")
            .field("cache", &self.behind().cache.name())
            .finish_non_exhaustive()
    }
}

impl<K: StoredKey, V: Entry> WriteBehind<K, V> {
    fn begun(behind: Arc<Behind<K, V>>) -> Self {
        let tasks = &behind.node().tasks;
        tasks.spawn(Box::pin(Arc::clone(&behind).append_all()));
        tasks.spawn(Box::pin(Arc::clone(&behind).flush_all()));
        WriteBehind { owner: Arc::new(Owner { behind }) }
    }

    fn behind(&self) -> &Behind<K, V> {
        &self.owner.behind
    }

    /// Writes a value. Returns its sequence once the journal keeps it and this node's readers get it.
    ///
    /// # Errors
    /// It is not acknowledged: no room, too large, no stored form, closed, or the journal failed. Only
    /// in the last case it may take effect all the same, after the next start.
    ///
    /// # Cancel safety
    /// Dropped while it waits for room, it has no effect. Later the write goes its way, but nobody is
    /// told.
    pub async fn put(&self, key: &K, value: V) -> Result<u64, WriteError> {
        let policy = &self.behind().cache.core.policy;
        let bytes_max = policy.value_bytes_max;
        let payload = policy.form.pack(&value, bytes_max).map_err(|reason| match reason {
            NotKept::TooLargeToShare => WriteError::TooLarge { limit: bytes_max },
            _ => WriteError::NoStoredForm { what: "value" },
        })?;
        self.write(key, Some((value, payload))).await
    }

    /// Removes a key. As [`put`](Self::put); readers get that there is none.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    ///
    /// # Cancel safety
    /// As [`put`](Self::put).
    pub async fn remove(&self, key: &K) -> Result<u64, WriteError> {
        self.write(key, None).await
    }

    async fn write(
        &self,
        key: &K,
        value: Option<(V, crate::shard::Payload)>,
    ) -> Result<u64, WriteError> {
        let behind = self.behind();
        let (value, payload) = value.unzip();
        let key_json =
            serde_json::to_vec(key).map_err(|_| WriteError::NoStoredForm { what: "key" })?;
        let wish = Wish {
            id: behind.node().random.next_u128(),
            key: EncodedKey::new(behind.cache.name(), key),
            key_json: key_json.into(),
            fingerprint: V::FINGERPRINT,
            payload,
        };
        let bytes = wish.bytes();
        self.room(bytes).await?;
        let submitted = behind.intake.submit(key.clone(), value, wish, behind.node().now());
        let reply = submitted.inspect_err(|_| {
            behind.pending.state().used.give_back(bytes);
            behind.pending.ease();
        })?;
        reply.await.unwrap_or(Err(WriteError::Closed))
    }

    async fn room(&self, bytes: usize) -> Result<(), WriteError> {
        let behind = self.behind();
        let bounds = behind.pending.bounds();
        if bytes > bounds.bytes_max {
            return Err(WriteError::TooLarge { limit: bounds.bytes_max });
        }
        let late = behind.passed(bounds.room_timeout);
        if wait::until(behind.pending.room(bytes), late).await.is_some() {
            return Ok(());
        }
        let state = behind.pending.state();
        let waited_ms = nanos(bounds.room_timeout) / 1_000_000;
        Err(WriteError::Full { waited_ms, pending: state.len(), parked: state.parked().len() })
    }

    /// The numbers since it was opened.
    pub fn stats(&self) -> WriteBehindStats {
        let pending = &self.behind().pending;
        let oldest_age = pending.oldest_age(self.behind().node().now());
        WriteBehindStats::of(&pending.state(), oldest_age)
    }

    /// The parked writes, oldest first.
    pub fn parked(&self) -> Vec<ParkedWrite> {
        let state = self.behind().pending.state();
        state.parked().iter().map(|(sequence, parked)| ParkedWrite::of(*sequence, parked)).collect()
    }

    /// Lets the source have every parked write that can be read and that no later write of its key
    /// waits to replace. Answers how many.
    ///
    /// # Errors
    /// The journal failed; those before are on their way.
    pub async fn retry_parked(&self) -> Result<usize, JournalError> {
        self.behind().retry_parked().await
    }

    /// Gives a parked write up. False: there is none with this sequence. It comes back with the next
    /// start if the process dies before the journal has forgotten it.
    pub async fn discard_parked(&self, sequence: u64) -> bool {
        let found = self.behind().pending.state().discard(sequence);
        if found {
            self.behind().forget().await;
        }
        found
    }

    /// Takes no more writes, and flushes what waits, within `bound`. Say what is left to somebody:
    /// the next process flushes it.
    ///
    /// # Cancel safety
    /// Dropping the future lets the flushing go on until the last clone is dropped.
    pub async fn close(&self, bound: Duration) -> Drained {
        let behind = self.behind();
        behind.intake.close();
        behind.pending.hurry();
        wait::until(behind.pending.settled(), behind.passed(bound)).await;
        behind.stop.cancel();
        Drained::of(&behind.pending.state())
    }
}
