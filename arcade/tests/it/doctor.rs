//! What `arcade doctor` tells an operator, on real servers.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use larder::clock::{Clock, SystemClock};
use larder_rig::{RedisServer, free_port};

use crate::support::process::arcade;

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What it says, and whether it is content.
async fn examined(directory: &Path, variables: &[(&str, &str)]) -> (bool, String) {
    let output = arcade(directory, variables).arg("doctor").output().await.expect("run");
    let Output { status, stdout, stderr } = output;
    let told = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (status.success(), told.concat())
}

/// The line about this subject.
fn line<'a>(told: &'a str, subject: &str) -> &'a str {
    let about = |line: &&str| line.split_whitespace().nth(1) == Some(subject);
    told.lines().find(about).unwrap_or_else(|| panic!("nothing about {subject}: {told}"))
}

#[tokio::test]
async fn the_doctor_says_what_an_operator_should_know_of_a_redis() {
    let (directory, redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    let url = redis.url();
    let variables = [("REDIS_URL", url.as_str())];
    let (content, told) = examined(directory.path(), &variables).await;
    assert!(content && told.contains("joined"), "{told}");
    assert!(line(&told, "journal").contains("a file in .arcade"), "{told}");
    for subject in [
        "database",
        "rights",
        "version",
        "replicas",
        "memory",
        "persistence",
        "latency",
        "clock",
        "keys",
    ] {
        line(&told, subject);
    }
    let persistence = line(&told, "persistence");
    assert!(persistence.contains("cache") && persistence.contains("journal"), "{persistence}");
    redis.ask::<()>(redis::cmd("REPLICAOF").arg("127.0.0.1").arg(free_port()));
    let (content, told) = examined(directory.path(), &variables).await;
    assert!(!content, "a replica is no place for invalidations: {told}");
}

#[tokio::test]
async fn the_doctor_says_whether_a_redis_may_have_the_journal() {
    let (directory, redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    let url = redis.url();
    let variables = [("REDIS_URL", url.as_str()), ("ARCADE_JOURNAL", "redis")];
    let (content, told) = examined(directory.path(), &variables).await;
    let journal = line(&told, "journal");
    assert!(!content && journal.starts_with("bad"), "{told}");
    assert!(journal.contains("ARCADE_JOURNAL") && journal.contains("`appendonly yes`"), "{journal}");
    for (name, value) in [("appendonly", "yes"), ("appendfsync", "always")] {
        redis.ask::<()>(redis::cmd("CONFIG").arg("SET").arg(name).arg(value));
    }
    let (content, told) = examined(directory.path(), &variables).await;
    let journal = line(&told, "journal");
    assert!(content && journal.starts_with("good") && journal.contains("Redis"), "{told}");
    let keys: Vec<String> = redis.ask(redis::cmd("KEYS").arg("*journal*"));
    assert!(keys.is_empty(), "the doctor takes no journal: {keys:?}");
}

#[tokio::test]
async fn the_doctor_names_every_right_that_is_missing() {
    let (directory, redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("node").arg("on").arg(">s3cret").arg("~{*").arg("&{*");
    let rights = ["+@all", "-@dangerous", "+info"];
    redis.ask::<()>(command.arg(&rights));
    let url = format!("redis://node:s3cret@127.0.0.1:{}", redis.port());
    let (content, told) = examined(directory.path(), &[("REDIS_URL", &url)]).await;
    assert!(content && line(&told, "rights").starts_with("good"), "{told}");
    redis.ask::<()>(command.arg(&["-scan", "-publish", "-xadd", "-info"]));
    let (content, told) = examined(directory.path(), &[("REDIS_URL", &url)]).await;
    let rights = line(&told, "rights");
    assert!(!content && rights.starts_with("bad"), "{told}");
    for right in ["+scan", "+publish", "+xadd", "+info"] {
        assert!(rights.contains(right), "{right}: {rights}");
    }
    assert!(!rights.contains("+set"), "{rights}");
    let journal = [("REDIS_URL", url.as_str()), ("ARCADE_JOURNAL", "redis")];
    redis.ask::<()>(redis::cmd("ACL").arg("SETUSER").arg("node").arg("-hdel"));
    let (_, told) = examined(directory.path(), &journal).await;
    let of_journal = line(&told, "rights");
    assert!(of_journal.contains("+hdel") && of_journal.contains("journal"), "{told}");
}

#[tokio::test]
async fn the_doctor_counts_the_keys_of_the_namespace_and_no_others() {
    let (directory, redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    for key in ["{arcade.1.0}:v:a", "{arcade.1.0}:v:b", "{shop.1.0}:v:c", "queue"] {
        redis.ask::<()>(redis::cmd("SET").arg(key).arg(""));
    }
    let url = redis.url();
    let variables = [("REDIS_URL", url.as_str()), ("REDIS_VALUES_MAX", "2")];
    let (content, told) = examined(directory.path(), &variables).await;
    let keys = line(&told, "keys");
    assert!(content && keys.starts_with("good") && keys.contains(" 2 values"), "{told}");
    let fewer = [("REDIS_URL", url.as_str()), ("REDIS_VALUES_MAX", "1")];
    let (content, told) = examined(directory.path(), &fewer).await;
    let keys = line(&told, "keys");
    assert!(keys.starts_with("warning") && keys.contains("redis.values_max"), "{told}");
    assert!(content, "a warning is no failure: {told}");
}

#[tokio::test]
async fn a_dead_database_does_not_keep_the_doctor_from_redis() {
    let (directory, redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    let database = format!("postgres://nobody@127.0.0.1:{}/none", free_port());
    let url = redis.url();
    let variables = [("DATABASE_URL", database.as_str()), ("REDIS_URL", &url)];
    let (content, told) = examined(directory.path(), &variables).await;
    assert!(!content && line(&told, "database").starts_with("bad"), "{told}");
    assert!(line(&told, "version").starts_with("good"), "{told}");
}

#[tokio::test]
async fn a_redis_that_cannot_be_reached_is_a_finding_beside_the_others() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("redis://127.0.0.1:{}", free_port());
    let (content, told) = examined(directory.path(), &[("REDIS_URL", &url)]).await;
    assert!(!content && line(&told, "database").starts_with("good"), "{told}");
    assert!(line(&told, "redis").starts_with("bad"), "{told}");
}

#[tokio::test]
async fn replicas_without_which_a_primary_takes_writes_are_warned_of() {
    let directory = tempfile::tempdir().expect("a directory");
    let (primary, replica) = (RedisServer::start(), RedisServer::start());
    replica.ask::<()>(redis::cmd("REPLICAOF").arg("127.0.0.1").arg(primary.port()));
    let following = async {
        while !replica.follows(&primary) {
            SystemClock.sleep_until(SystemClock.precise().plus(Duration::from_millis(20))).await;
        }
    };
    tokio::time::timeout(PATIENCE, following).await.expect("it follows");
    let url = primary.url();
    let (content, told) = examined(directory.path(), &[("REDIS_URL", &url)]).await;
    let replicas = line(&told, "replicas");
    assert!(replicas.starts_with("warning") && replicas.contains("min-replicas-to-write"), "{told}");
    assert!(content, "a warning is no failure: {told}");
    primary.ask::<()>(redis::cmd("CONFIG").arg("SET").arg("min-replicas-to-write").arg(1));
    let (_, told) = examined(directory.path(), &[("REDIS_URL", &url)]).await;
    assert!(line(&told, "replicas").starts_with("good"), "{told}");
}
