//! What the outbox promises to one process on SQLite: which end of a transaction keeps its row, and
//! what the relay makes of the rows that it finds.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use larder::{Cache, Invalidation, Larder};
use larder_sql::outbox::{self, Outbox, OutboxConnection, OutboxStats, Relay, RelayEvent};
use sqlx::any::AnyPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AnyPool, SqlitePool};
use tempfile::TempDir;
use tokio::time::timeout;

/// What takes longer has failed. The relay waits for about two seconds before it sends what is not
/// its own.
const PATIENCE: Duration = Duration::from_secs(10);

/// A price in a database, cached.
struct Shop {
    pool: SqlitePool,
    outbox: Outbox,
    prices: Cache<u64, i64>,
    larder: Larder,
    directory: TempDir,
}

impl Shop {
    async fn open() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = SqliteConnectOptions::new().filename(directory.path().join("shop.db"));
        let file = file.create_if_missing(true).journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
        let pool = SqlitePoolOptions::new().connect_with(file).await.expect("open");
        outbox::migrate(&mut *pool.acquire().await.expect("connection")).await.expect("migrate");
        for statement in [
            "CREATE TABLE prices (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL)",
            "INSERT INTO prices (id, amount) VALUES (7, 1)",
        ] {
            sqlx::query(statement).execute(&pool).await.expect(statement);
        }
        let larder = Larder::new("shop").expect("larder");
        let prices = larder.cache("prices").build().expect("cache");
        let outbox = Outbox::new(larder.clone());
        Shop { pool, outbox, prices, larder, directory }
    }

    fn wrong(&self) -> Invalidation {
        Invalidation::new().key(&self.prices, &7u64)
    }

    async fn amount(&self) -> i64 {
        let asked = sqlx::query_scalar("SELECT amount FROM prices WHERE id = 7");
        asked.fetch_one(&self.pool).await.expect("amount")
    }

    /// What the cache says, loaded where it must be.
    async fn cached(&self) -> i64 {
        let amount = self.amount().await;
        let loaded = self.prices.get_or_load(&7, move |_| async move { Ok::<_, Infallible>(amount) });
        *loaded.await.expect("loaded")
    }

    async fn rows(&self) -> i64 {
        let counted = sqlx::query_scalar("SELECT COUNT(*) FROM larder_outbox");
        counted.fetch_one(&self.pool).await.expect("count")
    }

    async fn insert(&self, id: &str, names: &str) {
        let insert = "INSERT INTO larder_outbox (id, written_at_ms, names) VALUES ($1, 0, $2)";
        sqlx::query(insert).bind(id).bind(names).execute(&self.pool).await.expect("insert");
    }

    /// Runs a relay until the outbox's numbers are so.
    async fn relayed_until(&self, is_so: impl Fn(OutboxStats) -> bool) {
        self.run_until(self.outbox.relay(self.pool.clone()), is_so).await;
    }

    async fn run_until(&self, mut relay: Relay<sqlx::Sqlite>, is_so: impl Fn(OutboxStats) -> bool) {
        let looks = self.outbox.stats().looks;
        let reached = async {
            while self.outbox.stats().looks == looks || !is_so(self.outbox.stats()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = relay.run() => unreachable!("a relay does not end"),
            reached = timeout(PATIENCE, reached) => reached.expect("in time"),
        }
    }
}

const REPRICE: &str = "UPDATE prices SET amount = 2 WHERE id = 7";

#[tokio::test]
async fn a_commit_drops_what_it_named_and_its_row_goes_once_all_know() {
    let shop = Shop::open().await;
    assert_eq!(shop.cached().await, 1);
    let mut transaction = shop.pool.begin().await.expect("begin");
    sqlx::query(REPRICE).execute(&mut *transaction).await.expect("change");
    let noted = shop.outbox.invalidate(&mut *transaction, shop.wrong()).await.expect("noted");
    assert!(shop.prices.peek(&7).is_some(), "nothing is dropped before the commit");
    transaction.commit().await.expect("commit");
    assert!(noted.committed().await.position().is_some());
    assert_eq!((shop.cached().await, shop.rows().await), (2, 1));
    shop.relayed_until(|stats| stats.waiting == 0).await;
    assert_eq!((shop.rows().await, shop.outbox.stats().relayed), (0, 0), "it was sent already");
    assert!(shop.prices.peek(&7).is_some(), "and not sent again");
}

#[tokio::test]
async fn a_rollback_leaves_neither_a_row_nor_a_mark() {
    let shop = Shop::open().await;
    shop.cached().await;
    let mut transaction = shop.pool.begin().await.expect("begin");
    let noted = shop.outbox.invalidate(&mut *transaction, shop.wrong()).await.expect("noted");
    transaction.rollback().await.expect("rollback");
    noted.rolled_back();
    assert_eq!(shop.rows().await, 0);
    shop.relayed_until(|stats| stats.waiting == 0).await;
    assert!(shop.prices.peek(&7).is_some());
}

#[tokio::test]
async fn a_change_that_makes_nothing_wrong_writes_no_row() {
    let shop = Shop::open().await;
    let mut transaction = shop.pool.begin().await.expect("begin");
    let noted = shop.outbox.invalidate(&mut *transaction, Invalidation::new()).await.expect("noted");
    transaction.commit().await.expect("commit");
    assert!(noted.committed().await.position().is_some());
    assert_eq!(shop.rows().await, 0);
}

/// What a caller says of a transaction whose commit it did not see end.
#[derive(Debug, Clone, Copy)]
enum Word {
    /// It was cancelled.
    None,
    InDoubt,
}

#[tokio::test]
async fn a_commit_that_lands_after_its_caller_went_away_drops_what_was_loaded_in_between() {
    for word in [Word::None, Word::InDoubt] {
        let shop = Shop::open().await;
        shop.cached().await;
        let mut transaction = shop.pool.begin().await.expect("begin");
        sqlx::query(REPRICE).execute(&mut *transaction).await.expect("change");
        let noted = shop.outbox.invalidate(&mut *transaction, shop.wrong()).await.expect("noted");
        match word {
            Word::None => drop(noted),
            Word::InDoubt => drop(noted.in_doubt().await),
        }
        assert!(shop.prices.peek(&7).is_none(), "{word:?}: it may have committed");
        assert_eq!(shop.cached().await, 1, "{word:?}: the commit is still on its way");
        transaction.commit().await.expect("commit");
        shop.relayed_until(|stats| stats.waiting == 0).await;
        assert!(shop.prices.peek(&7).is_none(), "{word:?}: what was loaded in between stays");
    }
}

#[tokio::test]
async fn rows_that_a_crash_left_are_sent_at_the_first_look() {
    let shop = Shop::open().await;
    shop.cached().await;
    shop.insert("left", &shop.wrong().to_text()).await;
    shop.relayed_until(|stats| stats.waiting == 0).await;
    assert!(shop.prices.peek(&7).is_none());
    assert_eq!(shop.outbox.stats().looks, 1);
}

#[tokio::test]
async fn many_rows_go_in_few_invalidations_and_none_is_left_out() {
    let shop = Shop::open().await;
    for room in 0..2_500_u64 {
        let wrong = Invalidation::new().key("rooms", &room);
        shop.insert(&format!("row {room}"), &wrong.to_text()).await;
    }
    let told = Arc::new(AtomicUsize::new(0));
    let tells = Arc::clone(&told);
    let relay = shop.outbox.relay(shop.pool.clone()).observed_by(move |event| {
        if let RelayEvent::Relayed { .. } = event {
            tells.fetch_add(1, Ordering::SeqCst);
        }
    });
    shop.run_until(relay, |stats| stats.waiting == 0).await;
    assert_eq!((shop.rows().await, shop.outbox.stats().relayed), (0, 2_500));
    let told = told.load(Ordering::SeqCst);
    assert!(told <= 45, "{told} invalidations");
}

#[tokio::test]
async fn a_row_that_nobody_can_read_is_parked_and_holds_nobody_up() {
    let shop = Shop::open().await;
    shop.cached().await;
    shop.insert("hostile", "\u{1F980} DROP TABLE").await;
    shop.insert("newer", r#"{"version":2,"all":true}"#).await;
    shop.insert("endless", &"x".repeat(2 * Invalidation::TEXT_BYTES_MAX)).await;
    shop.insert("good", &Invalidation::new().tag("another").to_text()).await;
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let tells = Arc::clone(&told);
    let relay = shop.outbox.relay(shop.pool.clone()).observed_by(move |event| {
        if let RelayEvent::Parked { row, reason } = event {
            tells.lock().expect("lock").push(format!("{row}: {reason}"));
        }
    });
    shop.run_until(relay, |stats| stats.looks >= 3 && stats.waiting == 0).await;
    assert!(shop.prices.peek(&7).is_none(), "nobody knows what they name");
    assert_eq!((shop.outbox.stats().parked, shop.rows().await), (3, 3));
    let mut told = told.lock().expect("lock").clone();
    told.sort();
    assert_eq!(told.len(), 3, "each is told once: {told:?}");
    assert!(told[0].starts_with("endless: ") && told[0].contains("at most"), "{told:?}");
    assert!(told[1].starts_with("hostile: ") && told[1].contains("no invalidation"), "{told:?}");
    assert!(told[2].starts_with("newer: ") && told[2].contains("version 2"), "{told:?}");
    // A program that reads it takes it up when it starts.
    shop.cached().await;
    let mend = "UPDATE larder_outbox SET names = $1 WHERE id = 'newer'";
    sqlx::query(mend).bind(shop.wrong().to_text()).execute(&shop.pool).await.expect("mend");
    shop.relayed_until(|stats| stats.parked == 2 && stats.waiting == 0).await;
    assert!(shop.prices.peek(&7).is_none());
}

#[tokio::test]
async fn two_relays_of_two_processes_are_in_nobodys_way() {
    let shop = Shop::open().await;
    let other = Outbox::new(Larder::new("shop").expect("larder"));
    for room in 0..300_u64 {
        let wrong = Invalidation::new().key("rooms", &room);
        shop.insert(&format!("row {room}"), &wrong.to_text()).await;
    }
    let mut beside = other.relay(shop.pool.clone());
    tokio::select! {
        () = beside.run() => unreachable!("a relay does not end"),
        () = shop.relayed_until(|stats| stats.waiting == 0) => {}
    }
    assert_eq!(shop.rows().await, 0);
    let sent = shop.outbox.stats().relayed + other.stats().relayed;
    assert!(sent >= 300, "{sent} rows were sent");
}

#[tokio::test]
async fn what_is_sent_is_removed_when_the_process_ends() {
    let shop = Shop::open().await;
    let mut transaction = shop.pool.begin().await.expect("begin");
    let noted = shop.outbox.invalidate(&mut *transaction, shop.wrong()).await.expect("noted");
    transaction.commit().await.expect("commit");
    drop(noted.committed().await);
    shop.outbox.relay(shop.pool.clone()).close().await.expect("removed");
    assert_eq!(shop.rows().await, 0);
}

#[tokio::test]
async fn a_database_that_is_lost_is_told_of_once_and_asked_again() {
    let shop = Shop::open().await;
    let told: Arc<Mutex<Vec<&str>>> = Arc::default();
    let tells = Arc::clone(&told);
    let relay = shop.outbox.relay(shop.pool.clone()).observed_by(move |event| {
        tells.lock().expect("lock").push(match event {
            RelayEvent::DatabaseLost { .. } => "lost",
            RelayEvent::DatabaseBack => "back",
            _ => "another",
        });
    });
    sqlx::query("ALTER TABLE larder_outbox RENAME TO away").execute(&shop.pool).await.expect("away");
    let back = async {
        while told.lock().expect("lock").is_empty() {
            tokio::task::yield_now().await;
        }
        let back = "ALTER TABLE away RENAME TO larder_outbox";
        sqlx::query(back).execute(&shop.pool).await.expect("back");
    };
    tokio::join!(shop.run_until(relay, |_| true), back);
    assert_eq!(*told.lock().expect("lock"), ["lost", "back"]);
}

async fn noted_on<C: OutboxConnection>(outbox: &Outbox, connection: &mut C) {
    let wrong = Invalidation::new().tag("any");
    outbox.invalidate(connection, wrong).await.expect("noted").rolled_back();
}

#[tokio::test]
async fn a_connection_that_is_either_database_will_do() {
    let shop = Shop::open().await;
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}/shop.db", shop.directory.path().display());
    let pool: AnyPool = AnyPoolOptions::new().connect(&url).await.expect("open");
    let mut transaction = pool.begin().await.expect("begin");
    noted_on(&shop.outbox, &mut *transaction).await;
    transaction.commit().await.expect("commit");
    assert_eq!(shop.rows().await, 1);
    let mut relay = Outbox::new(shop.larder.clone()).relay(pool);
    let gone = async { while shop.rows().await > 0 {} };
    tokio::select! {
        () = relay.run() => unreachable!("a relay does not end"),
        gone = timeout(PATIENCE, gone) => gone.expect("in time"),
    }
}
