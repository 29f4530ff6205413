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
