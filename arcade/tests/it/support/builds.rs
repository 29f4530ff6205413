//! Builds and classes for the tests of whatever has to do with the build planner.

use arcade::http::{Route, Verb};
use serde_json::{Value, json};

use super::{Answer, TestClient};

/// Where builds are.
pub(crate) const BUILDS: &str = "/api/v1/builds";

/// Where users find their own.
pub(crate) const OWN: &str = "/api/v1/users/me/builds";

/// Where users find what they like.
pub(crate) const LIKED: &str = "/api/v1/users/me/liked";

/// Where the most liked ones are.
pub(crate) const BOARD: &str = "/api/v1/leaderboards/builds";

/// A good build with something of everything, which differs from a common one in `changes`.
pub(crate) fn new_build(changes: Value) -> Value {
    let mut body = json!({
        "name": "Duel Assassin",
        "classId": 1,
        "abilities": [{ "abilityId": 1, "level": 12, "choices": [11, 12], "chains": [2] }],
        "passives": [{ "passiveId": 3, "level": 5 }],
        "stigmas": [{ "stigmaId": 2, "level": 8, "choices": [21] }],
        "daevanion": { "nezekan": [1, 2, 3], "azphel": [7] },
        "shortcuts": [{ "slot": 1, "type": "ability", "skillId": 1, "label": "Opener" }],
    });
    let fields = body.as_object_mut().expect("an object");
    fields.extend(changes.as_object().expect("an object").clone());
    body
}

/// What an admin says of a class.
pub(crate) fn new_class(changes: Value) -> Value {
    let picture = "/images/classes/bard.webp";
    let mut body = json!({
        "description": "Sings.", "icon": picture, "banner": picture, "characterImage": picture,
        "tags": ["support", "heal"],
        "abilities": [{ "id": 1, "name": "Song", "icon": picture, "chains": [1],
            "choices": [{ "id": 11, "unlockLevel": 8 }] }],
        "passives": [{ "id": 1, "name": "Ear", "icon": picture, "maxLevel": 10 }],
        "stigmas": [{ "id": 1, "name": "Drum", "icon": picture }],
    });
    let fields = body.as_object_mut().expect("an object");
    fields.extend(changes.as_object().expect("an object").clone());
    body
}

/// The names in a list.
pub(crate) fn names(answer: &Answer) -> Vec<String> {
    let answer = answer.json();
    let listed = answer["data"].as_array().expect("a list").iter();
    listed.map(|build| build["name"].as_str().expect("a name").to_owned()).collect()
}

impl TestClient {
    /// Makes a build of `user` and gives its path.
    pub(crate) async fn build(&self, user: i64, changes: Value) -> String {
        let body = new_build(changes).to_string();
        let made = self.send(Verb::Post, BUILDS, Some(&self.player(user)), &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.header("location").to_owned()
    }

    /// Changes a build as `user`.
    pub(crate) async fn rebuild(&self, user: i64, path: &str, change: Value) -> Answer {
        self.send(Verb::Patch, path, Some(&self.player(user)), &change.to_string()).await
    }

    /// Toggles the like of `user`.
    pub(crate) async fn like(&self, user: i64, path: &str) -> Answer {
        self.send(Verb::Post, &format!("{path}/like"), Some(&self.player(user)), "").await
    }

    /// Puts a class as the admin.
    pub(crate) async fn put_class(&self, name: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/classes/{name}");
        self.send(Verb::Put, &path, Some(&self.admin()), &body.to_string()).await
    }

    /// What an answer is to `user`, or to somebody without a token.
    pub(crate) async fn seen(&self, user: Option<i64>, path: &str) -> Answer {
        let token = user.map(|user| self.player(user));
        self.send(Verb::Get, path, token.as_deref(), "").await
    }

    /// The path and the body of a good request of user 2 to `route`, if it is one of the planner.
    pub(crate) async fn to_builds(&self, route: &Route) -> Option<(String, String)> {
        const PLACES: [&str; 4] = [BUILDS, "/api/v1/classes", "/api/v1/users", BOARD];
        if !PLACES.iter().any(|place| route.path.starts_with(place)) {
            return None;
        }
        let made = self.build(2, json!({ "private": false })).await;
        if [BOARD, LIKED].contains(&route.path) {
            assert_eq!(self.like(2, &made).await.status, 200);
        }
        let body = match (route.verb, route.path) {
            (Verb::Post, BUILDS) => new_build(json!({})),
            (Verb::Patch, _) => json!({ "name": "Another name" }),
            (Verb::Put, path) if path.ends_with("daevanion") => json!({ "zikel": [1] }),
            (Verb::Put, _) => new_class(json!({})),
            _ => Value::Null,
        };
        let path = route.path.replace("/api/v1/builds/{id}", &made).replace("{name}", "templar");
        Some((path, if body.is_null() { String::new() } else { body.to_string() }))
    }
}
