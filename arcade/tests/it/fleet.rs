//! Three processes of the command itself on one database and one Redis, which is killed under them.

use std::time::Duration;

use arcade::http::Verb;
use larder_rig::{Authority, RedisServer, Stopwatch, free_port};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::support::asked;
use crate::support::process::{Process, admin, arcade, migrated};
use crate::support::tournaments::new_tournament;

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How late a change made through another process may show.
const STALENESS_MAX: Duration = Duration::from_millis(1_000);

/// How soon after its start a process answers, also without Redis.
const READY_WITHIN: Duration = Duration::from_secs(2);

const LIST: &str = "/v1/tournaments?limit=5";

async fn shows(process: &Process, name: &str) -> bool {
    let answer = process.get("/v1/tournaments?limit=100&status=UPCOMING").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text.contains(name)
}

async fn put_tournament(through: &Process, name: &str) {
    let admin = admin();
    let body = new_tournament(json!({ "name": name })).to_string();
    let sending = through.sender.send(Verb::Post, "/v1/tournaments", Some(&admin), &body);
    let put = sending.await;
    assert_eq!(put.status, 201, "{put:?}");
}

async fn shown_within(processes: &[Process], name: &str, limit: Duration) -> Duration {
    let changed = Stopwatch::started();
    for process in processes {
        while !shows(process, name).await {
            assert!(changed.elapsed() < limit, "{name} is not shown after {:?}", changed.elapsed());
        }
    }
    changed.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_through_one_process_shows_in_the_others_also_while_redis_dies_again_and_again() {
    let (directory, mut redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    migrated(&directory).await;
    let url = redis.url();
    let mut processes = Vec::new();
    for _ in 0..3 {
        processes.push(Process::start(directory.path(), &[("REDIS_URL", &url)]).await);
    }
    assert_eq!(processes[0].get(LIST).await.header("x-cache"), "MISS");
    assert_eq!(processes[0].get(LIST).await.header("x-cache"), "HIT");
    let shared = processes[1].get(LIST).await;
    assert_eq!((shared.header("x-cache"), shared.header("x-cache-origin")), ("HIT", "shared"));
    for round in 0..5 {
        let name = format!("Round {round}");
        // What the others have in memory is from before the change.
        for process in &processes {
            shows(process, &name).await;
        }
        put_tournament(&processes[0], &name).await;
        let took = shown_within(&processes, &name, STALENESS_MAX + Duration::from_millis(500)).await;
        println!("{name}: shown by all after {took:?}");
        redis.kill();
        let name = format!("{name}, without Redis");
        put_tournament(&processes[1], &name).await;
        assert!(shows(&processes[1], &name).await, "the process does not see its own change");
        let took = shown_within(&processes, &name, 2 * STALENESS_MAX).await;
        println!("{name}: shown by all after {took:?}");
        let ready = processes[2].get("/readyz").await;
        assert_eq!((ready.status.as_u16(), ready.json()["degraded"][0].as_str()), (200, Some("l2")));
        redis.run();
        let back = Stopwatch::started();
        while processes[2].get("/readyz").await.json()["status"] != "ready" {
            assert!(back.elapsed() < Duration::from_secs(2), "not rejoined");
        }
        println!("rejoined after {:?}", back.elapsed());
    }
}

/// The sum of a counter in `/metrics`; `None` where it is not there.
async fn counter(process: &Process, name: &str) -> Option<u64> {
    let metrics = process.get("/metrics").await.text;
    let lines = metrics.lines().filter(|line| line.starts_with(name));
    let counts = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok());
    counts.reduce(|sum, count| sum + count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_are_killed_in_the_middle_of_loads_keep_nobody_waiting_and_stale() {
    let (directory, redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    migrated(&directory).await;
    let url = redis.url();
    let settings = [("REDIS_URL", url.as_str()), ("CACHE_PROBE", "on")];
    let mut processes = Vec::new();
    for _ in 0..3 {
        processes.push(Process::start(directory.path(), &settings).await);
    }
    let mut slowest = Duration::ZERO;
    for round in 1..=5 {
        // Cold for everybody, and one of those who ask for it dies of it.
        let path = format!("/v1/tournaments?limit={}", 10 + round);
        let killed = processes.pop().expect("three processes");
        let mut asking = TcpStream::connect(&killed.address).await.expect("connect");
        let request = format!("GET {path} HTTP/1.1\r\nhost: arcade\r\n\r\n");
        asking.write_all(request.as_bytes()).await.expect("sent");
        drop(killed);
        let began = Stopwatch::started();
        for process in &processes {
            assert_eq!(process.get(&path).await.status, 200);
        }
        slowest = slowest.max(began.elapsed());
        processes.push(Process::start(directory.path(), &settings).await);
    }
    println!("after a kill the others answered within {slowest:?}");
    // The lease of one that died ends after 10 s, or is not waited for any longer.
    assert!(slowest < Duration::from_secs(11), "{slowest:?}");
    for process in &processes {
        let waiting = Stopwatch::started();
        while counter(process, "probe_checks_total").await.is_none_or(|checks| checks == 0) {
            assert!(waiting.elapsed() < PATIENCE, "the probe checks nothing");
        }
        assert_eq!(counter(process, "probe_stale_total").await, Some(0));
    }
}

#[tokio::test]
async fn a_start_that_requires_redis_fails_within_bounds_and_says_all_that_is_missing() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("redis://127.0.0.1:{}", free_port());
    let required = [("REDIS_URL", url.as_str()), ("ARCADE_REDIS", "required")];
    let began = Stopwatch::started();
    let mut command = arcade(directory.path(), &required);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("in time").expect("run");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("Redis is required"), "{message}");
    assert!(began.elapsed() < Duration::from_secs(10), "it took {:?}", began.elapsed());
    command.env("DATABASE_URL", format!("postgres://127.0.0.1:{}/none", free_port()));
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("in time").expect("run");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("Redis is required") && message.contains("database"), "{message}");
}

#[tokio::test]
async fn a_required_redis_that_is_lost_after_the_start_degrades_and_stops_nothing() {
    let (directory, mut redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    migrated(&directory).await;
    let url = redis.url();
    let required = [("REDIS_URL", url.as_str()), ("ARCADE_REDIS", "required")];
    let process = Process::start(directory.path(), &required).await;
    let admin = admin();
    let servers_told = async || {
        let asked = process.sender.send(Verb::Get, "/api/v1/cache", Some(&admin), "").await;
        assert_eq!(asked.status, 200, "{asked:?}");
        asked.json()["data"]["servers"].as_array().map(Vec::len)
    };
    assert_eq!(process.get("/readyz").await.json()["status"], "ready");
    assert_eq!(servers_told().await, Some(1));
    redis.kill();
    process.says("degraded").await;
    assert_eq!(process.get(LIST).await.status, 200);
    // What cannot be asked has nothing to say.
    assert_eq!(servers_told().await, Some(0));
    redis.run();
    process.says("ready").await;
    assert_eq!(servers_told().await, Some(1));
}

#[tokio::test]
async fn an_encrypted_redis_is_used_as_a_url_and_in_parts_and_only_with_its_authority() {
    let directory = tempfile::tempdir().expect("a directory");
    migrated(&directory).await;
    let authority = Authority::found();
    let (_redis, port) = RedisServer::start_with_tls(&authority);
    let file = directory.path().join("authority.pem");
    std::fs::write(&file, authority.pem()).expect("written");
    let (file, port) = (file.to_string_lossy().into_owned(), port.to_string());
    let url = format!("rediss://localhost:{port}");
    let (required, known) = (("ARCADE_REDIS", "required"), ("REDIS_TLS_CA_FILE", file.as_str()));
    let parts =
        [("REDIS_HOST", "localhost"), ("REDIS_PORT", port.as_str()), ("REDIS_TLS_ENABLED", "true")];
    for named in [[("REDIS_URL", url.as_str())].as_slice(), &parts] {
        let variables = [named, &[required, known]].concat();
        let process = Process::start(directory.path(), &variables).await;
        assert_eq!(process.get("/readyz").await.json()["status"], "ready");
    }
    let unknown = [("REDIS_URL", url.as_str()), required];
    let output = arcade(directory.path(), &unknown).output().await.expect("run");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && message.contains("certificate"), "{message}");
}

#[tokio::test]
async fn a_start_without_an_optional_redis_serves_and_says_so() {
    let directory = tempfile::tempdir().expect("a directory");
    migrated(&directory).await;
    let url = format!("redis://127.0.0.1:{}", free_port());
    let began = Stopwatch::started();
    let process = Process::start(directory.path(), &[("REDIS_URL", &url)]).await;
    let answer = process.get(LIST).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    println!("answered after {:?}", began.elapsed());
    let health = process.get("/api/health").await.json();
    assert_eq!(health["components"]["redis"]["status"], "degraded", "{health}");
    assert_eq!(health["components"]["redis"]["mode"], "optional", "{health}");
}

/// `LARDER_STARTS` starts, half of them with a Redis that takes connections and never answers.
#[tokio::test]
async fn each_start_without_redis_is_ready_within_two_seconds_and_says_what_is_missing() {
    let directory = tempfile::tempdir().expect("a directory");
    migrated(&directory).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let silent = listener.local_addr().expect("it is bound").port();
    let mut took = Vec::new();
    for start in 0..asked("LARDER_STARTS").unwrap_or(6) {
        let port = if start % 2 == 0 { free_port() } else { silent };
        let url = format!("redis://127.0.0.1:{port}");
        let optional = [("REDIS_URL", url.as_str()), ("ARCADE_REDIS", "optional")];
        let began = Stopwatch::started();
        let process = Process::start(directory.path(), &optional).await;
        let ready = process.get("/readyz").await;
        took.push(began.elapsed());
        assert_eq!(ready.status, 200, "{ready:?}");
        assert_eq!(ready.json(), json!({ "status": "degraded", "degraded": ["l2"] }));
        assert_eq!(process.get(LIST).await.status, 200);
        process.kill().await;
    }
    took.sort_unstable();
    let (median, slowest) = (took[took.len() / 2], took[took.len() - 1]);
    println!(
        "{} starts without Redis: ready within {median:?}, the slowest within {slowest:?}",
        took.len()
    );
    assert!(slowest <= READY_WITHIN, "{took:?}");
}
