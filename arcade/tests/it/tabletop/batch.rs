//! What a batch costs: one round trip of each tier, however many rooms it is about.

use std::collections::BTreeMap;

use larder_rig::{RedisServer, Stopwatch};

use crate::support::{PATIENCE, TestClient};

/// As many as one request may name.
const ROOMS: usize = 100;

/// So many values as Larder asks for in one command; all commands of a batch go in one pipeline.
const MGETS: u64 = 2;

/// How often each command was called since the server began.
fn calls(redis: &RedisServer) -> BTreeMap<String, u64> {
    let info: String = redis.ask(redis::cmd("INFO").arg("commandstats"));
    let call = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split_once(',')?.0.parse().ok()?))
    };
    info.lines().filter_map(call).collect()
}

/// The calls that were made between the two, of commands that read values.
fn reads(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> [u64; 2] {
    ["get", "mget"].map(|command| {
        let of = |calls: &BTreeMap<String, u64>| calls.get(command).copied().unwrap_or(0);
        of(after) - of(before)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_rooms_cost_one_round_trip_of_each_tier() {
    let redis = RedisServer::start();
    let url = redis.url();
    let one = TestClient::start_with(&[("REDIS_URL", &url)]).await;
    let mut ids = Vec::new();
    for number in 0..ROOMS {
        let room = one.room(1, &format!("Of many {number}")).await;
        ids.push(room.rsplit('/').next().expect("its number").to_owned());
    }
    let path = format!("/api/rooms?ids={}", ids.join(","));
    let loaded = one.read_by(1, &path).await;
    let begun = Stopwatch::started();
    // An answer does not wait until its entries are shared.
    while redis.ask::<Vec<Vec<u8>>>(redis::cmd("KEYS").arg("*}:v:*room-state*")).len() < ROOMS {
        assert!(begun.elapsed() < PATIENCE, "not every room is shared");
    }
    let before = calls(&redis);
    let again = one.read_by(1, &path).await;
    assert_eq!((again.header("x-cache"), again.header("x-cache-origin")), ("HIT", "memory"));
    assert_eq!(reads(&before, &calls(&redis)), [0, 0], "memory has them all");
    // Another process on the same Redis: its own database has none of these rooms.
    let other = TestClient::start_with(&[("REDIS_URL", &url)]).await;
    let before = calls(&redis);
    let shared = other.read_by(1, &path).await;
    assert_eq!((shared.header("x-cache"), shared.header("x-cache-origin")), ("HIT", "shared"));
    let [gets, mgets] = reads(&before, &calls(&redis));
    // A node that joins asks for the tag table, whenever that is.
    assert!(mgets == MGETS && gets <= 1, "{mgets} MGETs, {gets} GETs are not one pipeline");
    assert_eq!(shared.text, loaded.text);
    other.stop().await;
    one.stop().await;
}
