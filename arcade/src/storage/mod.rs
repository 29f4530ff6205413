//! Decides how the database is opened and migrated. Knows no table; the domains bring their SQL,
//! which runs on SQLite and PostgreSQL alike.

mod error;
mod json;
mod kind;
mod migrations;
pub mod numbers;
mod pulse;
mod transaction;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use tokio::sync::Semaphore;

use self::kind::Kind;
use self::pulse::Pulse;
use crate::settings;

pub use error::StorageError;
pub(crate) use json::{as_json, from_json};
pub use transaction::{Transaction, retried};

/// How long a request waits for a connection, or for its turn to write, while others get on.
const WAIT_MAX: Duration = Duration::from_secs(3);

/// The database, through a pool of connections. Clones share the pool.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    kind: Kind,
    writers: Arc<Semaphore>,
    pulse: Pulse,
}

impl Store {
    /// Opens the database that the settings name; without a name, the file `arcade.db` in `data`,
    /// which is made where it is missing.
    ///
    /// # Errors
    /// The URL is wrong, or the database cannot be reached.
    pub async fn open(database: &settings::Database, data: &Path) -> Result<Store, StorageError> {
        sqlx::any::install_default_drivers();
        let url = match &database.url {
            Some(url) => url.reveal().to_owned(),
            None => file_url(&data.join("arcade.db"))?,
        };
        let kind = Kind::of(&url);
        let connections_max = database.connections_max;
        let pulse = Pulse::default();
        let connected = pulse.clone();
        let pool = AnyPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(WAIT_MAX)
            .after_connect(move |connection, _| {
                let connected = connected.clone();
                Box::pin(async move {
                    kind.prepare(connection).await?;
                    connected.beat();
                    Ok(())
                })
            })
            .connect(&url)
            .await
            .map_err(StorageError::Open)?;
        let writers = Arc::new(Semaphore::new(kind.writers_max(connections_max)));
        Ok(Store { pool, kind, writers, pulse })
    }

    /// Brings the tables to the form that this program knows. Safe to repeat. Gives the newest
    /// migration's number.
    ///
    /// # Errors
    /// A migration fails, or the database is newer than this program.
    pub async fn migrate(&self) -> Result<i64, StorageError> {
        migrations::run(&self.pool).await.map_err(StorageError::Migrate)
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ping(&self) -> Result<(), StorageError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// The pool, for the statements of a domain.
    pub(crate) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Closes every connection once it is idle.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn file_url(path: &Path) -> Result<String, StorageError> {
    let absolute = std::path::absolute(path).map_err(|fault| StorageError::Open(fault.into()))?;
    // SQLite's URL form reads these three as syntax.
    let escaped =
        absolute.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite://{escaped}?mode=rwc"))
}

/// A number for a new row that nobody looks at in passing: random, so that no two writers wait for
/// each other to count, and of 53 bits, so that JavaScript keeps it.
pub(crate) fn new_id() -> i64 {
    rand::rng().random_range(1..1 << 53)
}

/// The value lists of an insert of `rows` rows: `($1, $2), ($3, $4)`.
pub(crate) fn placeholders(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let numbers = row * columns + 1..=(row + 1) * columns;
        let listed: Vec<String> = numbers.map(|number| format!("${number}")).collect();
        format!("({})", listed.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}
