//! What users change about game systems and templates, which are user 1's.

use arcade::http::Verb;
use serde_json::{Value, json};

use super::row::{Case, Mutation, of_user};
use crate::support::TestClient;
use crate::support::tabletop::new_system;

macro_rules! rows {
    ($($verb:ident $path:literal, $case:literal: $prepare:ident($list:literal),)+) => {
        pub(crate) const ROWS: &[Mutation] = &[$(Mutation {
            verb: Verb::$verb,
            path: $path,
            case: $case,
            prepare: |client| Box::pin($prepare(client, $list)),
        },)+];
    };
}

rows! {
    Post "/api/systems", "a public one": create("/api/systems"),
    Post "/api/systems", "a private one": create_private("/api/systems"),
    Patch "/api/systems/{id}", "its name": rename("/api/systems"),
    Patch "/api/systems/{id}", "its category": relocate("/api/systems"),
    Patch "/api/systems/{id}", "what no list shows": set_up_anew("/api/systems"),
    Patch "/api/systems/{id}", "that nobody else sees it": hide("/api/systems"),
    Delete "/api/systems/{id}", "a public one with an asset": remove("/api/systems"),
    Post "/api/systems/{id}/apply", "to a room": apply("/api/systems"),
    Put "/api/systems/{id}/rating", "of another's": rate("/api/systems"),
    Delete "/api/systems/{id}/rating", "of another's": unrate("/api/systems"),
    Put "/api/templates/{id}/rating", "of another's": rate("/api/templates"),
    Delete "/api/templates/{id}/rating", "of another's": unrate("/api/templates"),
    Post "/api/templates", "a public one": create("/api/templates"),
    Patch "/api/templates/{id}", "its name": rename("/api/templates"),
    Patch "/api/templates/{id}", "what no list shows": set_up_anew("/api/templates"),
    Delete "/api/templates/{id}", "a public one with an asset": remove("/api/templates"),
    Post "/api/templates/{id}/apply", "to a room": apply("/api/templates"),
    Post "/api/rooms/{id}/template", "a room as it is": save("/api/templates"),
}

/// A change by user 1 that shows in `shows`, as user 2 sees it, and in `own`, as user 1 does. The
/// other shelf, another list and the lists of user 2 stay.
async fn case(
    client: &TestClient,
    list: &str,
    (path, body): (String, Value),
    shows: Vec<String>,
    own: Vec<String>,
) -> Case {
    let (one, two) = (client.player(1), client.player(2));
    let other = client.made_by(2, list, &new_system(json!({ "category": "wargame" }))).await;
    let shelf = if list == "/api/systems" { "/api/templates" } else { "/api/systems" };
    let mut keeps = of_user(&two, [format!("{list}?own=true"), format!("{list}/{other}")]);
    let untouched = [format!("{list}?category=wargame"), shelf.to_owned()];
    keeps.extend(of_user(&one, untouched));
    keeps.extend(of_user(&one, [format!("{shelf}?own=true")]));
    let mut shown = of_user(&two, shows);
    shown.extend(of_user(&one, own));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Case { path, token: Some(one), body, shows: shown, keeps }
}

/// The lists of everybody that show what user 1 makes here.
fn public(list: &str) -> Vec<String> {
    vec![list.to_owned(), format!("{list}?category=roleplaying"), format!("{list}?limit=100")]
}

fn own(list: &str) -> Vec<String> {
    vec![format!("{list}?own=true"), format!("{list}?own=true&category=roleplaying")]
}

async fn made(client: &TestClient, list: &str, changes: Value) -> String {
    format!("{list}/{}", client.made_by(1, list, &new_system(changes)).await)
}

async fn create(client: &TestClient, list: &'static str) -> Case {
    let change = (list.to_owned(), new_system(json!({})));
    case(client, list, change, public(list), own(list)).await
}

async fn create_private(client: &TestClient, list: &'static str) -> Case {
    let change = (list.to_owned(), new_system(json!({ "public": false })));
    let mut case = case(client, list, change, Vec::new(), own(list)).await;
    case.keeps.extend(of_user(&client.player(2), public(list)));
    case
}

async fn rename(client: &TestClient, list: &'static str) -> Case {
    let one = made(client, list, json!({})).await;
    let change = (one.clone(), json!({ "name": "Caves of Slate" }));
    case(client, list, change, [public(list), vec![one]].concat(), own(list)).await
}

async fn relocate(client: &TestClient, list: &'static str) -> Case {
    let one = made(client, list, json!({})).await;
    let change = (one.clone(), json!({ "category": "party" }));
    let moved = vec![one, format!("{list}?category=party")];
    case(client, list, change, [public(list), moved].concat(), own(list)).await
}

async fn set_up_anew(client: &TestClient, list: &'static str) -> Case {
    let one = made(client, list, json!({})).await;
    let content = json!({ "rules": "All at once.", "setup": { "round": 2 }, "decks": { "main": 1 } });
    let mut case = case(client, list, (one.clone(), content), vec![one], Vec::new()).await;
    case.keeps.extend(of_user(&client.player(2), public(list)));
    case.keeps.extend(of_user(&client.player(1), own(list)));
    case
}

async fn hide(client: &TestClient, list: &'static str) -> Case {
    let one = made(client, list, json!({})).await;
    let change = (one.clone(), json!({ "public": false }));
    case(client, list, change, [public(list), vec![one]].concat(), vec![own(list)[0].clone()]).await
}

async fn remove(client: &TestClient, list: &'static str) -> Case {
    let one = made(client, list, json!({})).await;
    let number: i64 = one.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number");
    let asset = client.asset_by(1, json!({ "systemId": number })).await;
    let gone = vec![one.clone(), format!("/api/assets/{asset}")];
    case(client, list, (one, Value::Null), [public(list), gone].concat(), own(list)).await
}

async fn apply(client: &TestClient, list: &'static str) -> Case {
    let one = made(client, list, json!({})).await;
    let room = client.room(1, &format!("Set up {}", list.len())).await;
    let number: i64 = room.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number");
    let change = (format!("{one}/apply"), json!({ "roomId": number }));
    let mut case = case(client, list, change, vec![one, room.clone()], Vec::new()).await;
    let lists = [public(list), own(list)].concat();
    case.keeps.extend(of_user(&client.player(1), lists));
    case.keeps.extend(of_user(&client.player(1), [format!("{room}/players")]));
    case
}

/// User 1 rates what user 3 has made: no list shows it.
async fn rating(client: &TestClient, list: &'static str, stars: Option<i64>) -> Case {
    let one = format!("{list}/{}", client.made_by(3, list, &new_system(json!({}))).await);
    let rating = format!("{one}/rating");
    let before = client.as_player(1, Verb::Put, &rating, &json!({ "stars": 2 })).await;
    assert_eq!(before.status, 200, "{before:?}");
    let body = stars.map_or(Value::Null, |stars| json!({ "stars": stars }));
    let mut case = case(client, list, (rating, body), vec![one], Vec::new()).await;
    case.keeps.extend(of_user(&client.player(1), [public(list), own(list)].concat()));
    case
}

async fn rate(client: &TestClient, list: &'static str) -> Case {
    rating(client, list, Some(5)).await
}

async fn unrate(client: &TestClient, list: &'static str) -> Case {
    rating(client, list, None).await
}

async fn save(client: &TestClient, list: &'static str) -> Case {
    let room = client.room(1, "To be remembered").await;
    let label = json!({
        "name": "As it was", "description": "One evening.", "category": "roleplaying",
        "complexity": "simple", "public": true,
    });
    let change = (format!("{room}/template"), label);
    let mut case = case(client, list, change, public(list), own(list)).await;
    case.keeps.extend(of_user(&client.player(1), [room]));
    case
}
