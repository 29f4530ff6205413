//! For each route a request that it takes.

use arcade::demo::DEMO_PASSWORD;
use arcade::http::{Access, Route, Verb};
use serde_json::json;

use super::{Answer, TestClient, with_ids};

/// A request that nothing is wrong with.
pub(crate) struct Request {
    verb: Verb,
    path: String,
    token: Option<String>,
    body: String,
}

impl TestClient {
    /// A request that `route` takes, with all that it needs to be there.
    pub(crate) async fn good_request(&self, route: &Route) -> Request {
        let token = match route.access {
            Access::User => Some(self.player(2)),
            _ => self.fitting(route),
        };
        let good = match (self.to_market(route).await, self.to_tabletop(route).await) {
            (Some(good), _) | (None, Some(good)) => Some(good),
            (None, None) => self.to_builds(route).await,
        };
        let (path, body) = match good {
            Some(good) => good,
            None if route.path.starts_with("/v1/tournaments") => {
                self.good_tournament_request(route).await
            }
            None => {
                let id = self.unread_of(2).await.to_string();
                (with_ids(route.path, &id), body_of(route))
            }
        };
        Request { verb: route.verb, path, token, body }
    }

    /// The answer to `request`.
    pub(crate) async fn asked(&self, request: &Request) -> Answer {
        let Request { verb, path, token, body } = request;
        self.send(*verb, path, token.as_deref(), body).await
    }
}

fn body_of(route: &Route) -> String {
    let login = json!({ "email": "user2@arcade.example", "password": DEMO_PASSWORD });
    let body = match route.path {
        "/auth/register" => {
            json!({ "name": "Ada", "email": "ada@example.org", "password": "12345678" })
        }
        "/auth/login" => login,
        "/api/v1/cache/refresh" => json!({ "bundle": "user", "id": 2 }),
        // What is read goes on after the answer, and would be found by the requests that follow.
        "/api/v1/cache/warm" => json!({ "sets": [] }),
        // Nobody made it, so what comes of it is a refusal.
        "/auth/refresh" => json!({ "refreshToken": "0".repeat(64) }),
        _ => return String::new(),
    };
    body.to_string()
}
