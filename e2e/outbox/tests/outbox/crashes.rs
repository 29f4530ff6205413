//! A writer that dies at every point between BEGIN and the removal of its row: what was rolled back
//! is still cached, and what was committed is not.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use larder_outbox_crashes::{NEW, OLD, Place, Point};
use larder_rig::{RedisServer, Stopwatch};
use tokio::time::timeout;

use crate::support::{Database, LATE_MAX, has_looked, node, relayed_by};

/// The signal of `abort`.
const SIGABRT: i32 = 6;

/// Lets a writer die there.
pub(crate) fn dies(place: &Place, redis_port: u16, point: Point) {
    let mut writer = Command::new(env!("CARGO_BIN_EXE_outbox-writer"));
    writer.args([&place.url, &place.namespace, &redis_port.to_string(), &point.to_string()]);
    let ended = writer.stdout(Stdio::null()).output().expect("it runs");
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.signal(), Some(SIGABRT), "{point}: {told}");
}

/// Gives whether the change is there, and how long after the crash the witness had dropped the price.
async fn check(database: Database, redis: &RedisServer, point: Point) -> (bool, Duration) {
    let place = database.place().await;
    let witness = node(&place, redis).await;
    witness.holds_the_price().await;
    dies(&place, redis.port(), point);
    let crashed = Stopwatch::started();
    let committed = witness.settled_amount().await == NEW;
    assert_eq!(committed, point.commits().unwrap_or(committed), "{point}: the change");
    if point.is_sent() {
        timeout(LATE_MAX, witness.drops_it()).await.expect("the log has it");
    }
    // Until somebody looks at the outbox, nobody else knows.
    assert_eq!(witness.holds(), !point.is_sent(), "{point}: before anybody looks");
    let (heir, another) = (node(&place, redis).await, node(&place, redis).await);
    relayed_by([&heir, &another], async {
        has_looked(&heir, 1).await;
        if committed {
            witness.drops_it().await;
        }
    })
    .await;
    let took = crashed.elapsed();
    match committed {
        true => assert_eq!(witness.price().await, NEW, "{point}"),
        false => {
            assert!(witness.holds(), "{point}: a rollback invalidates nothing");
            assert_eq!(witness.price().await, OLD, "{point}");
        }
    }
    assert_eq!(witness.rows().await, 0, "{point}: rows of the outbox");
    (committed, took)
}

async fn check_all(database: Database) {
    let redis = RedisServer::start();
    // Holds the server that the places share.
    let _kept = database.place().await;
    for point in Point::ALL {
        let (committed, took) = check(database, &redis, point).await;
        let change = if committed { "committed" } else { "rolled back" };
        println!("{database:?}, {point}: {change}, settled {took:?} after the crash");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_always_invalidates_and_a_rollback_never_wherever_the_writer_dies_on_sqlite() {
    check_all(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_always_invalidates_and_a_rollback_never_wherever_the_writer_dies_on_postgresql() {
    check_all(Database::Postgres).await;
}
