//! Bad input is refused before anything is read, and the answer names each field.

use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::TestClient;
use crate::support::tabletop::{new_asset, new_system};

async fn check(client: &TestClient, verb: Verb, path: &str, body: &Value, expected: &[&str]) {
    let answer = client.as_player(1, verb, path, body).await;
    assert_eq!(answer.status, 400, "{} {path} {body:.80}: {answer:?}", verb.name());
    let problem = answer.json();
    let details = problem["details"].as_array().expect("details");
    let named: Vec<&str> = details.iter().filter_map(|detail| detail["path"].as_str()).collect();
    assert_eq!(named, expected, "{} {path} {body:.80}", verb.name());
    assert!(
        details.iter().all(|detail| detail["limit"].as_str().is_some_and(|limit| !limit.is_empty()))
    );
}

#[tokio::test]
async fn every_mistake_in_a_room_is_named_with_its_limit() {
    let client = TestClient::start().await;
    let long = "x".repeat(61);
    for name in ["ab", &long, " abc", "a\nbc", "12345"] {
        check(&client, Verb::Post, "/api/rooms", &json!({ "name": name }), &["name"]).await;
    }
    let wrong = json!({
        "name": 1, "playersMax": 33, "board": { "width": 99 }, "gameState": [], "ownerId": 2,
    });
    let fields = ["name", "playersMax", "board", "gameState", "ownerId"];
    check(&client, Verb::Post, "/api/rooms", &wrong, &fields).await;
    let big = json!({ "name": "Too much", "gameState": { "a": "x".repeat(48 << 10) } });
    check(&client, Verb::Post, "/api/rooms", &big, &["gameState"]).await;
    for (tail, body, fields) in [
        ("", json!({}), [""].as_slice()),
        ("", json!({ "version": 1 }), &["", "version"]),
        ("/board", json!({ "expectedVersion": 1 }), &[""]),
        ("/board", json!({ "board": { "depth": 1 } }), &["board"]),
        ("/players/2", json!({ "role": "owner", "score": 1e9 }), &["role", "score"]),
    ] {
        check(&client, Verb::Patch, &format!("/api/rooms/1{tail}"), &body, fields).await;
    }
    client.stop().await;
}

#[tokio::test]
async fn every_mistake_on_a_board_is_named_with_its_limit() {
    let client = TestClient::start().await;
    let wrong = json!({
        "x": 20_001, "y": "1", "rotation": 360, "scale": 9, "order": 10_001, "visibility": "all",
        "locked": 1, "ownerId": 2,
    });
    let fields =
        ["assetId", "x", "y", "rotation", "scale", "order", "visibility", "locked", "ownerId"];
    check(&client, Verb::Post, "/api/rooms/1/board-assets", &wrong, &fields).await;
    check(&client, Verb::Patch, "/api/rooms/1/board-assets/1", &wrong, &fields[1..]).await;
    client.stop().await;
}

#[tokio::test]
async fn every_mistake_in_an_asset_or_a_system_is_named_with_its_limit() {
    let client = TestClient::start().await;
    for (changes, field) in [
        (json!({ "type": "virus" }), "type"),
        (json!({ "path": "http://elsewhere.example/x" }), "path"),
        (json!({ "path": "//elsewhere.example/x" }), "path"),
        (json!({ "mimeType": "image" }), "mimeType"),
        (json!({ "sizeBytes": -1 }), "sizeBytes"),
        (json!({ "tags": ["a", "a"] }), "tags"),
        (json!({ "metadata": { "a": "x".repeat(8 << 10) } }), "metadata"),
        (json!({ "roomId": 1, "systemId": 1 }), "systemId"),
        (json!({ "uploaderId": 2 }), "uploaderId"),
    ] {
        check(&client, Verb::Post, "/api/assets", &new_asset(changes), &[field]).await;
    }
    for (changes, field) in [
        (json!({ "category": "poker" }), "category"),
        (json!({ "complexity": "none" }), "complexity"),
        (json!({ "playersMin": 5, "playersMax": 4 }), "playersMax"),
        (json!({ "decks": [] }), "decks"),
        (json!({ "downloads": 1_000 }), "downloads"),
        (json!({ "ownerId": 2 }), "ownerId"),
    ] {
        check(&client, Verb::Post, "/api/systems", &new_system(changes), &[field]).await;
    }
    client.stop().await;
}

fn chars(count: usize) -> Value {
    "x".repeat(count).into()
}

/// So many different lines, each of so many characters.
fn lines(count: usize, chars: usize) -> Value {
    (0..count).map(|line| format!("{line:0>chars$}")).collect()
}

/// An object of so many bytes.
fn bytes(count: usize) -> Value {
    json!({ "a": "x".repeat(count - r#"{"a":""}"#.len()) })
}

/// Each field takes the first of these, and not the second.
type Bounds = Vec<(&'static str, Value, Value)>;

async fn check_bounds(client: &TestClient, path: &str, new: fn(Value) -> Value, bounds: Bounds) {
    for (field, most, too_much) in bounds {
        client.made_by(1, path, &new(json!({ field: most }))).await;
        check(client, Verb::Post, path, &new(json!({ field: too_much })), &[field]).await;
    }
}

#[tokio::test]
async fn an_asset_takes_what_is_at_each_limit_and_nothing_beyond() {
    let client = TestClient::start().await;
    let path = |count: usize| Value::from(format!("/{}", "x".repeat(count - 1)));
    let kind = |count: usize| Value::from(format!("image/{}", "x".repeat(count - 6)));
    let bounds = vec![
        ("name", chars(120), chars(121)),
        ("name", chars(1), chars(0)),
        ("path", path(500), path(501)),
        ("fileName", chars(255), chars(256)),
        ("fileName", chars(1), chars(0)),
        ("sizeBytes", json!(1 << 30), json!((1 << 30) + 1)),
        ("sizeBytes", json!(0), json!(-1)),
        ("mimeType", kind(100), kind(101)),
        ("width", json!(20_000), json!(20_001)),
        ("width", json!(1), json!(0)),
        ("height", json!(20_000), json!(20_001)),
        ("height", json!(1), json!(0)),
        ("tags", lines(20, 2), lines(21, 2)),
        ("tags", lines(1, 40), lines(1, 41)),
        ("metadata", bytes(8 << 10), bytes((8 << 10) + 1)),
    ];
    check_bounds(&client, "/api/assets", new_asset, bounds).await;
    client.stop().await;
}

#[tokio::test]
async fn a_system_takes_what_is_at_each_limit_and_nothing_beyond() {
    let client = TestClient::start().await;
    let (most, too_much) = (24 << 10, (24 << 10) + 1);
    let mut bounds = vec![
        ("name", chars(120), chars(121)),
        ("name", chars(3), chars(2)),
        ("description", chars(2_000), chars(2_001)),
        ("description", chars(1), chars(0)),
        ("version", chars(20), chars(21)),
        ("playersMin", json!(1), json!(0)),
        ("playersMax", json!(32), json!(33)),
        ("minutes", json!(100_000), json!(100_001)),
        ("minutes", json!(1), json!(0)),
        ("tags", lines(20, 2), lines(21, 2)),
        ("tags", lines(1, 40), lines(1, 41)),
        ("rules", chars(20_000), chars(20_001)),
        ("board", json!({ "width": 10_000 }), json!({ "width": 10_001 })),
        ("board", json!({ "height": 100 }), json!({ "height": 99 })),
        ("board", json!({ "cell": 500 }), json!({ "cell": 501 })),
        ("board", json!({ "layers": lines(16, 2) }), json!({ "layers": lines(17, 2) })),
    ];
    let parts = ["setup", "config", "assetLibrary", "decks", "tokens"];
    bounds.extend(parts.map(|part| (part, bytes(most), bytes(too_much))));
    check_bounds(&client, "/api/systems", new_system, bounds).await;
    client.stop().await;
}

#[tokio::test]
async fn a_rating_is_of_one_to_five_stars() {
    let client = TestClient::start().await;
    let system = client.made_by(3, "/api/systems", &new_system(json!({}))).await;
    let rating = format!("/api/systems/{system}/rating");
    for (most, too_much) in [(1, 0), (5, 6)] {
        let rated = client.as_player(1, Verb::Put, &rating, &json!({ "stars": most })).await;
        assert_eq!(rated.status, 200, "{rated:?}");
        check(&client, Verb::Put, &rating, &json!({ "stars": too_much }), &["stars"]).await;
    }
    client.stop().await;
}

#[tokio::test]
async fn a_question_for_too_many_or_for_one_twice_is_refused() {
    let client = TestClient::start().await;
    let many = |count: i64| (1..=count).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    for path in ["/api/rooms", "/api/assets"] {
        let good = client.read_by(1, &format!("{path}?ids={}", many(100))).await;
        assert_eq!(good.status, 200, "{path}");
        for ids in [many(101), "1,1".to_owned(), "0".to_owned(), "1,".to_owned(), String::new()] {
            check(&client, Verb::Get, &format!("{path}?ids={ids}"), &Value::Null, &["ids"]).await;
        }
        check(&client, Verb::Get, path, &Value::Null, &["ids"]).await;
    }
    for path in ["/api/systems", "/api/templates", "/api/user/1/rooms", "/api/rooms/1/assets"] {
        check(&client, Verb::Get, &format!("{path}?limit=101"), &Value::Null, &["limit"]).await;
    }
    client.stop().await;
}
