//! The source that the killed processes write to, and what must be true of it. Each write is a
//! number that grows with every put of its key, so that order can be seen in what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use larder::behind::{Change, SinkError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Connection, SqliteConnection};

/// The source never takes even numbers of this key.
pub const PICKY: u64 = 5;

/// A batch as the source gets it.
pub type Batch = Arc<[Change<u64, u64>]>;

/// `rows` is what an idempotent source has. `applied` is a source that counts: each write once, by
/// its id, however often it is tried.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS rows (
        key INTEGER PRIMARY KEY, number INTEGER NOT NULL, sequence INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS applied (
        place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
        key INTEGER NOT NULL, number INTEGER NOT NULL, sequence INTEGER NOT NULL
    );";

/// Opens the source, made where it is missing.
///
/// # Panics
/// It cannot be opened.
pub async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal);
    let mut connection = SqliteConnection::connect_with(&options).await.expect("it opens");
    sqlx::raw_sql(SCHEMA).execute(&mut connection).await.expect("the tables are made");
    connection
}

/// Writes a batch in one transaction. `before_commit` is a place to die.
///
/// # Errors
/// The source is away, or will never take one of them.
pub async fn take(
    connection: &mut SqliteConnection,
    batch: &Batch,
    before_commit: impl FnOnce(),
) -> Result<(), SinkError> {
    if let Some(change) = batch.iter().find(|change| is_rejected(change.key, change.value)) {
        return Err(SinkError::rejected(format!("never {:?}", change.value)));
    }
    let mut transaction = connection.begin().await?;
    for change in batch.iter() {
        let (key, sequence) = (change.key.cast_signed(), change.sequence.cast_signed());
        let number = change.value.unwrap_or_default().cast_signed();
        // What arrives late is older than what is there.
        let upsert = "INSERT INTO rows (key, number, sequence) VALUES ($1, $2, $3) \
            ON CONFLICT (key) DO UPDATE SET number = $2, sequence = $3 WHERE sequence < $3";
        let query = sqlx::query(upsert).bind(key).bind(number).bind(sequence);
        query.execute(&mut *transaction).await?;
        let apply = "INSERT INTO applied (id, key, number, sequence) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (id) DO NOTHING";
        let query = sqlx::query(apply).bind(format!("{:032x}", change.id)).bind(key);
        query.bind(number).bind(sequence).execute(&mut *transaction).await?;
    }
    before_commit();
    transaction.commit().await?;
    Ok(())
}

fn is_rejected(key: u64, number: Option<u64>) -> bool {
    key == PICKY && number.is_some_and(|number| number.is_multiple_of(2))
}

/// What a process has said before it died.
#[derive(Debug, Default)]
pub struct Told {
    /// The last acknowledged number of each key, and its sequence.
    pub acknowledged: BTreeMap<u64, (u64, u64)>,
    /// The last number of each key that was asked for: it may or may not have taken effect.
    pub asked: BTreeMap<u64, u64>,
    /// How many writes were acknowledged.
    pub writes: usize,
    /// What is parked, says the last process that ended by itself.
    pub parked: BTreeSet<u64>,
}

/// # Panics
/// An acknowledged write is lost, was done twice, or came after a later one.
pub async fn check(path: &Path, told: &Told, context: &str) {
    check_rows(path, told, context).await;
    let disorder = "SELECT count(*) FROM applied AS later JOIN applied AS earlier \
        ON later.key = earlier.key AND later.place > earlier.place \
        WHERE later.number <= earlier.number OR later.sequence <= earlier.sequence";
    let mut connection = open(path).await;
    let count: i64 = sqlx::query_scalar(disorder).fetch_one(&mut connection).await.expect("counted");
    assert_eq!(count, 0, "writes of one key came twice or in another order; {context}");
}

/// What a source has that refuses what is late.
///
/// # Panics
/// An acknowledged write is lost, or an older one is in its place.
pub async fn check_rows(path: &Path, told: &Told, context: &str) {
    let mut connection = open(path).await;
    let rows = sqlx::query_as("SELECT key, number, sequence FROM rows");
    let rows: Vec<(i64, i64, i64)> = rows.fetch_all(&mut connection).await.expect("it can be read");
    let rows: BTreeMap<u64, (u64, u64)> = rows
        .into_iter()
        .map(|(key, number, sequence)| {
            (key.cast_unsigned(), (number.cast_unsigned(), sequence.cast_unsigned()))
        })
        .collect();
    for (key, (number, sequence)) in &told.acknowledged {
        let (has, had) = rows.get(key).copied().unwrap_or_default();
        let asked = told.asked[key];
        // Of the key that is picked at, this write is parked, or one that was not acknowledged replaced it.
        let is_parked = told.parked.iter().any(|parked| parked >= sequence);
        if *key == PICKY && is_parked {
            continue;
        }
        assert!(has >= *number, "key {key}: {number} was acknowledged, {has} is there; {context}");
        assert!(has <= asked, "key {key}: nobody asked for {has}, at most for {asked}; {context}");
        assert!(had >= *sequence, "key {key}: sequence {had} after {sequence}; {context}");
    }
}
