//! Scores that are acknowledged at once and written down later: a thousand writes, a handful of rows.
//!
//! ```sh
//! cargo run -p larder-sql --example write_behind
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use larder::Larder;
use larder::behind::{Change, WriteBehind};
use larder_sql::journal::SqliteJournal;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::Mutex;

/// The last score of each player, unless the row has a later one already.
const UPSERT: &str = "INSERT INTO scores (player, score, sequence) VALUES ($1, $2, $3) \
    ON CONFLICT (player) DO UPDATE SET score = $2, sequence = $3 WHERE sequence < $3";

async fn save(
    database: &Mutex<SqliteConnection>,
    batch: &[Change<i64, i64>],
) -> Result<(), sqlx::Error> {
    let mut database = database.lock().await;
    let mut transaction = database.begin().await?;
    for change in batch {
        let query = sqlx::query(UPSERT).bind(change.key).bind(change.value);
        query.bind(change.sequence.cast_signed()).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut database = SqliteConnection::connect("sqlite::memory:").await?;
    let table = "CREATE TABLE scores (player INTEGER PRIMARY KEY, score INTEGER, sequence INTEGER)";
    sqlx::raw_sql(table).execute(&mut database).await?;
    let database = Arc::new(Mutex::new(database));

    let directory = tempfile::tempdir()?;
    let journal = SqliteJournal::open(directory.path().join("scores.journal")).await?;
    let larder = Larder::new("game")?;
    let scores = larder.cache::<i64, i64>("scores").build()?;
    let source = Arc::clone(&database);
    let writes = WriteBehind::builder(&scores, Arc::new(journal))
        .open(move |batch: Arc<[Change<i64, i64>]>| {
            let source = Arc::clone(&source);
            async move { Ok(save(&source, &batch).await?) }
        })
        .await?;

    for round in 1..=100 {
        let puts = (1..=10).map(|player| {
            let writes = writes.clone();
            async move { writes.put(&player, player * round).await }
        });
        // Ten in flight share one fsync.
        futures_util::future::try_join_all(puts).await?;
    }
    let read = scores.get(&7).await.ok_or("it was acknowledged")?;
    println!("player 7 has {:?}, whatever the table says", read.value());
    assert_eq!(read.value(), Some(&700));

    let drained = writes.close(Duration::from_secs(5)).await;
    let stats = writes.stats();
    println!("{} writes became {}; {} are left", stats.acknowledged, stats.flushed, drained.left);
    let total = "SELECT sum(score) FROM scores";
    let total: i64 = sqlx::query_scalar(total).fetch_one(&mut *database.lock().await).await?;
    assert_eq!((total, drained.left), (5_500, 0));
    Ok(())
}
