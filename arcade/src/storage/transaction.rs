//! Decides how a transaction that writes begins, and what is done when it loses against another.

use sqlx::{Any, Transaction};

use super::{StorageError, Store};

/// A transaction that loses against another one is tried so many times in all.
const ATTEMPTS_MAX: u32 = 8;

impl Store {
    /// Begins a transaction that writes. SQLite is told so at once: a reader that turns writer
    /// there can only fail if somebody else wrote meanwhile.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn begin_write(&self) -> Result<Transaction<'static, Any>, StorageError> {
        let is_sqlite = self.pool.connect_options().database_url.scheme() == "sqlite";
        let begun = match is_sqlite {
            true => self.pool.begin_with("BEGIN IMMEDIATE").await,
            false => self.pool.begin().await,
        };
        Ok(begun?)
    }
}

/// Runs `attempt`, and again while it loses against another transaction, up to a bound.
///
/// # Errors
/// What the last attempt says.
pub async fn retried<T, Fut>(attempt: impl Fn() -> Fut) -> Result<T, StorageError>
where
    Fut: Future<Output = Result<T, StorageError>>,
{
    for _ in 1..ATTEMPTS_MAX {
        match attempt().await {
            Err(fault) if fault.lost_a_race() => tracing::debug!(%fault, "trying again"),
            ended => return ended,
        }
    }
    attempt().await
}
