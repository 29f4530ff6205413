//! Decides how a change reaches the database: whole or not at all, in its turn, and once more when
//! another transaction was in its way.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use sqlx::{Any, AnyConnection};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use super::pulse::Pulse;
use super::{StorageError, Store, WAIT_MAX};

/// Pauses before each further attempt, in milliseconds; a random part of each is taken, because
/// two that met once would meet again.
const PAUSES_MS: [u64; 5] = [4, 8, 16, 32, 64];

/// A transaction that may write. Dropped without [`Transaction::commit`] it leaves no trace.
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, Any>,
    pulse: Pulse,
    // Given up after the transaction has ended: fields are dropped in their order.
    _turn: OwnedSemaphorePermit,
}

impl Transaction {
    /// Makes everything that was done in it durable.
    ///
    /// # Errors
    /// The database refuses, or is lost; then nobody knows whether it was done.
    pub async fn commit(self) -> Result<(), StorageError> {
        self.inner.commit().await?;
        self.pulse.beat();
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}

impl Store {
    /// Begins a transaction that may write, once its turn has come.
    ///
    /// # Errors
    /// The database is busy or away; then nothing was changed. A server that is away is told of
    /// within a second.
    pub async fn begin_write(&self) -> Result<Transaction, StorageError> {
        let begun = async {
            let turn = Arc::clone(&self.writers).acquire_owned().await;
            let turn = turn.map_err(|_| StorageError::Busy)?;
            let inner = self.pool.begin_with(self.kind.begin()).await?;
            self.pulse.beat();
            Ok(Transaction { inner, pulse: self.pulse.clone(), _turn: turn })
        };
        // Both limits are for turn and connection together: who has waited for a turn while the
        // server was gone must not wait for a connection after that.
        tokio::select! {
            biased;
            begun = begun => begun,
            () = self.pulse.stopped(self.kind.silence_max()) => Err(StorageError::Busy),
            () = sleep(WAIT_MAX) => Err(StorageError::Busy),
        }
    }
}

/// Runs `attempt`, which is one whole transaction, and again while another transaction is in its
/// way, up to a bound. An attempt whose end nobody knows is not repeated.
///
/// # Errors
/// What the last attempt says.
pub async fn retried<T, F>(attempt: impl Fn() -> F) -> Result<T, StorageError>
where
    F: Future<Output = Result<T, StorageError>>,
{
    for pause_ms in PAUSES_MS {
        match attempt().await {
            Err(fault) if fault.lost_a_race() => {
                tracing::debug!(%fault, "trying again");
                let pause_ms = rand::rng().random_range(pause_ms / 2..=pause_ms);
                sleep(Duration::from_millis(pause_ms)).await;
            }
            ended => return ended,
        }
    }
    attempt().await
}
