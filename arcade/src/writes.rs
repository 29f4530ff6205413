//! Decides how a change and what it makes wrong stay together: what was cached goes when, and only
//! when, the database may have committed, also if this process dies in between. Must not know any
//! domain.

use std::ops::{Deref, DerefMut};

use larder::{Invalidation, Outcome};
use larder_sql::outbox::Outbox;
use sqlx::AnyConnection;
use tokio_util::task::TaskTracker;

use crate::cause;
use crate::http::ApiError;
use crate::storage::{StorageError, Store, Transaction};

/// The way of every change into the database. Clones share everything.
#[derive(Debug, Clone)]
pub struct Writes {
    store: Store,
    outbox: Outbox,
    running: TaskTracker,
}

impl Writes {
    /// Changes of `store`, in which the rows of `outbox` lie. `running` owns the changes under way; a
    /// shutdown waits for them.
    pub fn new(store: Store, outbox: Outbox, running: TaskTracker) -> Self {
        Writes { store, outbox, running }
    }

    /// Begins a change, once its turn has come.
    ///
    /// # Errors
    /// The database is busy or away; then nothing was changed.
    pub async fn begin(&self) -> Result<Change, StorageError> {
        let transaction = self.store.begin_write().await?;
        Ok(Change { transaction, outbox: self.outbox.clone(), wrong: Invalidation::new() })
    }

    /// Runs a change to its end, even if the caller hangs up meanwhile.
    ///
    /// # Errors
    /// What the change says.
    ///
    /// # Cancel safety
    /// Once polled, `work` runs on although this future is dropped.
    pub async fn to_its_end<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Send + 'static,
        ApiError: From<E>,
    {
        let ended = self.running.spawn(cause::carried(work)).await;
        ended.map_err(|fault| ApiError::Internal(Box::new(fault)))?.map_err(ApiError::from)
    }
}

/// A transaction, and what it makes wrong. Dropped without [`Change::commit`] it leaves no trace.
#[derive(Debug)]
pub struct Change {
    transaction: Transaction,
    outbox: Outbox,
    wrong: Invalidation,
}

impl Change {
    /// Names what the change makes wrong; it goes with the commit.
    pub fn drops(&mut self, wrong: Invalidation) {
        let before = std::mem::take(&mut self.wrong);
        self.wrong = before.and(wrong);
    }

    /// Makes the change durable together with a row that says what it has made wrong, and drops that.
    /// A change that makes nothing wrong writes no row.
    ///
    /// # Errors
    /// The database refuses, or is lost; then nobody knows whether it was done, and the entries are
    /// dropped all the same.
    pub async fn commit(self) -> Result<(), StorageError> {
        let Change { mut transaction, outbox, wrong } = self;
        let noted = outbox.invalidate(&mut *transaction, cause::put_down(wrong)).await?;
        let committed = transaction.commit().await;
        let invalidated = match &committed {
            Ok(()) => noted.committed().await,
            Err(fault) if fault.lost_a_race() => {
                noted.rolled_back();
                return committed;
            }
            Err(_) => noted.in_doubt().await,
        };
        // This node honours it already, and larder retries until the others know too.
        if let Outcome::Local(_) = invalidated.outcome() {
            tracing::warn!("an invalidation is not shared yet");
        }
        committed
    }
}

impl Deref for Change {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.transaction
    }
}

impl DerefMut for Change {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }
}
