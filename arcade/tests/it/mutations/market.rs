//! What admins change about the marketplace, and what a purchase does.

use arcade::http::Verb;
use serde_json::{Value, json};

use super::row::{Case, Mutation, of_user, public};
use crate::support::TestClient;
use crate::support::market::item;

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
    Post "/marketplace/items", "a new one": create,
    Patch "/marketplace/items/{id}", "its price": reprice,
    Patch "/marketplace/items/{id}", "its category": relocate,
    Delete "/marketplace/items/{id}", "one that somebody bought": remove,
    Post "/marketplace/items/{id}/buy", "one that is there": buy,
}

const ALL: &str = "/marketplace/items";
const CUES: &str = "/marketplace/items?category=cue";
const TABLES: &str = "/marketplace/items?category=table";
const TROPHIES: &str = "/marketplace/items?category=trophy";
const LONG: &str = "/marketplace/items?limit=100";
const OWN: [&str; 3] = ["/marketplace/inventory", "/marketplace/balance", "/users/me"];

fn of(id: i64) -> String {
    format!("/marketplace/items/{id}")
}

/// A change by an admin, which no inventory and no balance shows.
async fn by_admin(client: &TestClient, path: String, body: Value, shows: Vec<String>) -> Case {
    let another = client.put_item(json!({ "category": "trophy" })).await;
    let mut keeps = public([of(another), TROPHIES.to_owned()]);
    keeps.extend(of_user(&client.player(1), OWN));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Case { path, token: Some(client.admin()), body, shows: public(shows), keeps }
}

async fn create(client: &TestClient) -> Case {
    let shows = [ALL, CUES, LONG].map(str::to_owned).to_vec();
    by_admin(client, ALL.to_owned(), item(), shows).await
}

async fn reprice(client: &TestClient) -> Case {
    let id = client.put_item(json!({ "price": 250 })).await;
    let shows = vec![of(id), ALL.to_owned(), CUES.to_owned(), LONG.to_owned()];
    let mut case = by_admin(client, of(id), json!({ "price": 300 }), shows).await;
    // The newest item of all is another one.
    case.keeps.extend(public(["/marketplace/items?limit=1"]));
    case
}

async fn relocate(client: &TestClient) -> Case {
    let id = client.put_item(json!({ "category": "cue" })).await;
    let shows = vec![of(id), ALL.to_owned(), CUES.to_owned(), TABLES.to_owned()];
    by_admin(client, of(id), json!({ "category": "table" }), shows).await
}

async fn remove(client: &TestClient) -> Case {
    let id = client.put_item(json!({})).await;
    let token = client.player(1);
    let bought = client.send(Verb::Post, &format!("{}/buy", of(id)), Some(&token), "").await;
    assert_eq!(bought.status, 201, "{bought:?}");
    let shows = vec![of(id), ALL.to_owned(), CUES.to_owned(), LONG.to_owned()];
    by_admin(client, of(id), Value::Null, shows).await
}

async fn buy(client: &TestClient) -> Case {
    let id = client.put_item(json!({})).await;
    let another = client.put_item(json!({ "category": "trophy" })).await;
    let (one, two) = (client.player(1), client.player(2));
    let mut shows = public([of(id), ALL.to_owned(), CUES.to_owned(), LONG.to_owned()]);
    shows.extend(of_user(&one, OWN));
    let mut keeps = public([of(another), TROPHIES.to_owned(), TABLES.to_owned()]);
    keeps.extend(public(["/marketplace/items?limit=1", "/v1/tournaments"]));
    keeps.extend(of_user(&two, OWN));
    keeps.extend(of_user(&one, ["/notifications"]));
    Case { path: format!("{}/buy", of(id)), token: Some(one), body: String::new(), shows, keeps }
}
