//! Sessions as users have them.

use arcade::demo::DEMO_PASSWORD;
use arcade::http::{Route, Verb};
use serde_json::{Value, json};

use super::requests::Request;
use super::{TestClient, with_ids};

/// What a login gives.
#[derive(Debug, Clone)]
pub(crate) struct LoggedIn {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl LoggedIn {
    pub(crate) fn of(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
        LoggedIn { access: text("accessToken"), refresh: text("refreshToken") }
    }
}

/// The credentials of a user of the demo world.
pub(crate) fn credentials(user: i64) -> String {
    json!({ "email": format!("user{user}@arcade.example"), "password": DEMO_PASSWORD }).to_string()
}

impl TestClient {
    /// Begins a session.
    pub(crate) async fn logged_in(&self, user: i64) -> LoggedIn {
        let answer = self.send(Verb::Post, "/auth/login", None, &credentials(user)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        LoggedIn::of(&answer.json())
    }

    /// The number of a session.
    pub(crate) async fn session_of(&self, session: &LoggedIn) -> i64 {
        let shown = self.get("/api/auth/session", &session.access).await.json();
        shown["id"].as_i64().expect("a number")
    }

    /// A request of a session, with another one of the same user.
    pub(super) async fn session_request(&self, route: &Route) -> Request {
        let (token, path) = (self.logged_in(2).await.access, route.path);
        let path = if path.contains("{id}") {
            let other = self.logged_in(2).await;
            with_ids(path, &self.session_of(&other).await.to_string())
        } else {
            path.to_owned()
        };
        Request { verb: route.verb, path, token: Some(token), body: String::new() }
    }
}
