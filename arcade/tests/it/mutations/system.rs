//! What operators change.

use arcade::http::Verb;

use super::row::{Case, Mutation, Preparing, of_user, public};
use crate::support::TestClient;

const WARM: &str = "/api/v1/cache/warm";

pub(crate) const ROWS: &[Mutation] = &[
    Mutation { verb: Verb::Delete, path: "/api/v1/cache", case: "counters only", prepare: reset },
    Mutation { verb: Verb::Post, path: WARM, case: "none of the sets", prepare: warm },
    Mutation {
        verb: Verb::Post,
        path: "/api/v1/cache/refresh",
        case: "nothing has changed",
        prepare: refresh,
    },
];

fn reset(client: &TestClient) -> Preparing<'_> {
    Box::pin(async {
        Case {
            path: "/api/v1/cache".to_owned(),
            token: Some(client.admin()),
            body: String::new(),
            shows: Vec::new(),
            keeps: public(["/v1/tournaments"]),
        }
    })
}

/// What is read goes on after the answer, and would meet the rows that follow.
fn warm(client: &TestClient) -> Preparing<'_> {
    Box::pin(async {
        Case {
            path: WARM.to_owned(),
            token: Some(client.admin()),
            body: r#"{ "sets": [] }"#.to_owned(),
            shows: Vec::new(),
            keeps: public(["/v1/tournaments"]),
        }
    })
}

fn refresh(client: &TestClient) -> Preparing<'_> {
    Box::pin(async {
        Case {
            path: "/api/v1/cache/refresh".to_owned(),
            token: Some(client.admin()),
            body: r#"{"bundle": "user", "id": 1}"#.to_owned(),
            shows: Vec::new(),
            keeps: of_user(&client.player(2), ["/notifications", "/users/me"]),
        }
    })
}
