//! What operators change.

use arcade::http::Verb;

use super::row::{Case, Mutation, Preparing, public};
use crate::support::TestClient;

pub(crate) const ROWS: &[Mutation] =
    &[Mutation { verb: Verb::Delete, path: "/api/v1/cache", case: "counters only", prepare: reset }];

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
