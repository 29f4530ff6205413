//! What users change about assets. User 1 owns the room, user 3 plays in it.

use arcade::http::Verb;
use serde_json::{Value, json};

use super::row::{Case, Mutation, Preparing, of_user};
use crate::support::TestClient;
use crate::support::tabletop::new_asset;

pub(crate) const ROWS: &[Mutation] = &[
    Mutation { verb: Verb::Post, path: "/api/assets", case: "into a room", prepare: create },
    Mutation { verb: Verb::Delete, path: "/api/assets/{id}", case: "one of a room", prepare: remove },
];

/// A room with an asset, and the number of the room.
async fn room(client: &TestClient, name: &str) -> (String, i64, i64) {
    let room = client.room_with(1, name, &[(3, "player")]).await;
    let number = room.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number");
    let asset = client.asset_by(3, json!({ "roomId": number })).await;
    (room, number, asset)
}

/// A change by user 3 in `room`, which both who sit there see, and nobody elsewhere.
async fn case(client: &TestClient, path: String, body: Value, shows: Vec<String>) -> Case {
    let verb = if body.is_null() { "off" } else { "on" };
    let (other, _, asset) = room(client, &format!("Elsewhere {verb}")).await;
    let (one, three) = (client.player(1), client.player(3));
    let mut shown = of_user(&one, shows.clone());
    shown.extend(of_user(&three, shows));
    let keeps = [format!("{other}/assets"), format!("/api/assets/{asset}"), other];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Case { path, token: Some(three), body, shows: shown, keeps: of_user(&one, keeps) }
}

fn create(client: &TestClient) -> Preparing<'_> {
    Box::pin(async {
        let (path, number, _) = room(client, "Where it comes").await;
        let shows = vec![format!("{path}/assets"), format!("{path}/assets?limit=1")];
        let body = new_asset(json!({ "roomId": number }));
        case(client, "/api/assets".to_owned(), body, shows).await
    })
}

fn remove(client: &TestClient) -> Preparing<'_> {
    Box::pin(async {
        let (path, _, asset) = room(client, "Where it goes").await;
        let one = format!("/api/assets/{asset}");
        let shows = vec![format!("{path}/assets")];
        let mut case = case(client, one.clone(), Value::Null, shows).await;
        case.shows.extend(of_user(&client.player(1), [one]));
        case
    })
}
