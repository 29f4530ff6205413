//! What users change about assets. User 1 owns the room, user 3 plays in it.

use arcade::http::Verb;
use serde_json::{Value, json};

use super::row::{Case, Mutation, of_user};
use crate::support::TestClient;
use crate::support::tabletop::new_asset;

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
    Post "/api/assets", "into a room": create,
    Post "/api/assets", "a private one into a room": create_private,
    Delete "/api/assets/{id}", "one of a room": remove,
    Delete "/api/assets/{id}", "a private one of a room": remove_private,
}

/// Everybody who looks at the room; `None` is the admin of the platform.
const VIEWERS: [Option<i64>; 3] = [Some(1), Some(3), None];

/// Those of them who see what user 3 has brought for nobody else.
const TRUSTED: [Option<i64>; 2] = [Some(3), None];

/// A room with assets in it, and another one that nothing happens to.
struct Table {
    room: String,
    number: i64,
    elsewhere: Vec<String>,
}

impl Table {
    async fn of(client: &TestClient, name: &str) -> Self {
        let (path, number, _) = room(client, name).await;
        let (other, _, asset) = room(client, &format!("{name}, elsewhere")).await;
        let elsewhere = vec![format!("{other}/assets"), format!("/api/assets/{asset}"), other];
        Table { room: path, number, elsewhere }
    }

    /// What there is to say of an asset of the room that these see.
    fn asset(&self, sees: &[Option<i64>]) -> Value {
        json!({ "roomId": self.number, "public": sees == VIEWERS })
    }

    /// A change by user 3, which shows in the lists of `sees` and in those of nobody else.
    fn case(&self, client: &TestClient, change: (String, Value), sees: &[Option<i64>]) -> Case {
        let (path, body) = change;
        let (mut shows, mut keeps) = (Vec::new(), of_user(&client.player(1), self.elsewhere.clone()));
        for viewer in VIEWERS {
            let token = viewer.map_or_else(|| client.admin(), |user| client.player(user));
            let (all, newest) = (format!("{}/assets", self.room), "/assets?limit=1");
            let lists = of_user(&token, [all, format!("{}{newest}", self.room)]);
            if sees.contains(&viewer) { shows.extend(lists) } else { keeps.extend(lists) }
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Case { path, token: Some(client.player(3)), body, shows, keeps }
    }
}

/// A room with an asset, and the number of the room.
async fn room(client: &TestClient, name: &str) -> (String, i64, i64) {
    let room = client.room_with(1, name, &[(3, "player")]).await;
    let number = room.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number");
    let asset = client.asset_by(3, json!({ "roomId": number })).await;
    (room, number, asset)
}

async fn create(client: &TestClient) -> Case {
    brought(client, "Where it comes", &VIEWERS).await
}

async fn create_private(client: &TestClient) -> Case {
    brought(client, "Where it comes unseen", &TRUSTED).await
}

async fn remove(client: &TestClient) -> Case {
    taken_away(client, "Where it goes", &VIEWERS).await
}

async fn remove_private(client: &TestClient) -> Case {
    taken_away(client, "Where it goes unseen", &TRUSTED).await
}

async fn brought(client: &TestClient, name: &str, sees: &[Option<i64>]) -> Case {
    let table = Table::of(client, name).await;
    table.case(client, ("/api/assets".to_owned(), new_asset(table.asset(sees))), sees)
}

async fn taken_away(client: &TestClient, name: &str, sees: &[Option<i64>]) -> Case {
    let table = Table::of(client, name).await;
    let asset = client.asset_by(3, table.asset(sees)).await;
    let one = format!("/api/assets/{asset}");
    let mut case = table.case(client, (one.clone(), Value::Null), sees);
    case.shows.extend(of_user(&client.admin(), [one]));
    case
}
