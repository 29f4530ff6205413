//! What an admin drops as one: the reads that it is made of, and no others.

use std::collections::BTreeSet;

use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::TestClient;
use crate::support::builds::{BOARD, BUILDS, LIKED, OWN, new_build};
use crate::support::sessions::LoggedIn;

const REFRESH: &str = "/api/v1/cache/refresh";

/// Something of everything that is cached, each thing with a name.
struct World {
    room: i64,
    asset: i64,
    system: i64,
    tournament: String,
    item: i64,
    build: String,
    /// One of user 1, and one of user 2.
    sessions: [LoggedIn; 2],
}

/// A read with its name, and the token of its reader.
type Named = (&'static str, String, String);

impl World {
    async fn of(client: &TestClient) -> Self {
        let number = |path: &str| path.rsplit('/').next().and_then(|id| id.parse::<i64>().ok());
        let room = number(&client.room(1, "Bundled").await).expect("a number");
        let system = crate::support::tabletop::new_system(json!({ "public": true }));
        World {
            room,
            asset: client.asset_by(1, json!({ "roomId": room })).await,
            system: client.made_by(1, "/api/systems", &system).await,
            tournament: client.tournament(json!({})).await,
            item: client.put_item(json!({})).await,
            build: client.build(1, new_build(json!({ "private": false }))).await,
            sessions: [client.logged_in(1).await, client.logged_in(2).await],
        }
    }

    /// Those of user 1, and a few of user 2. A list comes after what it is made of, which it would
    /// load.
    fn reads(&self, client: &TestClient) -> Vec<Named> {
        let World { room, asset, system, tournament, item, build, sessions } = self;
        let of_one = [
            ("account", "/users/me".to_owned()),
            ("balance", "/marketplace/balance".to_owned()),
            ("inventory", "/marketplace/inventory".to_owned()),
            ("sessions", "/api/auth/sessions".to_owned()),
            ("notifications", "/notifications".to_owned()),
            ("own rooms", "/api/user/1/rooms".to_owned()),
            ("room", format!("/api/rooms/{room}")),
            ("room by name", "/api/rooms/Bundled".to_owned()),
            ("room players", format!("/api/rooms/{room}/players")),
            ("asset", format!("/api/assets/{asset}")),
            ("room assets", format!("/api/rooms/{room}/assets")),
            ("system", format!("/api/systems/{system}")),
            ("systems", "/api/systems".to_owned()),
            ("tournament", tournament.clone()),
            ("tournaments", "/v1/tournaments".to_owned()),
            ("item", format!("/marketplace/items/{item}")),
            ("items", "/marketplace/items".to_owned()),
            ("build", build.clone()),
            ("builds", BUILDS.to_owned()),
            ("own builds", OWN.to_owned()),
            ("liked builds", LIKED.to_owned()),
            ("board", BOARD.to_owned()),
            ("classes", "/api/v1/classes".to_owned()),
        ];
        let of_two = [
            ("notifications of another", "/notifications"),
            ("own builds of another", OWN),
            ("account of another", "/users/me"),
            ("inventory of another", "/marketplace/inventory"),
            ("sessions of another", "/api/auth/sessions"),
        ];
        // Every other request in a session would read it before.
        let in_session = ["session", "session of another"].into_iter().zip(sessions);
        let in_session = in_session
            .map(|(name, session)| (name, session.access.clone(), "/api/auth/session".to_owned()));
        let one = of_one.into_iter().map(|(name, path)| (name, client.player(1), path));
        let two = of_two.map(|(name, path)| (name, client.player(2), path.to_owned()));
        in_session.chain(one).chain(two).collect()
    }

    /// The names of the reads that are no hits.
    async fn missing(&self, client: &TestClient) -> BTreeSet<&'static str> {
        let mut missing = BTreeSet::new();
        for (name, token, path) in self.reads(client) {
            let answer = client.get(&path, &token).await;
            assert!(answer.status.is_success(), "{name}: {answer:?}");
            if answer.header("x-cache") != "HIT" {
                missing.insert(name);
            }
        }
        missing
    }
}

#[tokio::test]
async fn a_bundle_drops_all_that_is_cached_of_a_thing_and_nothing_else() {
    let client = TestClient::start().await;
    let world = World::of(&client).await;
    let World { room, asset, system, item, .. } = &world;
    let number = |path: &str| path.rsplit('/').next().and_then(|id| id.parse::<i64>().ok());
    let (tournament, build) = (number(&world.tournament), number(&world.build));
    let of_user = [
        "account",
        "balance",
        "inventory",
        "session",
        "sessions",
        "notifications",
        "own rooms",
        "own builds",
        "liked builds",
    ];
    let of_room: &[&str] =
        &["room", "room by name", "room players", "room assets", "asset", "own rooms"];
    let bundles: Vec<(&str, Option<i64>, &[&str])> = vec![
        ("user", Some(1), &of_user),
        ("sessions", Some(1), &["session", "sessions"]),
        ("room", Some(*room), of_room),
        ("asset", Some(*asset), &["asset", "room assets"]),
        ("system", Some(*system), &["system", "systems"]),
        ("tournament", tournament, &["tournament", "tournaments"]),
        ("item", Some(*item), &["item", "items"]),
        ("build", build, &["build"]),
        ("user-builds", Some(1), &["own builds"]),
        ("liked-builds", Some(1), &["liked builds"]),
        ("listings", None, &["builds"]),
        ("leaderboards", None, &["board"]),
        ("classes", None, &["classes"]),
    ];
    for (bundle, id, dropped) in bundles {
        world.missing(&client).await;
        assert_eq!(world.missing(&client).await, BTreeSet::new(), "before {bundle}");
        let answer = refresh(&client, &body(bundle, id, None)).await;
        assert_eq!(answer["success"], true, "{bundle}: {answer}");
        assert!(answer["data"]["position"].is_string(), "{bundle}: {answer}");
        let missing = world.missing(&client).await;
        assert_eq!(missing, dropped.iter().copied().collect(), "{bundle}");
    }
    client.stop().await;
}

#[tokio::test]
async fn what_was_changed_behind_the_servers_back_shows_after_a_refresh_and_the_log_says_why() {
    let client = TestClient::start().await;
    let (one, admin) = (client.player(1), client.admin());
    let before = client.get("/marketplace/balance", &one).await.text;
    client
        .execute("UPDATE users SET balance_minor = balance_minor + 5 WHERE id = 1".to_owned())
        .await;
    assert_eq!(client.get("/marketplace/balance", &one).await.text, before);
    refresh(&client, &body("user", Some(1), Some("paid by hand"))).await;
    assert_ne!(client.get("/marketplace/balance", &one).await.text, before);
    let log = client.get("/api/v1/cache/log?last=1", &admin).await.json();
    assert_eq!(log["data"][0]["because"], "paid by hand", "{log}");
    client.stop().await;
}

#[tokio::test]
async fn a_bundle_that_is_not_there_is_refused_by_name() {
    let client = TestClient::start().await;
    for (body, field) in [
        (json!({}), "bundle"),
        (json!({ "bundle": "casino" }), "bundle"),
        (json!({ "bundle": "room" }), "id"),
        (json!({ "bundle": "room", "id": 0 }), "id"),
        (json!({ "bundle": "classes", "id": 1 }), "id"),
        (json!({ "bundle": "classes", "why": "" }), "why"),
        (json!({ "bundle": "classes", "since": 1 }), "since"),
    ] {
        let answer = refresh(&client, &body).await;
        assert_eq!(answer["details"][0]["path"], field, "{body}: {answer}");
    }
    client.stop().await;
}

fn body(bundle: &str, id: Option<i64>, why: Option<&str>) -> Value {
    let mut body = json!({ "bundle": bundle });
    if let Some(id) = id {
        body["id"] = json!(id);
    }
    if let Some(why) = why {
        body["why"] = json!(why);
    }
    body
}

async fn refresh(client: &TestClient, body: &Value) -> Value {
    client.administer(Verb::Post, REFRESH, body).await.json()
}
