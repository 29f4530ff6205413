//! Rooms, assets and game systems made for a test.

use arcade::http::{Route, Verb};
use serde_json::{Value, json};

use super::{Answer, TestClient};

/// `body` with `changes` in it.
pub(crate) fn with(mut body: Value, changes: Value) -> Value {
    let fields = body.as_object_mut().expect("an object");
    fields.extend(changes.as_object().expect("an object").clone());
    body
}

/// A common asset, which anybody may bring.
pub(crate) fn new_asset(changes: Value) -> Value {
    let asset = json!({
        "name": "Goblin", "type": "token", "path": "/images/goblin.webp",
        "fileName": "goblin.webp", "sizeBytes": 2_048, "mimeType": "image/webp",
        "width": 50, "height": 50, "public": true,
    });
    with(asset, changes)
}

/// A common game system or template, which anybody may make.
pub(crate) fn new_system(changes: Value) -> Value {
    let system = json!({
        "name": "Caves of Chalk", "description": "A crawl for four.", "category": "roleplaying",
        "complexity": "medium", "public": true, "rules": "Each in turn.",
        "setup": { "round": 1 }, "board": { "width": 1_000, "grid": "hex" },
    });
    with(system, changes)
}

impl TestClient {
    /// Sends `body` as a user.
    pub(crate) async fn as_player(&self, user: i64, verb: Verb, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(verb, path, Some(&self.player(user)), &body).await
    }

    /// The same where it makes something, whose number it gives.
    pub(crate) async fn made_by(&self, user: i64, path: &str, body: &Value) -> i64 {
        let made = self.as_player(user, Verb::Post, path, body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()["id"].as_i64().expect("an id")
    }

    /// What a user reads.
    pub(crate) async fn read_by(&self, user: i64, path: &str) -> Answer {
        self.get(path, &self.player(user)).await
    }

    /// Makes a room of user `owner` and gives its path. The owner is there as its admin.
    pub(crate) async fn room(&self, owner: i64, name: &str) -> String {
        format!("/api/rooms/{}", self.made_by(owner, "/api/rooms", &json!({ "name": name })).await)
    }

    /// The same with further users in it, each in the seat of that name.
    pub(crate) async fn room_with(&self, owner: i64, name: &str, seated: &[(i64, &str)]) -> String {
        let room = self.room(owner, name).await;
        for (user, seat) in seated {
            let as_observer = json!({ "role": "observer" });
            let join = format!("{room}/join");
            let joined = self.as_player(*user, Verb::Post, &join, &as_observer).await;
            assert_eq!(joined.status, 201, "{joined:?}");
            let player = format!("{room}/players/{user}");
            let role = json!({ "role": seat });
            let changed = self.as_player(owner, Verb::Patch, &player, &role).await;
            assert_eq!(changed.status, 200, "{changed:?}");
        }
        room
    }

    /// Keeps an asset of a user, which differs from a common one in `changes`.
    pub(crate) async fn asset_by(&self, user: i64, changes: Value) -> i64 {
        self.made_by(user, "/api/assets", &new_asset(changes)).await
    }

    /// Puts an asset of a user on the board of a room and gives the path of the piece.
    pub(crate) async fn piece_by(&self, user: i64, room: &str, changes: Value) -> String {
        let asset = self.asset_by(user, json!({})).await;
        let piece = with(json!({ "assetId": asset, "x": 10, "y": 20 }), changes);
        let pieces = format!("{room}/board-assets");
        format!("{pieces}/{}", self.made_by(user, &pieces, &piece).await)
    }

    /// The path and the body of a good request of user 2 to `route`, if it is one of the tabletop.
    pub(crate) async fn to_tabletop(&self, route: &Route) -> Option<(String, String)> {
        let tail = route.path.strip_prefix("/api/")?;
        let (path, body) = match tail.split('/').next() {
            Some("rooms") => self.to_room(route, tail.trim_start_matches("rooms")).await,
            Some("user") => ("/api/user/2/rooms".to_owned(), Value::Null),
            Some("assets") => self.to_asset(route, tail.trim_start_matches("assets")).await,
            Some("systems" | "templates") => self.to_system(route).await,
            _ => return None,
        };
        Some((path, if body.is_null() { String::new() } else { body.to_string() }))
    }

    async fn to_room(&self, route: &Route, tail: &str) -> (String, Value) {
        let name = format!("{} {}", route.verb.name(), tail.replace(['/', '{', '}'], " ").trim());
        let name = format!("For {}", name.trim());
        if (route.verb, tail) == (Verb::Post, "") {
            return (route.path.to_owned(), json!({ "name": name }));
        }
        let room = self.room_with(2, &name, &[(3, "player")]).await;
        let piece = self.piece_by(2, &room, json!({})).await;
        let number = room.rsplit('/').next().expect("a number");
        let in_room = json!({ "roomId": number.parse::<i64>().expect("a number") });
        let asset = self.asset_by(2, in_room).await;
        let label = json!({
            "name": name, "description": "As it was.", "category": "board", "complexity": "simple",
        });
        match (route.verb, tail) {
            (_, "") => (format!("/api/rooms?ids={number},999"), Value::Null),
            (Verb::Patch, "/{id}") => (room, json!({ "playersMax": 4 })),
            (_, "/{id}/board") => (format!("{room}/board"), json!({ "gameState": { "turn": 2 } })),
            (Verb::Post, "/{id}/board-assets") => {
                (format!("{room}/board-assets"), json!({ "assetId": asset, "x": 1, "y": 2 }))
            }
            (Verb::Patch, "/{id}/board-assets/{boardAssetId}") => (piece, json!({ "x": 5 })),
            (_, "/{id}/board-assets/{boardAssetId}") => (piece, Value::Null),
            (_, "/{id}/join") => {
                (format!("{}/join", self.room(4, &name.replace("For", "Of")).await), Value::Null)
            }
            (_, "/{id}/leave") => {
                let other = self.room_with(4, &name.replace("For", "Of"), &[(2, "player")]).await;
                (format!("{other}/leave"), Value::Null)
            }
            (Verb::Patch, "/{id}/players/{userId}") => {
                (format!("{room}/players/3"), json!({ "score": 7 }))
            }
            (_, "/{id}/players/{userId}") => (format!("{room}/players/3"), Value::Null),
            (_, "/{id}/template") => (format!("{room}/template"), label),
            (_, tail) => (format!("{room}{}", tail.trim_start_matches("/{id}")), Value::Null),
        }
    }

    async fn to_asset(&self, route: &Route, tail: &str) -> (String, Value) {
        if (route.verb, tail) == (Verb::Post, "") {
            return (route.path.to_owned(), new_asset(json!({})));
        }
        let asset = self.asset_by(2, json!({ "tags": ["green"] })).await;
        match tail {
            "" => (format!("/api/assets?ids={asset},999"), Value::Null),
            _ => (format!("/api/assets/{asset}"), Value::Null),
        }
    }

    async fn to_system(&self, route: &Route) -> (String, Value) {
        let list = route.path.split("/{id}").next().expect("a list");
        if route.path == list {
            let new = new_system(json!({ "tags": ["caves"] }));
            return (list.to_owned(), if route.verb == Verb::Post { new } else { Value::Null });
        }
        let system = self.made_by(2, list, &new_system(json!({ "tags": ["caves"] }))).await;
        let path = route.path.replace("{id}", &system.to_string());
        if path.ends_with("/rating") {
            let other = self.made_by(3, list, &new_system(json!({}))).await;
            let stars = json!({ "stars": 4 });
            let body = if route.verb == Verb::Put { stars } else { Value::Null };
            return (route.path.replace("{id}", &other.to_string()), body);
        }
        if !path.ends_with("/apply") {
            let change = json!({ "name": "Deeper Caves" });
            return (path, if route.verb == Verb::Patch { change } else { Value::Null });
        }
        let room = self.room(2, &format!("For {}", list.trim_start_matches("/api/"))).await;
        let number: i64 = room.rsplit('/').next().expect("a number").parse().expect("a number");
        (path, json!({ "roomId": number }))
    }
}
