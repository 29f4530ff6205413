//! What the larder command says of a real Arcade: who dropped what and why, which caches there are,
//! and what is wrong when it cannot tell.

use arcade::app::App;
use arcade::auth::{Role, TOKEN_LIFETIME, Tokens, UserId};
use arcade::configuration::{self, Environment};
use arcade::server::Server;
use arcade::settings::Secret;
use arcade::shared_tier::SharedTier;
use arcade::storage::Store;
use clap::Parser;
use larder_cli::{Arguments, told};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const SECRET: &str = "a secret of tests, with more than 32 bytes";

const ITEM: &str = r#"{"name": "Cue", "description": "A cue.", "price": 100, "category": "cue",
    "image": "/cue.png", "available": true, "stock": 3, "communityItem": false}"#;

/// A server with an empty database, and an admin's token.
struct Arcade {
    url: String,
    token: String,
    player: String,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    _directory: TempDir,
}

impl Arcade {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        let variables =
            [("ARCADE_PROFILE", "test"), ("ARCADE_DATA", "."), ("JWT_SECRET", SECRET), ("PORT", "0")];
        let environment = Environment::of(directory.path(), variables);
        let settings = configuration::load(environment).expect("good settings");
        let store = Store::open(&settings.database, &settings.data).await.expect("open");
        store.migrate().await.expect("migrate");
        let secret = Secret::new(SECRET);
        let stop = CancellationToken::new();
        let tier = SharedTier::open(&settings.redis).expect("a tier");
        let app = App::build(&settings, &secret, store, tier, stop.child_token()).expect("app");
        let server = Server::listen(&settings.http).await.expect("listen");
        let tokens = Tokens::new(&secret);
        let issue = |role| tokens.issue(UserId(1), role, TOKEN_LIFETIME).expect("a token");
        Arcade {
            url: format!("http://{}", server.address()),
            token: issue(Role::Admin),
            player: issue(Role::Player),
            stop: stop.clone(),
            serving: TaskTracker::new().spawn(server.run(app, stop)),
            _directory: directory,
        }
    }

    /// Puts an item on the marketplace.
    async fn change(&self) {
        let url = format!("{}/marketplace/items", self.url);
        let bearer = format!("Bearer {}", self.token);
        let posted = tokio::task::spawn_blocking(move || {
            let request = ureq::post(url).header("authorization", bearer);
            request.header("content-type", "application/json").send(ITEM)
        });
        assert_eq!(posted.await.expect("it ran").expect("answered").status().as_u16(), 201);
    }

    /// What the command says with these words, asked with an admin's token.
    async fn told(&self, words: &[&str]) -> anyhow::Result<String> {
        let token = self.token.clone();
        self.told_with(&token, words).await
    }

    async fn told_with(&self, token: &str, words: &[&str]) -> anyhow::Result<String> {
        let all = ["larder", "--url", &self.url, "--token", token];
        let arguments = Arguments::try_parse_from(all.iter().chain(words))?;
        tokio::task::spawn_blocking(move || told(&arguments)).await?
    }

    async fn end(self) {
        self.stop.cancel();
        self.serving.await.expect("it ends");
    }
}

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
    arcade.end().await;
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
