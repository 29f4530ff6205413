//! Decides what the end of a transaction means to the row that was written in it.

use std::fmt;
use std::sync::Arc;

use larder::{Invalidated, Invalidation, Larder, Outcome, Writing};
use sqlx::Pool;

use super::connection::OutboxConnection;
use super::desk::{Desk, OpenRow, OutboxStats};
use super::relay::Relay;
use super::rows;
use super::wall::now_ms;

/// Writes into the caller's transactions what they make wrong. Clones share everything.
#[derive(Debug, Clone)]
pub struct Outbox {
    larder: Larder,
    desk: Arc<Desk>,
}

impl Outbox {
    /// An outbox of what `larder` caches.
    pub fn new(larder: Larder) -> Self {
        Outbox { larder, desk: Arc::default() }
    }

    /// Writes what the caller's transaction makes wrong as a row of that transaction: the row is
    /// there exactly if the change is. Names that are nothing write no row.
    ///
    /// Call it last, just before the commit, and tell the answer how that ended.
    ///
    /// # Errors
    /// The database refuses the row. Then roll back: without it a crash could leave old entries.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the transaction with or without the row; roll it back.
    pub async fn invalidate<C: OutboxConnection>(
        &self,
        transaction: &mut C,
        wrong: Invalidation,
    ) -> Result<Noted, sqlx::Error> {
        let row = match wrong.is_empty() {
            true => None,
            false => Some(self.desk.open(rows::write(transaction, &wrong, now_ms()).await?)),
        };
        Ok(Noted { row, writing: self.larder.writing(wrong) })
    }

    /// Who sends the rows that nobody else does, and removes those that are sent. Every process of
    /// a fleet needs one, and it is no harm if two run.
    pub fn relay<DB>(&self, pool: Pool<DB>) -> Relay<DB>
    where
        DB: sqlx::Database,
        DB::Connection: OutboxConnection,
    {
        Relay::new(self.larder.clone(), Arc::clone(&self.desk), pool)
    }

    /// Its numbers, as of the relay's last look.
    pub fn stats(&self) -> OutboxStats {
        self.desk.stats()
    }
}

/// A row of the outbox in a transaction that has not ended yet.
///
/// Dropped without a word, as when its caller is cancelled, it invalidates at once, since the source
/// may have committed; and a commit that lands only then still has its row, which the relay sends.
#[must_use = "dropped at once, it invalidates before the commit"]
pub struct Noted {
    row: Option<OpenRow>,
    writing: Writing,
}

impl fmt::Debug for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Noted").field("row", &self.row).finish_non_exhaustive()
    }
}

impl Noted {
    /// The database has acknowledged the commit: invalidates, and lets the row go as soon as every
    /// node can know.
    ///
    /// # Cancel safety
    /// Dropping the future forgets nothing: what was not sent is sent by the relay.
    pub async fn committed(self) -> Invalidated {
        let invalidated = self.writing.committed().await;
        if let Some(row) = self.row {
            row.settle(match invalidated.outcome() {
                Outcome::Shared(_) => None,
                Outcome::Local(ticket) => Some(ticket),
            });
        }
        invalidated
    }

    /// Nobody knows how the commit has ended, for one because the connection was lost: invalidates.
    /// The row stays, if it is there: a commit that is still on its way would land after what is
    /// sent now, and only the relay, which sees that it has landed, may send for it.
    ///
    /// # Cancel safety
    /// Dropping the future forgets nothing.
    pub async fn in_doubt(self) -> Invalidated {
        self.writing.committed().await
    }

    /// The database is known to have changed nothing: what is cached stays.
    pub fn rolled_back(self) {
        self.writing.rolled_back();
    }
}
