//! Who registers, logs in or goes on with a session changes nothing that is cached.

use arcade::demo::DEMO_PASSWORD;
use arcade::http::Verb;
use serde_json::{Value, json};

use super::row::{Case, Mutation, of_user};
use crate::support::TestClient;

pub(crate) const ROWS: &[Mutation] = &[
    Mutation {
        verb: Verb::Post,
        path: "/auth/register",
        case: "a new user",
        prepare: |client| Box::pin(async { anonymous(client, "/auth/register", newcomer()) }),
    },
    Mutation {
        verb: Verb::Post,
        path: "/auth/login",
        case: "a known user",
        prepare: |client| Box::pin(async { anonymous(client, "/auth/login", known()) }),
    },
    Mutation {
        verb: Verb::Post,
        path: "/auth/refresh",
        case: "a session that has begun",
        prepare: |client| Box::pin(async { anonymous(client, "/auth/refresh", begun(client).await) }),
    },
];

fn newcomer() -> Value {
    json!({ "name": "Ada", "email": "ada@example.org", "password": "12345678" })
}

fn known() -> Value {
    json!({ "email": "user1@arcade.example", "password": DEMO_PASSWORD })
}

async fn begun(client: &TestClient) -> Value {
    let session = client.send(Verb::Post, "/auth/login", None, &known().to_string()).await;
    json!({ "refreshToken": session.json()["refreshToken"] })
}

fn anonymous(client: &TestClient, path: &str, body: Value) -> Case {
    let keeps = of_user(&client.player(1), ["/users/me", "/marketplace/balance", "/notifications"]);
    Case { path: path.to_owned(), token: None, body: body.to_string(), shows: Vec::new(), keeps }
}
