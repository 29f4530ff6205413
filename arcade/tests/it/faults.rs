//! A fault of ours is told to nobody but the log, whatever the route.

use arcade::app::route_table;
use arcade::http::Route;
use serde_json::{Value, json};

use crate::support::TestClient;

/// Every table; a new one that no route reads may be missing here.
const TABLES: [&str; 22] = [
    "assets",
    "board_assets",
    "build_likes",
    "builds",
    "class_tags",
    "classes",
    "classes_tagged",
    "game_systems",
    "inventory",
    "ledger_entries",
    "market_items",
    "matches",
    "notifications",
    "numbers",
    "participants",
    "purchase_keys",
    "refresh_tokens",
    "room_players",
    "rooms",
    "sessions",
    "tournaments",
    "users",
];

fn asks_the_database(route: &Route) -> bool {
    let of_a_domain = !route.cached.is_empty() || !route.drops.is_empty();
    of_a_domain || route.path.starts_with("/auth/")
}

#[tokio::test]
async fn every_handler_that_fails_inside_says_so_and_not_a_word_more() {
    let client = TestClient::start_with(&[("CACHE_ENABLED", "off")]).await;
    let mut requests = Vec::new();
    for route in route_table().into_iter().filter(asks_the_database) {
        let request = client.good_request(&route).await;
        requests.push((format!("{} {}", route.verb.name(), route.path), request));
    }
    for table in TABLES {
        client.execute(format!("ALTER TABLE {table} RENAME TO away_{table}")).await;
    }
    let expected = json!({
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "error": "an internal error",
        "details": [],
    });
    for (name, request) in requests {
        let answer = client.asked(&request).await;
        assert_eq!(answer.status, 500, "{name}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{name}");
        let mut body = answer.json();
        let id = body.as_object_mut().and_then(|body| body.remove("requestId"));
        assert_eq!(id, Some(Value::from(answer.header("x-request-id"))), "{name}");
        let success = body.as_object_mut().and_then(|body| body.remove("success"));
        assert_eq!(success, name.contains(" /api/v1/").then_some(Value::Bool(false)), "{name}");
        assert_eq!(body, expected, "{name}");
    }
    client.stop().await;
}
