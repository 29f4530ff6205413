//! Records in one table. An append is one statement, and so one transaction and one `fsync`,
//! however many records it has.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use larder::behind::{Journal, JournalError, JournalRecord, StoredRecord};
use larder::clock::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::lock::Lock;

/// `marks` knows the largest sequence of a cache also when its records are forgotten.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS records (
        cache TEXT NOT NULL, sequence INTEGER NOT NULL, bytes BLOB NOT NULL, parked TEXT,
        PRIMARY KEY (cache, sequence)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS marks (
        cache TEXT PRIMARY KEY, sequence INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// SQLite's code for "the database or the disk is full".
const FULL: &str = "13";

/// A journal in an SQLite file: acknowledged writes survive the death of the process, and of the
/// machine as far as its disk keeps what it confirmed (`synchronous=FULL`).
///
/// It lies in a file of its own, so that its `fsync` never waits for the application's transactions.
/// A file `<path>.lock` beside it says which process has it; it stays there and means nothing once
/// the process is gone. The file keeps the size that it once had, for what comes next.
pub struct SqliteJournal {
    connection: tokio::sync::Mutex<SqliteConnection>,
    /// Each cache has its journal once.
    opened: Mutex<HashSet<String>>,
    _lock: Lock,
}

impl std::fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteJournal").field("opened", &self.opened).finish_non_exhaustive()
    }
}

impl SqliteJournal {
    /// Opens the journal in this file, which is made where it is missing.
    ///
    /// # Errors
    /// Another process has it, it is damaged, or it cannot be opened.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        SqliteJournal::opened(path.as_ref(), None).await
    }

    /// As [`open`](Self::open); the records may take `bytes_max` bytes, rounded to pages of 4 KiB.
    /// Beyond them nothing is acknowledged.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_bounded(path: impl AsRef<Path>, bytes_max: u64) -> Result<Self, JournalError> {
        SqliteJournal::opened(path.as_ref(), Some(bytes_max)).await
    }

    async fn opened(path: &Path, bytes_max: Option<u64>) -> Result<Self, JournalError> {
        let lock = Lock::take(path)?;
        let mut options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        if let Some(bytes_max) = bytes_max {
            options = options.pragma("max_page_count", (bytes_max / PAGE_BYTES).to_string());
        }
        let mut connection = SqliteConnection::connect_with(&options).await.map_err(fault)?;
        sqlx::raw_sql(SCHEMA).execute(&mut connection).await.map_err(fault)?;
        let check: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(&mut connection)
            .await
            .map_err(fault)?;
        if check != "ok" {
            let damaged = format!("{} is damaged: {check}", path.display());
            return Err(JournalError::failed(damaged));
        }
        let connection = tokio::sync::Mutex::new(connection);
        Ok(SqliteJournal { connection, opened: Mutex::default(), _lock: lock })
    }

    async fn last_sequence(&self, cache: &str) -> Result<u64, sqlx::Error> {
        let mut connection = self.connection.lock().await;
        let begun = "INSERT INTO marks (cache, sequence) \
            VALUES ($1, CAST(unixepoch('subsec') * 1000000 AS INTEGER)) ON CONFLICT DO NOTHING";
        sqlx::query(begun).bind(cache).execute(&mut *connection).await?;
        let last = "SELECT max(sequence) FROM (SELECT sequence FROM marks WHERE cache = $1 \
            UNION ALL SELECT max(sequence) FROM records WHERE cache = $1)";
        let last: i64 = sqlx::query_scalar(last).bind(cache).fetch_one(&mut *connection).await?;
        Ok(unsigned(last))
    }

    async fn insert(&self, cache: &str, records: &[JournalRecord]) -> Result<(), sqlx::Error> {
        if records.is_empty() {
            return Ok(());
        }
        let mut query: QueryBuilder<Sqlite> =
            QueryBuilder::new("INSERT INTO records (cache, sequence, bytes) ");
        query.push_values(records, |mut row, record| {
            row.push_bind(cache).push_bind(signed(record.sequence)).push_bind(&record.bytes);
        });
        let mut connection = self.connection.lock().await;
        // Each number of records is another statement: kept, they would fill the connection's store.
        query.build().persistent(false).execute(&mut *connection).await?;
        Ok(())
    }

    async fn select(
        &self,
        cache: &str,
        after: u64,
        records_max: usize,
    ) -> Result<Vec<StoredRecord>, sqlx::Error> {
        let select = "SELECT sequence, bytes, parked FROM records WHERE cache = $1 AND sequence > $2 \
            ORDER BY sequence LIMIT $3";
        let query = sqlx::query(select).bind(cache).bind(signed(after));
        let limit = i64::try_from(records_max).unwrap_or(i64::MAX);
        let rows = query.bind(limit).fetch_all(&mut *self.connection.lock().await).await?;
        let record = |row: sqlx::sqlite::SqliteRow| {
            Ok(StoredRecord {
                sequence: unsigned(row.try_get(0)?),
                bytes: row.try_get(1)?,
                parked: row.try_get(2)?,
            })
        };
        rows.into_iter().map(record).collect()
    }

    async fn delete(&self, cache: &str, sequences: &[u64]) -> Result<(), sqlx::Error> {
        let listed =
            serde_json::to_string(sequences).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin().await?;
        let mark = "UPDATE marks SET sequence = max(sequence, \
            ifnull((SELECT max(sequence) FROM records WHERE cache = $1), 0)) WHERE cache = $1";
        sqlx::query(mark).bind(cache).execute(&mut *transaction).await?;
        let delete = "DELETE FROM records WHERE cache = $1 \
            AND sequence IN (SELECT value FROM json_each($2))";
        sqlx::query(delete).bind(cache).bind(listed).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    async fn mark(
        &self,
        cache: &str,
        sequence: u64,
        reason: Option<&str>,
    ) -> Result<(), sqlx::Error> {
        let mark = "UPDATE records SET parked = $3 WHERE cache = $1 AND sequence = $2";
        let query = sqlx::query(mark).bind(cache).bind(signed(sequence)).bind(reason);
        query.execute(&mut *self.connection.lock().await).await?;
        Ok(())
    }
}

impl Journal for SqliteJournal {
    fn open<'a>(&'a self, cache: &'a str) -> BoxFuture<'a, Result<u64, JournalError>> {
        Box::pin(async move {
            let new = {
                let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
                opened.insert(cache.to_owned())
            };
            if !new {
                let holder = format!("a cache `{cache}` of this process has it");
                return Err(JournalError::InUse { holder });
            }
            self.last_sequence(cache).await.map_err(fault)
        })
    }

    fn append<'a>(
        &'a self,
        cache: &'a str,
        records: &'a [JournalRecord],
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move { self.insert(cache, records).await.map_err(fault) })
    }

    fn read<'a>(
        &'a self,
        cache: &'a str,
        after: u64,
        records_max: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredRecord>, JournalError>> {
        Box::pin(async move { self.select(cache, after, records_max).await.map_err(fault) })
    }

    fn forget<'a>(
        &'a self,
        cache: &'a str,
        sequences: &'a [u64],
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move { self.delete(cache, sequences).await.map_err(fault) })
    }

    fn park<'a>(
        &'a self,
        cache: &'a str,
        sequence: u64,
        reason: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move { self.mark(cache, sequence, reason).await.map_err(fault) })
    }

    /// The kernel lets nobody else have the lock.
    fn hold<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// SQLite's default.
const PAGE_BYTES: u64 = 4_096;

fn fault(error: sqlx::Error) -> JournalError {
    let code = error.as_database_error().and_then(|error| error.code());
    if code.is_some_and(|code| code == FULL) {
        JournalError::no_room(error)
    } else {
        JournalError::failed(error)
    }
}

/// Sequences count from a time in microseconds: far below what SQLite can count.
fn signed(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

fn unsigned(sequence: i64) -> u64 {
    u64::try_from(sequence).unwrap_or(0)
}
