//! Tournaments made for a test.

use arcade::http::{Route, Verb};
use serde_json::{Value, json};

use super::{Answer, TestClient};

/// What a new tournament must say, with `changes`.
pub(crate) fn new_tournament(changes: Value) -> Value {
    let mut body = json!({
        "name": "Friday Nights",
        "venueId": 7,
        "format": "SINGLE_ELIMINATION",
        "gameType": "NINE_BALL",
        "startsAtMs": 1_800_000_000_000_i64,
        "endsAtMs": 1_800_000_010_000_i64,
    });
    let fields = body.as_object_mut().expect("an object");
    fields.extend(changes.as_object().expect("an object").clone());
    body
}

impl TestClient {
    /// Sends `body` as the admin.
    pub(crate) async fn administer(&self, verb: Verb, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(verb, path, Some(&self.admin()), &body).await
    }

    /// Makes a tournament and gives its path.
    pub(crate) async fn tournament(&self, changes: Value) -> String {
        let made = self.administer(Verb::Post, "/v1/tournaments", &new_tournament(changes)).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.header("location").to_owned()
    }

    /// Makes a tournament that is open for registration, with `players` of it registered, and gives
    /// its path.
    pub(crate) async fn open_tournament(&self, players: std::ops::RangeInclusive<i64>) -> String {
        let path = self.tournament(json!({ "status": "REGISTRATION" })).await;
        for player in players {
            let token = self.player(player);
            let answer = self.send(Verb::Post, &format!("{path}/register"), Some(&token), "").await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        path
    }

    /// Makes a tournament of four players that has begun, and gives its path and those of its
    /// first two matches.
    pub(crate) async fn begun_tournament(&self) -> (String, [String; 2]) {
        let path = self.open_tournament(1..=4).await;
        let begun = self.administer(Verb::Post, &format!("{path}/start"), &Value::Null).await;
        assert_eq!(begun.status, 200, "{begun:?}");
        let matches =
            [0, 1].map(|place| format!("{path}/matches/{}", begun.json()["matches"][place]["id"]));
        (path, matches)
    }

    /// The body of a public read.
    pub(crate) async fn shown(&self, path: &str) -> Value {
        self.send(Verb::Get, path, None, "").await.json()
    }

    /// Where a good request to a route of tournaments goes, as user 2 where it is a player's, and
    /// its body.
    pub(crate) async fn good_tournament_request(&self, route: &Route) -> (String, String) {
        let tail = route.path.trim_start_matches("/v1/tournaments");
        let (path, body) = match (route.verb, tail) {
            (Verb::Post, "") => (route.path.to_owned(), new_tournament(json!({}))),
            (_, "") => (route.path.to_owned(), Value::Null),
            (_, "/venue/{venueId}") => ("/v1/tournaments/venue/7".to_owned(), Value::Null),
            (Verb::Get | Verb::Patch, "/{id}/matches/{matchId}") => {
                let (_, [first, _]) = self.begun_tournament().await;
                let change = json!({ "status": "ACTIVE" });
                (first, if route.verb == Verb::Patch { change } else { Value::Null })
            }
            (_, "/{id}/matches") => {
                (format!("{}/matches", self.begun_tournament().await.0), Value::Null)
            }
            (Verb::Get, "/{id}") => (self.begun_tournament().await.0, Value::Null),
            (Verb::Patch, "/{id}") => (self.tournament(json!({})).await, json!({ "venueId": 8 })),
            (Verb::Delete, "/{id}") => (self.tournament(json!({})).await, Value::Null),
            (_, "/{id}/register") => {
                (format!("{}/register", self.open_tournament(1..=1).await), Value::Null)
            }
            (_, action) => {
                let path = self.open_tournament(1..=4).await;
                (format!("{path}{}", action.trim_start_matches("/{id}")), Value::Null)
            }
        };
        (path, if body.is_null() { String::new() } else { body.to_string() })
    }
}
