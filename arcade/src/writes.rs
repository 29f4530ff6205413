//! Decides how a change and what it makes wrong stay together: what was cached goes when, and only
//! when, the database may have committed. Must not know any domain.

use std::ops::{Deref, DerefMut};

use larder::{Invalidation, Larder, Outcome};
use sqlx::AnyConnection;
use tokio_util::task::TaskTracker;

use crate::http::ApiError;
use crate::storage::{StorageError, Store, Transaction};

/// The way of every change into the database. Clones share everything.
#[derive(Debug, Clone)]
pub struct Writes {
    store: Store,
    larder: Larder,
    running: TaskTracker,
}

impl Writes {
    /// Changes of `store`, which `larder` caches. `running` owns the changes under way; a shutdown
    /// waits for them.
    pub fn new(store: Store, larder: Larder, running: TaskTracker) -> Self {
        Writes { store, larder, running }
    }

    /// Begins a change, once its turn has come.
    ///
    /// # Errors
    /// The database is busy or away; then nothing was changed.
    pub async fn begin(&self) -> Result<Change, StorageError> {
        let transaction = self.store.begin_write().await?;
        Ok(Change { transaction, larder: self.larder.clone(), wrong: Vec::new() })
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
        let ended = self.running.spawn(work).await;
        ended.map_err(|fault| ApiError::Internal(Box::new(fault)))?.map_err(ApiError::from)
    }
}

/// A transaction, and what it makes wrong. Dropped without [`Change::commit`] it leaves no trace.
#[derive(Debug)]
pub struct Change {
    transaction: Transaction,
    larder: Larder,
    wrong: Vec<Invalidation>,
}

impl Change {
    /// Names what the change makes wrong; it goes with the commit.
    pub fn drops(&mut self, wrong: Invalidation) {
        self.wrong.push(wrong);
    }

    /// Makes the change durable, and drops what it has made wrong.
    ///
    /// # Errors
    /// The database refuses, or is lost; then nobody knows whether it was done, and the entries are
    /// dropped all the same.
    pub async fn commit(self) -> Result<(), StorageError> {
        let mut writing = self.larder.writing(Invalidation::new());
        self.wrong.into_iter().for_each(|wrong| writing.also(wrong));
        let committed = self.transaction.commit().await;
        if committed.as_ref().is_err_and(StorageError::lost_a_race) {
            writing.rolled_back();
            return committed;
        }
        match writing.committed().await.outcome() {
            Outcome::Shared(_) => {}
            // This node honours it already, and larder retries until the others know too.
            Outcome::Local(_) => tracing::warn!("an invalidation is not shared yet"),
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
