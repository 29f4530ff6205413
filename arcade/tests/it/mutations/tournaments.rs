//! What admins and players change about tournaments. Those of this file are played at venue 7.

use arcade::http::Verb;
use serde_json::{Value, json};

use super::row::{Case, Mutation, Read, public};
use crate::support::TestClient;
use crate::support::tournaments::new_tournament;

macro_rules! rows {
    ($($verb:ident $path:literal, $case:literal: $prepare:ident,)+) => {
        pub(crate) const ROWS: &[Mutation] = &[$(Mutation {
            verb: Verb::$verb,
            path: $path,
            case: $case,
            prepare: |client| Box::pin($prepare(client)),
        },)+];
    };
}

rows! {
    Post "/v1/tournaments", "one that was asked for before": create,
    Patch "/v1/tournaments/{id}", "its name": rename,
    Patch "/v1/tournaments/{id}", "its status": open,
    Patch "/v1/tournaments/{id}", "its venue": relocate,
    Patch "/v1/tournaments/{id}", "called off while it is played": call_off,
    Delete "/v1/tournaments/{id}", "one without players": delete,
    Post "/v1/tournaments/{id}/start", "with four players": start,
    Post "/v1/tournaments/{id}/register", "a free place": register,
    Post "/v1/tournaments/{id}/unregister", "a taken place": unregister,
    Delete "/v1/tournaments/{id}/unregister", "a taken place": unregister_by_delete,
    Patch "/v1/tournaments/{id}/matches/{matchId}", "its first score": score,
}

/// The lists that show tournaments of venue 7 with this status.
fn lists(status: &str) -> Vec<Read> {
    public([
        "/v1/tournaments".to_owned(),
        "/v1/tournaments?limit=5&page=2".to_owned(),
        "/v1/tournaments?venueId=7".to_owned(),
        "/v1/tournaments/venue/7?limit=5".to_owned(),
        format!("/v1/tournaments?status={status}"),
        format!("/v1/tournaments/venue/7?status={status}"),
    ])
}

/// Lists that show no tournament of this file, at any time.
fn other_lists() -> Vec<Read> {
    public([
        "/v1/tournaments?status=LIVE",
        "/v1/tournaments/venue/9",
        "/v1/tournaments?venueId=9&status=ACTIVE",
    ])
}

/// What shows another tournament.
async fn another(client: &TestClient) -> Vec<Read> {
    let (path, [first, second]) = client.begun_tournament().await;
    public([format!("{path}/matches"), path, first, second])
}

fn by_admin(client: &TestClient, path: String, body: &Value) -> Case {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Case { path, token: Some(client.admin()), body, shows: Vec::new(), keeps: Vec::new() }
}

fn joined(reads: impl IntoIterator<Item = Vec<Read>>) -> Vec<Read> {
    reads.into_iter().flatten().collect()
}

async fn create(client: &TestClient) -> Case {
    let keeps = joined([another(client).await, other_lists()]);
    let last = client.tournament(json!({})).await;
    let number: i64 = last.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number");
    let next = format!("/v1/tournaments/{}", number + 1);
    let shows = joined([lists("UPCOMING"), public([format!("{next}/matches"), next])]);
    let body = new_tournament(json!({}));
    Case { shows, keeps, ..by_admin(client, "/v1/tournaments".to_owned(), &body) }
}

async fn rename(client: &TestClient) -> Case {
    let keeps = joined([another(client).await, other_lists()]);
    let path = client.tournament(json!({})).await;
    let shows = joined([
        public(["/v1/tournaments", "/v1/tournaments/venue/7", "/v1/tournaments?status=UPCOMING"]),
        public([path.clone()]),
    ]);
    let keeps = joined([keeps, public([format!("{path}/matches")])]);
    let keeps = joined([keeps, public(["/v1/tournaments?status=REGISTRATION"])]);
    Case { shows, keeps, ..by_admin(client, path, &json!({ "name": "Saturday Nights" })) }
}

async fn open(client: &TestClient) -> Case {
    let keeps = joined([another(client).await, other_lists()]);
    let path = client.tournament(json!({})).await;
    let shows = joined([
        public(["/v1/tournaments", "/v1/tournaments?venueId=7"]),
        public(["/v1/tournaments?status=UPCOMING", "/v1/tournaments?status=REGISTRATION"]),
        public([path.clone()]),
    ]);
    let keeps = joined([keeps, public([format!("{path}/matches")])]);
    Case { shows, keeps, ..by_admin(client, path, &json!({ "status": "REGISTRATION" })) }
}

async fn relocate(client: &TestClient) -> Case {
    let keeps = joined([another(client).await, other_lists()]);
    let path = client.tournament(json!({})).await;
    let shows = joined([
        public(["/v1/tournaments", "/v1/tournaments?status=UPCOMING"]),
        public(["/v1/tournaments/venue/7", "/v1/tournaments/venue/8?status=UPCOMING"]),
        public([path.clone()]),
    ]);
    Case { shows, keeps, ..by_admin(client, path, &json!({ "venueId": 8 })) }
}

async fn call_off(client: &TestClient) -> Case {
    let keeps = joined([another(client).await, other_lists()]);
    let (path, matches) = client.begun_tournament().await;
    let shows = joined([
        public(["/v1/tournaments", "/v1/tournaments/venue/7"]),
        public(["/v1/tournaments?status=ACTIVE", "/v1/tournaments?status=CANCELLED"]),
        public([format!("{path}/matches"), path.clone()]),
        public(matches),
    ]);
    Case { shows, keeps, ..by_admin(client, path, &json!({ "status": "CANCELLED" })) }
}

async fn delete(client: &TestClient) -> Case {
    let keeps = joined([another(client).await, other_lists()]);
    let path = client.tournament(json!({})).await;
    let shows = joined([lists("UPCOMING"), public([format!("{path}/matches"), path.clone()])]);
    Case { shows, keeps, ..by_admin(client, path, &Value::Null) }
}

async fn start(client: &TestClient) -> Case {
    let keeps = joined([another(client).await, other_lists()]);
    let path = client.open_tournament(1..=4).await;
    let shows = joined([
        public(["/v1/tournaments", "/v1/tournaments/venue/7"]),
        public(["/v1/tournaments?status=ACTIVE", "/v1/tournaments?status=REGISTRATION"]),
        public([format!("{path}/matches"), path.clone()]),
    ]);
    Case { shows, keeps, ..by_admin(client, format!("{path}/start"), &Value::Null) }
}

async fn register(client: &TestClient) -> Case {
    on_place(client, "register").await
}

async fn unregister(client: &TestClient) -> Case {
    on_place(client, "unregister").await
}

async fn unregister_by_delete(client: &TestClient) -> Case {
    on_place(client, "unregister").await
}

/// Lists do not count the players, so each of them stays.
async fn on_place(client: &TestClient, action: &str) -> Case {
    let taken = if action == "register" { 2..=4 } else { 1..=4 };
    let keeps = joined([another(client).await, other_lists()]);
    let path = client.open_tournament(taken).await;
    let keeps = joined([keeps, lists("REGISTRATION"), public([format!("{path}/matches")])]);
    Case {
        path: format!("{path}/{action}"),
        token: Some(client.player(1)),
        body: String::new(),
        shows: public([path]),
        keeps,
    }
}

async fn score(client: &TestClient) -> Case {
    let keeps = joined([another(client).await, other_lists(), lists("ACTIVE")]);
    let (path, [first, second]) = client.begun_tournament().await;
    let shows = public([format!("{path}/matches"), first.clone()]);
    let keeps = joined([keeps, public([path, second])]);
    Case { shows, keeps, ..by_admin(client, first, &json!({ "status": "ACTIVE", "scoreA": 1 })) }
}
