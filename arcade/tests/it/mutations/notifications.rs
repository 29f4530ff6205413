//! What users change about their notifications.

use arcade::http::Verb;

use super::row::{Case, Mutation, Preparing, of_user};
use crate::support::TestClient;

pub(crate) const ROWS: &[Mutation] = &[
    Mutation {
        verb: Verb::Patch,
        path: "/notifications/{id}/read",
        case: "an unread one",
        prepare: |client| Box::pin(async { on_one(client, "/read").await }),
    },
    Mutation {
        verb: Verb::Delete,
        path: "/notifications/{id}",
        case: "an unread one",
        prepare: |client| Box::pin(async { on_one(client, "").await }),
    },
    Mutation {
        verb: Verb::Post,
        path: "/notifications/read-all",
        case: "some of them unread",
        prepare: read_all,
    },
];

fn read_all(client: &TestClient) -> Preparing<'_> {
    Box::pin(async { on(client, "/notifications/read-all".to_owned()) })
}

async fn on_one(client: &TestClient, action: &str) -> Case {
    let id = client.unread_of(1).await;
    on(client, format!("/notifications/{id}{action}"))
}

fn on(client: &TestClient, path: String) -> Case {
    let (one, two) = (client.player(1), client.player(2));
    let reads = ["/notifications?limit=100", "/notifications/unread-count"];
    Case {
        path,
        shows: of_user(&one, reads),
        keeps: of_user(&two, reads),
        token: Some(one),
        body: String::new(),
    }
}
