//! Sessions of several processes, and of one that is killed.

use std::path::Path;
use std::time::Duration;

use arcade::http::Verb;
use larder_rig::{RedisServer, Stopwatch};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

use crate::support::PATIENCE;
use crate::support::process::{Process, migrated};
use crate::support::sessions::LoggedIn;

/// How often a kill is repeated that came after the flush: a second is a long time, but not always.
const ROUNDS: usize = 5;

pub(super) async fn registered(through: &Process) {
    let body = json!({ "name": "Ada", "email": "ada@example.org", "password": "a long password" });
    let made = through.sender.send(Verb::Post, "/auth/register", None, &body.to_string()).await;
    assert_eq!(made.status, 201, "{made:?}");
}

pub(super) async fn logged_in(through: &Process) -> LoggedIn {
    let body = json!({ "email": "ada@example.org", "password": "a long password" }).to_string();
    let answer = through.sender.send(Verb::Post, "/auth/login", None, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    LoggedIn::of(&answer.json())
}

async fn status(through: &Process, session: &LoggedIn) -> u16 {
    let me = through.sender.send(Verb::Get, "/users/me", Some(&session.access), "").await;
    me.status.as_u16()
}

pub(super) async fn database(directory: &Path) -> SqliteConnection {
    let url = format!("sqlite://{}", directory.join(".arcade/arcade.db").display());
    SqliteConnection::connect(&url).await.expect("connect")
}

pub(super) async fn last_activity(directory: &Path) -> i64 {
    let mut database = database(directory).await;
    let last = "SELECT MAX(last_active_at_ms) FROM sessions";
    let last = sqlx::query_scalar(last).fetch_one(&mut database).await.expect("a time");
    database.close().await.expect("close");
    last
}

/// Lets the session rest for long, uses it, kills the process, and says what the database has then.
async fn killed_after_use(process: Process, directory: &Path, session: &LoggedIn) -> (i64, i64) {
    let mut database = database(directory).await;
    let rest = AssertSqlSafe("UPDATE sessions SET last_active_at_ms = 1".to_owned());
    database.execute(rest).await.expect("rested");
    database.close().await.expect("close");
    let shown = process.sender.send(Verb::Get, "/api/auth/session", Some(&session.access), "").await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let acknowledged = shown.json()["lastActivityMs"].as_i64().expect("a time");
    process.kill().await;
    (acknowledged, last_activity(directory).await)
}

#[tokio::test]
async fn activity_that_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().expect("a directory");
    migrated(&directory).await;
    let each = [("ARCADE_ACTIVITY_EVERY_S", "0")];
    let mut process = Process::start(directory.path(), &each).await;
    registered(&process).await;
    let session = logged_in(&process).await;
    for round in 1.. {
        let (acknowledged, kept) = killed_after_use(process, directory.path(), &session).await;
        process = Process::start(directory.path(), &each).await;
        let begun = Stopwatch::started();
        while last_activity(directory.path()).await < acknowledged {
            assert!(begun.elapsed() < PATIENCE, "{acknowledged} is lost");
        }
        if kept == 1 {
            println!("in the database {:?} after the start", begun.elapsed());
            break;
        }
        assert!(round < ROUNDS, "each kill came too late to prove anything");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_one_process_ends_is_refused_by_the_others() {
    let (directory, redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    migrated(&directory).await;
    let url = redis.url();
    // Two processes in one data directory: each has a journal of its own.
    let settings = [("REDIS_URL", url.as_str())];
    let one = Process::start(directory.path(), &settings).await;
    let other = Process::start(directory.path(), &settings).await;
    registered(&one).await;
    let (session, kept) = (logged_in(&one).await, logged_in(&other).await);
    for process in [&one, &other] {
        assert_eq!((status(process, &session).await, status(process, &kept).await), (200, 200));
    }
    let out = one.sender.send(Verb::Delete, "/api/auth/session", Some(&session.access), "").await;
    assert_eq!(out.status, 204);
    let ended = Stopwatch::started();
    assert_eq!(status(&one, &session).await, 401);
    while status(&other, &session).await != 401 {
        assert!(ended.elapsed() < Duration::from_secs(1), "the other process lets it in");
    }
    println!("refused by both after {:?}", ended.elapsed());
    assert_eq!((status(&one, &kept).await, status(&other, &kept).await), (200, 200));
}
