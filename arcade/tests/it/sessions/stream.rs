//! The journal of activity on a stream in Redis: processes and servers that are killed, and come back.

use std::path::Path;
use std::time::Duration;

use arcade::http::Verb;
use arcade::wall;
use larder_rig::{RedisServer, Stopwatch};
use serde_json::Value;
use sqlx::{Connection, Executor};
use tempfile::TempDir;

use super::processes::{database, last_activity, logged_in, registered};
use crate::support::process::{Process, admin, arcade, migrated};
use crate::support::sessions::LoggedIn;
use crate::support::{PATIENCE, TestClient};

/// How often a kill is repeated that came after the flush: a second is a long time, but not always.
const ROUNDS: usize = 5;

/// Each write is on its disk before it is confirmed.
const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// Notes the activity of each request.
const EACH: (&str, &str) = ("ARCADE_ACTIVITY_EVERY_S", "0");

const JOURNAL: (&str, &str) = ("ARCADE_JOURNAL", "redis");

/// What makes a process start with its journal in this Redis, or not at all.
fn on_stream(url: &str) -> [(&str, &str); 4] {
    [("REDIS_URL", url), ("ARCADE_REDIS", "required"), JOURNAL, EACH]
}

/// The same with files of its own, as on another machine, on the same database.
fn elsewhere(url: &str) -> Vec<(&str, &str)> {
    let own = [("ARCADE_DATA", ".other"), ("DATABASE_URL", "sqlite:.arcade/arcade.db")];
    on_stream(url).into_iter().chain(own).collect()
}

/// A database that remembers each activity that it was given.
async fn remembering() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    migrated(&directory).await;
    let mut database = database(directory.path()).await;
    let remember = "CREATE TABLE given (at_ms INTEGER); \
        CREATE TRIGGER remember AFTER UPDATE OF last_active_at_ms ON sessions \
        BEGIN INSERT INTO given VALUES (NEW.last_active_at_ms); END";
    database.execute(remember).await.expect("it remembers");
    database.close().await.expect("close");
    directory
}

async fn times_given(directory: &Path, at_ms: i64) -> i64 {
    let mut database = database(directory).await;
    let times = sqlx::query_scalar("SELECT COUNT(*) FROM given WHERE at_ms = $1").bind(at_ms);
    let times = times.fetch_one(&mut database).await.expect("a count");
    database.close().await.expect("close");
    times
}

/// Completes once the database has this activity.
async fn is_given(directory: &Path, at_ms: i64) {
    let begun = Stopwatch::started();
    while times_given(directory, at_ms).await == 0 {
        assert!(begun.elapsed() < PATIENCE, "{at_ms} is lost");
    }
}

/// Asks in a session until that is acknowledged, and says when that was. No request fails.
async fn used(process: &Process, session: &LoggedIn) -> i64 {
    let (begun, from_ms) = (Stopwatch::started(), wall::now_ms());
    loop {
        let shown =
            process.sender.send(Verb::Get, "/api/auth/session", Some(&session.access), "").await;
        assert_eq!(shown.status, 200, "{shown:?}");
        let at_ms = shown.json()["lastActivityMs"].as_i64().expect("a time");
        if at_ms >= from_ms {
            return at_ms;
        }
        assert!(begun.elapsed() < PATIENCE, "it is not acknowledged");
    }
}

async fn activity(process: &Process) -> Value {
    process.get("/api/health").await.json()["components"]["activity"].clone()
}

/// Completes once this is said of the activity.
async fn says(process: &Process, status: &str) -> Value {
    let begun = Stopwatch::started();
    loop {
        let said = activity(process).await;
        if said["status"] == status {
            return said;
        }
        assert!(begun.elapsed() < PATIENCE * 2, "not {status}: {said}");
    }
}

async fn replayed(process: &Process) -> u64 {
    let asked = process.sender.send(Verb::Get, "/api/v1/cache", Some(&admin()), "").await;
    asked.json()["data"]["activity"]["replayed"].as_u64().expect("a count")
}

/// Who has the journal of this number, and how many records it has.
fn holder(redis: &RedisServer, number: u32) -> (Option<String>, u64) {
    let number = if number == 1 { String::new() } else { format!("-{number}") };
    let key = |what: &str| format!("{{arcade.journal}}:{what}{number}:session-activity");
    let name = redis.ask(redis::cmd("HGET").arg(key("held")).arg("n"));
    (name, redis.ask(redis::cmd("XLEN").arg(key("records"))))
}

/// Uses the session and kills the process before the database has it; what was acknowledged.
async fn killed_in_between(
    mut process: Process,
    (directory, variables): (&Path, &[(&str, &str)]),
    session: &LoggedIn,
) -> i64 {
    for _ in 0..ROUNDS {
        let at_ms = used(&process, session).await;
        process.kill().await;
        if times_given(directory, at_ms).await == 0 {
            return at_ms;
        }
        process = Process::start(directory, variables).await;
    }
    panic!("each kill came too late to prove anything");
}

#[tokio::test]
async fn what_a_stream_has_acknowledged_survives_kills_and_is_given_to_the_database_once() {
    let (directory, mut redis) = (remembering().await, RedisServer::start_with(&DURABLE));
    let (place, url) = (directory.path(), redis.url());
    let (here, there) = (on_stream(&url), elsewhere(&url));
    let mut process = Process::start(place, &here).await;
    registered(&process).await;
    let session = logged_in(&process).await;
    let mut seen = Vec::new();
    for (by, server_dies) in [(&here[..], false), (&there[..], false), (&here[..], true)] {
        let at_ms = killed_in_between(process, (place, &here), &session).await;
        if server_dies {
            redis.kill();
            redis.run();
        }
        let begun = Stopwatch::started();
        process = Process::start(place, by).await;
        let started = begun.elapsed();
        is_given(place, at_ms).await;
        println!("started after {started:?}, in the database after {:?}", begun.elapsed());
        assert!(replayed(&process).await > 0, "it was read back");
        seen.push(at_ms);
    }
    let begun = Stopwatch::started();
    while holder(&redis, 1).1 > 0 {
        assert!(begun.elapsed() < PATIENCE, "the journal does not forget");
    }
    process.kill().await;
    let process = Process::start(place, &here).await;
    assert_eq!(replayed(&process).await, 0);
    for at_ms in seen {
        assert_eq!(times_given(place, at_ms).await, 1, "{at_ms}");
    }
}

#[tokio::test]
async fn each_process_has_a_stream_and_one_that_comes_takes_over_that_of_one_that_died() {
    let (directory, redis) = (remembering().await, RedisServer::start_with(&DURABLE));
    let (place, url) = (directory.path(), redis.url());
    let (here, there) = (on_stream(&url), elsewhere(&url));
    let mut one = Process::start(place, &here).await;
    let journal = one.prints_after("Journal: ").await;
    assert!(journal.starts_with("a stream in Redis (ARCADE_JOURNAL), 0 "), "{journal}");
    registered(&one).await;
    let other = Process::start(place, &there).await;
    let holders = [1, 2].map(|number| holder(&redis, number).0.expect("somebody has it"));
    assert_ne!(holders[0], holders[1]);
    let (mine, theirs) = (logged_in(&one).await, logged_in(&other).await);
    let kept = used(&one, &mine).await;
    let left = killed_in_between(other, (place, &there), &theirs).await;
    let third = Process::start(place, &here).await;
    is_given(place, left).await;
    is_given(place, kept).await;
    let after = [1, 2].map(|number| holder(&redis, number).0.expect("somebody has it"));
    assert_eq!(after[0], holders[0], "one that lives keeps its own");
    assert!(after[1] != holders[1] && holder(&redis, 3).0.is_none(), "{after:?}");
    used(&one, &mine).await;
    assert_eq!(activity(&one).await["status"], "healthy");
    assert_eq!(activity(&third).await["status"], "healthy");
    assert!(last_activity(place).await >= left);
}

#[tokio::test]
async fn a_process_that_stops_lets_go_of_its_stream() {
    let redis = RedisServer::start_with(&DURABLE);
    let url = redis.url();
    let client = TestClient::start_with(&on_stream(&url)).await;
    assert!(holder(&redis, 1).0.is_some());
    client.stop().await;
    assert_eq!(holder(&redis, 1).0, None);
}

#[tokio::test]
async fn a_redis_that_is_killed_costs_activity_and_no_request_and_nothing_that_was_acknowledged() {
    let (directory, mut redis) = (remembering().await, RedisServer::start_with(&DURABLE));
    let (place, url) = (directory.path(), redis.url());
    let here = on_stream(&url);
    let process = Process::start(place, &here).await;
    registered(&process).await;
    let (before, during) = (logged_in(&process).await, logged_in(&process).await);
    let acknowledged = used(&process, &before).await;
    redis.kill();
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let begun = Stopwatch::started();
        let me = process.sender.send(Verb::Get, "/users/me", Some(&during.access), "").await;
        assert_eq!(me.status, 200, "{me:?}");
        slowest = slowest.max(begun.elapsed());
    }
    println!("the slowest of 20 requests without the journal took {slowest:?}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert_eq!(says(&process, "degraded").await["reason"], "the journal fails");
    is_given(place, acknowledged).await;
    redis.run();
    process.says("ready").await;
    used(&process, &during).await;
    assert_eq!(says(&process, "healthy").await["reason"], Value::Null);
    let last = killed_in_between(process, (place, &here), &during).await;
    let _process = Process::start(place, &here).await;
    is_given(place, last).await;
}

#[tokio::test]
async fn an_optional_redis_that_is_not_there_or_not_fit_has_the_journal_as_soon_as_it_is() {
    let (directory, mut away) = (remembering().await, RedisServer::start_with(&DURABLE));
    away.kill();
    let unfit = RedisServer::start();
    let mend = || {
        for (name, value) in [("appendonly", "yes"), ("appendfsync", "always")] {
            unfit.ask::<()>(redis::cmd("CONFIG").arg("SET").arg(name).arg(value));
        }
    };
    let mends: [(String, &mut dyn FnMut()); 2] =
        [(away.url(), &mut || away.run()), (unfit.url(), &mut { mend })];
    for (round, (url, mend)) in mends.into_iter().enumerate() {
        let variables = [("REDIS_URL", url.as_str()), JOURNAL, EACH];
        let process = Process::start(directory.path(), &variables).await;
        if round == 0 {
            registered(&process).await;
        }
        let session = logged_in(&process).await;
        let me = process.sender.send(Verb::Get, "/users/me", Some(&session.access), "").await;
        assert_eq!(me.status, 200, "{me:?}");
        assert_eq!(says(&process, "degraded").await["reason"], "the journal is not open");
        mend();
        let mended = Stopwatch::started();
        says(&process, "healthy").await;
        println!("open {:?} after it was mended", mended.elapsed());
        let at_ms = used(&process, &session).await;
        is_given(directory.path(), at_ms).await;
    }
}

#[tokio::test]
async fn a_required_redis_that_could_lose_the_journal_fails_the_start_with_what_to_set() {
    let (directory, redis) = (remembering().await, RedisServer::start());
    let url = redis.url();
    let output = arcade(directory.path(), &on_stream(&url)).output().await.expect("run");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("ARCADE_JOURNAL") && message.contains("`appendonly yes`"), "{message}");
}
