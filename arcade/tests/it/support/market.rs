//! Items for the tests of whatever has to do with the marketplace.

use arcade::http::{Route, Verb};
use serde_json::{Value, json};

use super::{Answer, TestClient};

/// A common item, which an admin may put on the marketplace.
pub(crate) fn item() -> Value {
    json!({
        "name": "Break Cue", "description": "Hard and straight.", "price": 250,
        "category": "cue", "image": "/images/cue.webp", "stock": 5,
    })
}

impl TestClient {
    /// Puts an item on the marketplace, which differs from a common one in `changes`.
    pub(crate) async fn put_item(&self, changes: Value) -> i64 {
        let mut item = item();
        for (name, value) in changes.as_object().expect("an object") {
            item[name] = value.clone();
        }
        let path = "/marketplace/items";
        let put = self.send(Verb::Post, path, Some(&self.admin()), &item.to_string()).await;
        assert_eq!(put.status, 201, "{put:?}");
        put.json()["id"].as_i64().expect("an id")
    }

    /// Buys one piece for `user`.
    pub(crate) async fn buy(&self, user: i64, id: i64, body: &str) -> Answer {
        let path = format!("/marketplace/items/{id}/buy");
        self.send(Verb::Post, &path, Some(&self.player(user)), body).await
    }

    /// The path and the body of a good request to `route`, if it is one of the marketplace.
    pub(crate) async fn to_market(&self, route: &Route) -> Option<(String, String)> {
        if !route.path.starts_with("/marketplace") {
            return None;
        }
        let body = match (route.verb, route.path) {
            (Verb::Post, "/marketplace/items") => item().to_string(),
            (Verb::Patch, _) => json!({ "price": 300 }).to_string(),
            _ => String::new(),
        };
        let id = self.put_item(json!({})).await.to_string();
        let path = match route.path {
            // So few that there is a next part.
            "/marketplace/inventory" => format!("{}?limit=1", route.path),
            path => path.replace("{id}", &id),
        };
        Some((path, body))
    }
}
