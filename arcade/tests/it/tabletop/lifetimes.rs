//! How long entries lie in a real shared tier, and in which form: read back from the server.

use std::collections::BTreeMap;

use arcade::app::route_table;
use arcade::configuration::{self, Environment};
use arcade::http::{CachePlan, Route, Verb};
use larder::key::EncodedKey;
use larder_rig::{RedisServer, Stopwatch};
use serde_json::json;

use crate::support::{PATIENCE, SECRET, TestClient};

/// Every entry of the shared tier: its cache, and the name under which it lies there.
fn entries(redis: &RedisServer) -> Vec<(String, Vec<u8>)> {
    let names: Vec<Vec<u8>> = redis.ask(redis::cmd("KEYS").arg("*}:v:*"));
    let entry = |name: Vec<u8>| {
        let start = name.windows(4).position(|part| part == b"}:v:").expect("a value") + 4;
        (EncodedKey::from_encoded(&name[start..]).cache().to_owned(), name)
    };
    names.into_iter().map(entry).collect()
}

/// The lifetimes that the requirements name for what is cached, in seconds.
const NAMED: [(&str, u64); 20] = [
    ("accounts", 1_800),
    ("asset-meta", 3_600),
    ("batch-assets", 3_600),
    ("balance", 60),
    ("market-item", 300),
    ("market-items", 300),
    ("match", 60),
    ("matches", 120),
    ("notifications", 60),
    ("notifications-unread", 30),
    ("query-systems", 600),
    ("room-players", 60),
    ("room-state", 1_800),
    ("session-activity", 3_600),
    ("system-template", 7_200),
    ("tournament", 600),
    ("tournaments", 300),
    ("user-rooms", 300),
    ("user-session", 3_600),
    ("user-sessions", 3_600),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_entry_lies_in_the_shared_tier_for_as_long_as_the_requirements_name() {
    let redis = RedisServer::start();
    let variables = [("ARCADE_PROFILE", "test"), ("JWT_SECRET", SECRET)];
    let directory = tempfile::tempdir().expect("temporary directory");
    let settings = configuration::load(Environment::of(directory.path(), variables));
    let settings = settings.expect("settings").cache;
    let table = route_table();
    let plans: BTreeMap<&str, &CachePlan> =
        table.iter().flat_map(|route| route.cached).map(|plan| (plan.name, *plan)).collect();
    for (name, seconds) in NAMED {
        assert_eq!((plans[name].fresh)(&settings).as_secs(), seconds, "{name}");
    }
    let client = TestClient::start_with(&[("REDIS_URL", &redis.url())]).await;
    let begun = Stopwatch::started();
    for route in table.iter().filter(|route| !route.cached.is_empty()) {
        let request = client.good_request(route).await;
        let answer = client.asked(&request).await;
        assert_eq!(answer.status, 200, "{}: {answer:?}", route.path);
    }
    // An answer does not wait for its entry to be shared.
    let room = client.room(1, "By its name").await;
    client.read_by(1, "/api/rooms/By%20its%20name").await;
    let missing = || {
        let there: Vec<String> = entries(&redis).into_iter().map(|(cache, _)| cache).collect();
        plans.keys().find(|name| !there.iter().any(|cache| cache == *name))
    };
    while let Some(name) = missing() {
        assert!(begun.elapsed() < 4 * PATIENCE, "no entry of {name}, as of {room}");
        // It was refused, where a later request changed what it shows before it came.
        let shows = |route: &&Route| route.cached.iter().any(|plan| plan.name == *name);
        for route in table.iter().filter(shows) {
            client.asked(&client.good_request(route).await).await;
        }
    }
    let mut longest: BTreeMap<String, i64> = BTreeMap::new();
    for (cache, name) in entries(&redis) {
        let left_ms: i64 = redis.ask(redis::cmd("PTTL").arg(name));
        let kept = longest.entry(cache).or_default();
        *kept = left_ms.max(*kept);
    }
    for (name, plan) in &plans {
        let (fresh, stale) = ((plan.fresh)(&settings), (plan.stale)(&settings));
        let most_ms = (fresh + stale).as_millis() as i64;
        // Jitter shortens by a tenth at most, and some time has passed.
        let least_ms = most_ms - most_ms / 10 - begun.elapsed().as_millis() as i64 - 1_000;
        let left_ms = longest[*name];
        assert!((least_ms..=most_ms).contains(&left_ms), "{name}: {left_ms} of {most_ms} ms");
    }
    client.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_room_and_a_long_system_are_stored_in_less_than_half_their_length() {
    let redis = RedisServer::start();
    let client = TestClient::start_with(&[("REDIS_URL", &redis.url())]).await;
    let turns: Vec<_> =
        (0..400).map(|turn| json!({ "turn": turn, "by": "player", "roll": [1, 6] })).collect();
    let room = json!({ "name": "A long game", "gameState": { "turns": turns } });
    let id = client.made_by(1, "/api/rooms", &room).await;
    let system = json!({
        "name": "Many cards", "description": "A deck.", "category": "card", "complexity": "simple",
        "decks": { "cards": turns },
    });
    let system = client.made_by(1, "/api/systems", &system).await;
    let begun = Stopwatch::started();
    for (cache, path) in [
        ("room-state", format!("/api/rooms/{id}")),
        ("system-template", format!("/api/systems/{system}")),
    ] {
        let answer = client.send(Verb::Get, &path, Some(&client.player(1)), "").await;
        let (long, name) = (
            answer.text.len(),
            loop {
                if let Some((_, name)) = entries(&redis).into_iter().find(|(of, _)| of == cache) {
                    break name;
                }
                assert!(begun.elapsed() < PATIENCE, "no entry of {cache}");
            },
        );
        let stored: usize = redis.ask(redis::cmd("STRLEN").arg(name));
        assert!(long > 15_000 && stored * 2 < long, "{cache}: {stored} of {long} bytes");
        println!("{cache}: {stored} of {long} bytes");
    }
    client.stop().await;
}
