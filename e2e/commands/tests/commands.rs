//! What the larder command says of a real Arcade: who dropped what and why, which caches there are,
//! and what is wrong when it cannot tell.

use std::collections::BTreeSet;

use arcade::app::route_table;
use larder_commands::Arcade;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_what_a_change_has_dropped_newest_first() {
    let arcade = Arcade::start().await;
    assert_eq!(arcade.told(&["log"]).await.expect("answered").lines().count(), 1, "only the head");
    arcade.change().await;
    arcade.change().await;
    let table = arcade.told(&["log"]).await.expect("answered");
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains("prefix market-items:some:Cue") && table.contains(&arcade.url), "{table}");
    let one = arcade.told(&["log", "--last", "1", "--json"]).await.expect("answered");
    let row: Value = serde_json::from_str(&one).expect("one document");
    assert_eq!((&row["number"], &row["soft"]), (&Value::from(2), &Value::from(false)), "{row}");
    assert!(row["position"].is_string(), "{row}");
    assert_eq!((&row["by"], &row["because"]), (&"user 1".into(), &"POST /marketplace/items".into()));
    let old = arcade.told(&["log", "--until", "1h"]).await.expect("answered");
    assert_eq!(old.lines().count(), 1, "nothing is an hour old:\n{old}");
    arcade.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalogue_shows_every_cache_with_its_keys_and_times() {
    let arcade = Arcade::start().await;
    let table = arcade.told(&["catalogue"]).await.expect("answered");
    let items = table.lines().find(|line| line.starts_with("market-item:{id} "));
    let items = items.unwrap_or_else(|| panic!("no such cache in\n{table}"));
    assert!(items.contains("300 s") && items.contains("json, lz4 from 1024 bytes"), "{items}");
    let rows = arcade.told(&["catalogue", "--json"]).await.expect("answered");
    let rows: Vec<Value> = serde_json::from_str(&rows).expect("one document");
    assert_eq!(rows.len() + 1, table.lines().count());
    let shown: BTreeSet<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(shown.len(), rows.len(), "a cache is shown twice:\n{table}");
    assert_eq!(shown, planned());
    arcade.end().await;
}

/// The caches that the routes of the server answer from, or drop entries of.
fn planned() -> BTreeSet<&'static str> {
    let plans = route_table().into_iter().flat_map(|route| [route.cached, route.drops].concat());
    plans.map(|plan| plan.name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_drops_a_bundle_and_the_log_says_why() {
    let arcade = Arcade::start().await;
    let words = ["refresh", "user", "1", "--why", "paid by hand"];
    let text = arcade.told(&words).await.expect("answered");
    assert!(text.starts_with(&arcade.url) && text.contains("dropped everywhere, at "), "{text}");
    let log = arcade.told(&["log", "--last", "1"]).await.expect("answered");
    assert!(log.contains("paid by hand"), "{log}");
    let error = arcade.told(&["refresh", "casino"]).await.expect_err("no such thing");
    assert!(error.to_string().contains("liked-builds"), "the list of bundles: {error}");
    arcade.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn warm_sets_are_begun_waited_for_and_shown() {
    let arcade = Arcade::start().await;
    let idle = arcade.told(&["warm", "--status"]).await.expect("answered");
    assert_eq!(idle.matches(" idle ").count(), 4, "{idle}");
    let one = arcade.told(&["warm", "--set", "systems", "--wait"]).await.expect("answered");
    let states = (one.matches(" done ").count(), one.matches(" idle ").count());
    assert_eq!(states, (1, 3), "{one}");
    let all = arcade.told(&["warm", "--wait", "--json"]).await.expect("answered");
    let all: Value = serde_json::from_str(&all).expect("one document");
    let sets = all[0]["sets"].as_array().expect("the sets of the server");
    assert!(sets.len() == 4 && sets.iter().all(|set| set["state"] == "done"), "{all}");
    let error = arcade.told(&["warm", "--set", "sytems"]).await.expect_err("no such set");
    assert!(error.to_string().contains("there is no warm set `sytems`"), "{error}");
    arcade.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_told_is_named() {
    let arcade = Arcade::start().await;
    let error = arcade.told_with("nonsense", &["log"]).await.expect_err("no token");
    assert!(error.to_string().contains("does not take the token (401)"), "{error}");
    let player = arcade.player.clone();
    let error = arcade.told_with(&player, &["log"]).await.expect_err("no admin");
    assert!(error.to_string().contains("does not take the token (403)"), "{error}");
    let error = arcade.told(&["log", "--last", "1001"]).await.expect_err("too many");
    assert!(error.to_string().contains("1001"), "{error}");
    let nobody = ["--url", "http://127.0.0.1:1", "log"];
    let error = arcade.told(&nobody).await.expect_err("nobody is there");
    assert!(error.to_string().contains("http://127.0.0.1:1 does not answer"), "{error:#}");
    arcade.end().await;
}
