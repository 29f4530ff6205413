//! Writers of a real database who race through two nodes on a real Redis: whatever the order in which
//! they commit and come back, what is cached in the end is what the database has.

use futures_util::future::join_all;
use larder::{Cache, Consistency, Larder, Origin};
use larder_faults::pause;
use larder_redis::{Redis, RedisOptions, Topology};
use larder_rig::RedisServer;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use tempfile::TempDir;

use crate::support::{millis, number};

/// How many rows are raced for.
fn rounds() -> u64 {
    number("LARDER_RACES", 150)
}

/// The longest that a write waits on either side of its commit.
const SLOW_MICROS: u64 = 4_000;

async fn dawdle() {
    pause(std::time::Duration::from_micros(rand::random_range(0..SLOW_MICROS))).await;
}

/// The database: rows that count their writes.
struct Table {
    pool: SqlitePool,
    _directory: TempDir,
}

impl Table {
    async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let options = SqliteConnectOptions::new()
            .filename(directory.path().join("rows.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(millis(10_000));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await;
        let pool = pool.expect("the file can be made");
        let create =
            "CREATE TABLE rows (id INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL)";
        sqlx::query(create).execute(&pool).await.expect("a table");
        Table { pool, _directory: directory }
    }

    /// Adds a row: its id, and version 0.
    async fn insert(&self) -> sqlx::Result<(u64, i64)> {
        let row = sqlx::query_as("INSERT INTO rows (version) VALUES (0) RETURNING id, version");
        let (id, version): (i64, i64) = row.fetch_one(&self.pool).await?;
        Ok((id.cast_unsigned(), version))
    }

    /// Writes a row, slowly: others commit before and after it, until it knows what it wrote.
    async fn raise(&self, id: u64) -> sqlx::Result<(u64, i64)> {
        dawdle().await;
        let raised = "UPDATE rows SET version = version + 1 WHERE id = ? RETURNING version";
        let version = sqlx::query_scalar(raised).bind(id.cast_signed()).fetch_one(&self.pool).await?;
        dawdle().await;
        Ok((id, version))
    }

    async fn select(&self, id: u64) -> sqlx::Result<(u64, i64)> {
        let version = sqlx::query_scalar("SELECT version FROM rows WHERE id = ?");
        Ok((id, version.bind(id.cast_signed()).fetch_one(&self.pool).await?))
    }
}

struct Site {
    _redis: Redis,
    _larder: Larder,
    rows: Cache<u64, (u64, i64)>,
}

impl Site {
    async fn on(server: &RedisServer) -> Self {
        let options = RedisOptions::new(Topology::single("127.0.0.1", server.port()));
        let redis = Redis::open("racing", options).expect("options in range");
        redis.connected().await;
        let larder = Larder::builder("racing").shards(redis.shards()).build().expect("in range");
        let rows = larder.cache("rows").build().expect("a cache");
        // What is set before the log was asked once is not kept in memory.
        while rows.peek(&0).is_none() {
            rows.set(&0, (0, 0)).await.invalidated.outcome();
        }
        Site { _redis: redis, _larder: larder, rows }
    }

    /// What a reader is answered that may not be behind anything that was acknowledged.
    async fn reads(&self, table: &'static Table, id: u64) -> (i64, Origin) {
        let read = self.rows.read(&id).consistency(Consistency::Latest);
        let hit = read.get_or_load(move |_| table.select(id)).await.expect("the row is there");
        (hit.1, hit.origin())
    }
}

/// How a write finds its entry.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    KeyOfArguments,
    KeyOfResult,
}

/// Writes the row once; whether what was written was stored.
async fn write(site: &Site, table: &Table, id: u64, form: Form) -> bool {
    let write = || table.raise(id);
    let written = match form {
        Form::KeyOfArguments => site.rows.write_through(&id, write).run().await,
        Form::KeyOfResult => site.rows.create_through(write, |row| row.0).run().await,
    };
    let written = written.expect("the database is healthy");
    assert!(written.invalidated.position().is_some(), "Redis is healthy");
    written.stored
}

/// Many rows, each written by `writers` at once, in part by either node.
async fn race(writers: u64, form: Form) {
    let server = RedisServer::start();
    let (a, b) = (Site::on(&server).await, Site::on(&server).await);
    // It lives as long as the test: loaders may outlive their callers.
    let table: &'static Table = Box::leak(Box::new(Table::new().await));
    let mut stored = 0;
    for round in 0..rounds() {
        let (id, _) = table.insert().await.expect("the database is healthy");
        let sites = [&a, &b];
        if round % 3 == 0 {
            sites[(round % 2) as usize].reads(table, id).await;
        }
        let writes = (0..writers).map(|writer| async move {
            dawdle().await;
            write(sites[((round + writer) % 2) as usize], table, id, form).await
        });
        let kept = join_all(writes).await.into_iter().filter(|kept| *kept).count();
        stored += kept;
        let (_, last) = table.select(id).await.expect("the database is healthy");
        assert_eq!(last.cast_unsigned(), writers, "every write is in the database");
        for site in sites {
            let shared =
                site.rows.peek_shared(&id).await.and_then(|row| row.value().map(|row| row.1));
            assert!(
                shared.is_none_or(|version| version == last),
                "the tier has {shared:?}, not {last}"
            );
            let (version, origin) = site.reads(table, id).await;
            assert_eq!(version, last, "round {round}, from {origin:?}, after {kept} were stored");
            let memory = site.rows.peek(&id).and_then(|row| row.value().map(|row| row.1));
            assert!(
                memory.is_none_or(|version| version == last),
                "memory has {memory:?}, not {last}"
            );
        }
    }
    println!("{writers} writers, {form:?}: {stored} of {} writes stored", rounds() * writers);
    assert!(stored > 0, "no write was ever stored: nothing was tested");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_racing_writers_the_older_value_never_stays() {
    race(2, Form::KeyOfArguments).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_five_racing_writers_no_older_value_ever_stays() {
    race(5, Form::KeyOfArguments).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_racing_writers_who_learn_their_key_from_the_result_no_older_value_ever_stays() {
    race(2, Form::KeyOfResult).await;
    race(5, Form::KeyOfResult).await;
}

#[tokio::test]
async fn a_row_that_was_added_is_read_on_every_node_without_asking_the_database() {
    let server = RedisServer::start();
    let (a, b) = (Site::on(&server).await, Site::on(&server).await);
    let table: &'static Table = Box::leak(Box::new(Table::new().await));
    for _ in 0..20 {
        let added = a.rows.create_through(|| table.insert(), |row| row.0).run().await;
        let added = added.expect("the database is healthy");
        assert!(added.stored);
        let id = added.answer.0;
        assert_eq!(a.reads(table, id).await, (0, Origin::Memory));
        assert_eq!(b.reads(table, id).await, (0, Origin::Shared));
    }
}
