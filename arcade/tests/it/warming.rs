//! What is warm after a start, on demand, and over a restart.

use arcade::auth::{Role, TOKEN_LIFETIME, UserId};
use arcade::http::Verb;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::tabletop::new_system;
use crate::support::{PATIENCE, TestClient};

const PATH: &str = "/api/v1/cache/warm";

const SETS: [&str; 4] = ["active-users", "systems", "popular-rooms", "recent-assets"];

impl TestClient {
    async fn warm_sets(&self) -> Vec<Value> {
        let answer = self.get(PATH, &self.admin()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["data"].as_array().expect("sets").clone()
    }

    /// The sets once none is under way.
    async fn warmed(&self) -> Vec<Value> {
        let warmed = async {
            loop {
                let sets = self.warm_sets().await;
                if sets.iter().all(|set| set["state"] != "waiting" && set["state"] != "running") {
                    return sets;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, warmed).await.expect("warm in time")
    }

    /// Where a read of user `user` comes from.
    async fn found(&self, user: i64, path: &str) -> String {
        let answer = self.read_by(user, path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.header("x-cache").to_owned()
    }
}

fn of<'a>(sets: &'a [Value], name: &str) -> &'a Value {
    sets.iter().find(|set| set["set"] == name).unwrap_or_else(|| panic!("no {name} in {sets:?}"))
}

/// One thing of each set, and the path at which its reader finds it.
async fn furnished(client: &TestClient) -> Vec<(i64, String)> {
    let room = client.room_with(3, "Popular", &[(4, "player")]).await;
    let system = client.made_by(5, "/api/systems", &new_system(json!({}))).await;
    let asset = client.asset_by(6, json!({})).await;
    let login = json!({ "email": "user7@arcade.example", "password": arcade::demo::DEMO_PASSWORD });
    let session = client.send(Verb::Post, "/auth/login", None, &login.to_string()).await;
    assert_eq!(session.status, 200, "{session:?}");
    vec![
        (4, room),
        (1, format!("/api/systems/{system}")),
        (1, format!("/api/assets/{asset}")),
        (7, "/users/me".to_owned()),
    ]
}

#[tokio::test]
async fn after_a_start_the_first_reads_of_the_warm_sets_are_hits() {
    let client = TestClient::start().await;
    let things = furnished(&client).await;
    let left = client.stopped().await;
    let client = left.start_with(&[("CACHE_WARMING", "on")]).await;
    let sets = client.warmed().await;
    for name in SETS {
        let set = of(&sets, name);
        assert_eq!((&set["state"], &set["error"]), (&json!("done"), &Value::Null), "{set}");
        assert_eq!(set["listed"], set["loaded"], "{set}");
    }
    for (reader, path) in &things {
        assert_eq!(client.found(*reader, path).await, "HIT", "{path}");
    }
    let left = client.stopped().await;
    let client = left.start_with(&[]).await;
    assert_eq!(client.found(4, &things[0].1).await, "MISS", "a cold start finds nothing");
    client.stop().await;
}

#[tokio::test]
async fn an_admin_warms_what_they_name_and_what_is_off_cannot_be_named() {
    let client = TestClient::start_with(&[("CACHE_WARM_SYSTEMS", "0")]).await;
    let things = furnished(&client).await;
    let admin = client.admin();
    assert!(client.warm_sets().await.iter().all(|set| set["state"] == "idle"));
    let rooms = json!({ "sets": ["popular-rooms"] }).to_string();
    let begun = client.send(Verb::Post, PATH, Some(&admin), &rooms).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    let sets = client.warmed().await;
    assert_eq!(of(&sets, "popular-rooms")["state"], "done");
    assert_eq!(of(&sets, "recent-assets")["state"], "idle");
    assert_eq!(client.found(4, &things[0].1).await, "HIT");
    let off = json!({ "sets": ["systems"] }).to_string();
    let refused = client.send(Verb::Post, PATH, Some(&admin), &off).await;
    let detail = &refused.json()["details"][0];
    assert_eq!((refused.status.as_u16(), &detail["path"]), (400, &json!("sets")));
    assert_eq!(detail["limit"], "active-users, popular-rooms, recent-assets");
    // Without a body it is all of them.
    assert_eq!(client.send(Verb::Post, PATH, Some(&admin), "").await.status, 202);
    assert!(client.warmed().await.iter().all(|set| set["state"] == "done"));
    assert_eq!(client.found(7, "/users/me").await, "HIT");
    client.stop().await;
}

#[tokio::test]
async fn what_only_users_made_hot_is_warm_after_a_restart_and_shows_what_was_written_meanwhile() {
    let hot = [("CACHE_HOT_KEYS", "on")];
    let client = TestClient::start_with(&hot).await;
    let room = client.room(3, "Quiet").await;
    let other = client.room(3, "Never asked for").await;
    let build = client.get("/api/v1/classes", &client.player(1)).await;
    assert_eq!((build.status.as_u16(), client.found(8, &room).await.as_str()), (200, "MISS"));
    let left = client.stopped().await;
    let id = room.rsplit('/').next().expect("a number");
    left.execute(format!("UPDATE rooms SET players_max = 3 WHERE id = {id}")).await;
    let file = left.directory.path().join("hot-keys");
    assert!(file.exists());
    let client = left.start_with(&hot).await;
    let sets = client.warmed().await;
    let restored = of(&sets, "hot-keys");
    assert_eq!(
        (&restored["state"], &restored["error"]),
        (&json!("done"), &Value::Null),
        "{restored}"
    );
    let answer = client.read_by(8, &room).await;
    assert_eq!((answer.header("x-cache"), &answer.json()["playersMax"]), ("HIT", &json!(3)));
    assert_eq!(client.found(1, "/api/v1/classes").await, "HIT");
    assert_eq!(client.found(8, &other).await, "MISS");
    client.stop().await;
}

/// Something of each domain that nobody changes: what everybody sees, and what user 1 sees.
async fn asked_for(client: &TestClient) -> Vec<String> {
    let (tournament, [first, _]) = client.begun_tournament().await;
    let item = client.put_item(json!({ "category": "cue" })).await;
    for _ in 0..2 {
        assert_eq!(client.buy(1, item, "").await.status, 201);
    }
    let inventory = "/marketplace/inventory?limit=1";
    let head = client.read_by(1, inventory).await.json();
    let behind = head["nextCursor"].as_str().expect("two pieces").to_owned();
    let fixed = [
        "/v1/tournaments",
        "/v1/tournaments?status=ACTIVE&limit=5",
        "/v1/tournaments/venue/7",
        "/marketplace/items?category=cue",
        "/marketplace/balance",
        "/notifications?limit=5",
        "/notifications/unread-count",
        inventory,
    ];
    let own = [
        format!("{tournament}/matches"),
        tournament,
        first,
        format!("/marketplace/items/{item}"),
        format!("{inventory}&cursor={behind}"),
    ];
    fixed.into_iter().map(str::to_owned).chain(own).collect()
}

#[tokio::test]
async fn what_was_hot_of_tournaments_the_marketplace_and_notifications_is_warm_after_a_restart() {
    let hot = [("CACHE_HOT_KEYS", "on")];
    let client = TestClient::start_with(&hot).await;
    let paths = asked_for(&client).await;
    for path in &paths {
        client.found(1, path).await;
    }
    let left = client.stopped().await;
    left.execute("UPDATE tournaments SET name = 'Renamed meanwhile'".to_owned()).await;
    let client = left.start_with(&hot).await;
    let sets = client.warmed().await;
    let restored = of(&sets, "hot-keys");
    assert_eq!(
        (&restored["state"], &restored["error"]),
        (&json!("done"), &Value::Null),
        "{restored}"
    );
    for path in &paths {
        assert_eq!(client.found(1, path).await, "HIT", "{path}");
    }
    let shown = client.read_by(1, &paths[0]).await;
    assert_eq!(shown.json()["items"][0]["name"], "Renamed meanwhile", "{shown:?}");
    // What was restored carries the tags of any other load.
    let all = json!({ "bundle": "tournament", "id": 1 });
    let refreshed = client.administer(Verb::Post, "/api/v1/cache/refresh", &all).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    assert_eq!(client.found(1, &paths[0]).await, "MISS");
    client.stop().await;
}

#[tokio::test]
async fn a_damaged_file_of_hot_keys_costs_misses_and_nothing_else() {
    let hot = [("CACHE_HOT_KEYS", "on")];
    let client = TestClient::start_with(&hot).await;
    let room = client.room(3, "Quiet").await;
    assert_eq!(client.found(8, &room).await, "MISS");
    let left = client.stopped().await;
    std::fs::write(left.directory.path().join("hot-keys"), "LARDERHK, but not really")
        .expect("written");
    let client = left.start_with(&hot).await;
    let sets = client.warmed().await;
    let told = of(&sets, "hot-keys")["error"].as_str().unwrap_or_default().to_owned();
    assert!(told.contains("a format that this version does not read"), "{told}");
    assert_eq!(client.found(8, &room).await, "MISS");
    client.stop().await;
}

#[tokio::test]
async fn without_caching_nothing_is_warmed() {
    let off = [("CACHE_ENABLED", "off"), ("CACHE_WARMING", "on"), ("CACHE_HOT_KEYS", "on")];
    let client = TestClient::start_with(&off).await;
    assert_eq!(client.warm_sets().await, Vec::<Value>::new());
    let left = client.stopped().await;
    assert!(!left.directory.path().join("hot-keys").exists());
}

#[tokio::test]
async fn only_admins_warm() {
    let client = TestClient::start().await;
    let player = client.tokens.issue(UserId(1), Role::Player, TOKEN_LIFETIME).expect("token");
    for (verb, token, status) in [
        (Verb::Get, None, 401),
        (Verb::Post, None, 401),
        (Verb::Get, Some(player.as_str()), 403),
        (Verb::Post, Some(player.as_str()), 403),
    ] {
        assert_eq!(client.send(verb, PATH, token, "").await.status, status);
    }
    client.stop().await;
}
