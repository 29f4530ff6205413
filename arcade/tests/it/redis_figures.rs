//! What an operator sees of Redis: in the metrics, in the figures of the cache, in the log.

use std::time::Duration;

use arcade::http::Verb;
use larder_rig::{Fault, Proxy, RedisServer, Stopwatch};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::PATIENCE;
use crate::support::process::{Process, admin, arcade, migrated};

/// Values of Arcade's namespace, and of somebody else who uses the same database.
fn fill(redis: &RedisServer, ours: u64, others: u64) {
    let script = "for i = 1, ARGV[2] do redis.call('SET', ARGV[1] .. i, '') end";
    for (start, keys) in [("{arcade.1.0}:v:", ours), ("{arcade.eu.1.0}:v:", others)] {
        redis.ask::<()>(redis::cmd("EVAL").arg(script).arg(0).arg(start).arg(keys));
    }
}

#[tokio::test]
async fn the_metrics_tell_how_redis_is_and_what_it_says_of_itself() {
    let (directory, mut redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    migrated(&directory).await;
    fill(&redis, 30, 400);
    let url = redis.url();
    let process = Process::start(directory.path(), &[("REDIS_URL", &url)]).await;
    let of =
        |name: &str, more: &str| format!("{name}{{server=\"127.0.0.1:{}\"{more}}}", redis.port());
    let connected = of("redis_connected", "");
    process.figure_once(&connected, |figure| figure == 1.0).await;
    process.figure_once(&of("redis_keys", ""), |keys| keys >= 430.0).await;
    for (name, more, least) in [
        ("redis_memory_used_bytes", "", 100_000.0),
        ("redis_memory_max_bytes", "", 0.0),
        ("redis_connections", "", 2.0),
        ("redis_connections_max", "", 2.0),
        ("redis_connects_total", "", 1.0),
        ("redis_latency_seconds", "", 0.000_001),
        ("redis_breaker", ",state=\"closed\"", 1.0),
        ("redis_command_calls_total", ",command=\"info\"", 1.0),
        ("redis_command_microseconds_total", ",command=\"info\"", 1.0),
    ] {
        let name = of(name, more);
        let figure = process.figure(&name).await.unwrap_or_else(|| panic!("no {name}"));
        assert!(figure >= least, "{name} {figure}");
    }
    let values = process.figure_once("redis_namespace_keys{kind=\"value\"}", |_| true).await;
    assert_eq!(values, 30.0);
    assert_eq!(process.figure("redis_namespace_count_whole").await, Some(1.0));
    let age = of("redis_report_age_seconds", "");
    redis.kill();
    process.figure_once(&connected, |figure| figure == 0.0).await;
    // What it said last is told with its age.
    assert!(process.figure(&age).await.is_some_and(|age| age > 0.0));
}

#[tokio::test]
async fn a_scrape_is_answered_at_once_while_redis_hangs() {
    let (directory, redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    migrated(&directory).await;
    let proxy = Proxy::before(redis.port()).await;
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let patient = [("REDIS_URL", url.as_str()), ("REDIS_COMMAND_TIMEOUT", "10000")];
    let process = Process::start(directory.path(), &patient).await;
    let memory = format!("redis_memory_used_bytes{{server=\"127.0.0.1:{}\"}}", proxy.port());
    process.figure_once(&memory, |_| true).await;
    proxy.inflict(Fault::BlackHole);
    let scraping = Stopwatch::started();
    for _ in 0..20 {
        assert!(process.figure(&memory).await.is_some());
    }
    println!("20 scrapes in {:?}", scraping.elapsed());
    assert!(scraping.elapsed() < Duration::from_secs(3), "{:?}", scraping.elapsed());
}

#[tokio::test]
async fn more_values_than_there_should_be_are_told_in_log_figures_and_metrics() {
    let (directory, redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    migrated(&directory).await;
    fill(&redis, 30, 400);
    let url = redis.url();
    let few = [("REDIS_URL", url.as_str()), ("REDIS_VALUES_MAX", "29")];
    let mut child = arcade(directory.path(), &few).spawn().expect("start");
    let mut log = BufReader::new(child.stderr.take().expect("its log")).lines();
    let told = async {
        loop {
            let line = log.next_line().await.expect("readable").expect("not the end");
            if line.contains("more values in Redis") {
                return line;
            }
        }
    };
    let line = tokio::time::timeout(PATIENCE, told).await.expect("it is told");
    assert!(line.contains("WARN") && line.contains("30") && line.contains("29"), "{line}");
    child.kill().await.expect("it was alive");
    let process = Process::start(directory.path(), &few).await;
    process.figure_once("redis_namespace_values_max", |max| max == 29.0).await;
    let shown = process.sender.send(Verb::Get, "/api/v1/cache", Some(&admin()), "").await.json();
    let namespace = &shown["data"]["namespace"];
    assert_eq!((&namespace["values"], &namespace["valuesMax"]), (&json!(30), &json!(29)));
    assert!(namespace["keys"].as_u64().is_some_and(|keys| (30..40).contains(&keys)), "{namespace}");
    let address = format!("127.0.0.1:{}", redis.port());
    assert_eq!(shown["data"]["servers"][0]["address"], json!(address));
}

#[tokio::test]
async fn where_any_number_of_values_is_well_none_is_counted() {
    let (directory, redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    migrated(&directory).await;
    let url = redis.url();
    let any = [("REDIS_URL", url.as_str()), ("REDIS_VALUES_MAX", "0")];
    let process = Process::start(directory.path(), &any).await;
    let keys = format!("redis_keys{{server=\"127.0.0.1:{}\"}}", redis.port());
    process.figure_once(&keys, |_| true).await;
    assert_eq!(process.figure("redis_namespace_values_max").await, None);
    let said: String = redis.ask(redis::cmd("INFO").arg("commandstats"));
    assert!(!said.contains("cmdstat_scan:"), "{said}");
}
