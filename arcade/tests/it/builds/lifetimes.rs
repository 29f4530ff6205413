//! How long what is cached of builds and classes lives, read back from the store.

use std::collections::BTreeMap;

use arcade::configuration::{self, Environment};
use arcade::shared_tier::SharedTier;
use larder::key::EncodedKey;
use larder_rig::RedisServer;
use serde_json::json;
use tokio::time::timeout;

use crate::support::builds::{BOARD, BUILDS, LIKED, OWN};
use crate::support::{PATIENCE, TestClient};

/// Each cache with how long it is fresh and how long it is kept, in seconds.
const LIFETIMES: [(&str, u64, u64); 10] = [
    ("build", 300, 600),
    ("build-leaderboards", 300, 600),
    ("build-likes", 300, 600),
    ("build-trusted", 300, 300),
    ("builds", 300, 600),
    ("class", 600, 1_200),
    ("class-tags", 600, 1_200),
    ("classes", 600, 1_200),
    ("liked-builds", 300, 300),
    ("user-builds", 300, 300),
];

/// The value keys that the server holds, as they were encoded.
fn keys(redis: &RedisServer) -> Vec<EncodedKey> {
    let mut command = redis::cmd("KEYS");
    command.arg("*}:v:*");
    let names: Vec<Vec<u8>> = redis.ask(&command);
    let begin = |name: &[u8]| name.windows(4).position(|four| four == b"}:v:");
    let key = |name: &Vec<u8>| Some(EncodedKey::from_encoded(&name[begin(name)? + 4..]));
    names.iter().filter_map(key).collect()
}

#[tokio::test]
async fn builds_are_fresh_for_300_s_and_classes_for_600_s_in_the_store_itself() {
    let redis = RedisServer::start();
    let url = redis.url();
    let variables = [("REDIS_URL", url.as_str())];
    let client = TestClient::start_with(&variables).await;
    let directory = tempfile::tempdir().expect("temporary directory");
    let settings = configuration::load(Environment::of(directory.path(), variables));
    let tier = SharedTier::open(&settings.expect("settings").redis).expect("a tier");
    tier.joined().await.expect("it joins");
    let build = client.build(1, json!({ "private": false })).await;
    let hidden = client.build(1, json!({})).await;
    client.like(1, &build).await;
    let wanted: Vec<&str> = LIFETIMES.iter().map(|(cache, ..)| *cache).collect();
    let kept = async {
        loop {
            for path in [BUILDS, &build, &hidden, BOARD, OWN, LIKED] {
                client.seen(Some(1), path).await;
            }
            for path in ["", "/templar", "/templar/tags"] {
                client.seen(None, &format!("/api/v1/classes{path}")).await;
            }
            let lifetimes = lifetimes(&redis, &tier).await;
            if wanted.iter().all(|cache| lifetimes.contains_key(*cache)) {
                return lifetimes;
            }
        }
    };
    // Nobody waits for the fill of the store.
    let kept = timeout(PATIENCE, kept).await.expect("everything is in the store in time");
    for (cache, fresh, in_all) in LIFETIMES {
        let (fresh_ms, kept_ms) = kept[cache];
        // Jitter only shortens, and by a tenth at most.
        let within = |time_ms: u64, most: u64| (most * 900..=most * 1_000).contains(&time_ms);
        assert!(within(fresh_ms, fresh), "{cache} is fresh for {fresh_ms} ms");
        assert!(within(kept_ms, in_all), "{cache} is kept for {kept_ms} ms");
    }
    client.stop().await;
}

/// How long an entry of each cache is fresh and kept, in milliseconds from its load on.
async fn lifetimes(redis: &RedisServer, tier: &SharedTier) -> BTreeMap<String, (u64, u64)> {
    let keys = keys(redis);
    let shards = tier.shards();
    let read = shards[0].read(keys.clone()).await.expect("an answer");
    let mut lifetimes = BTreeMap::new();
    for (key, entry) in keys.iter().zip(read.entries) {
        let Some(entry) = entry.filter(|entry| entry.payload.is_some()) else { continue };
        let name = key.to_string();
        let cache = name.split(':').next().unwrap_or_default().to_owned();
        let since = |until: larder::shard::ServerTime| until.0.saturating_sub(entry.loaded_at.0);
        lifetimes.insert(cache, (since(entry.fresh_until), since(entry.expires_at)));
    }
    lifetimes
}
