//! The description of the routes says what is served, and nothing else.

use arcade::app::route_table;
use arcade::http::{Access, Verb};
use serde_json::{Value, json};

use crate::support::{TestClient, with_ids};

async fn document(client: &TestClient) -> Value {
    let answer = client.send(Verb::Get, "/openapi.json", None, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    answer.json()
}

fn operation<'a>(document: &'a Value, verb: &str, path: &str) -> &'a Value {
    &document["paths"][path][verb.to_lowercase()]
}

#[tokio::test]
async fn every_route_is_described_once_and_no_other() {
    let client = TestClient::start().await;
    let document = document(&client).await;
    assert_eq!(document["openapi"], "3.1.0");
    for route in route_table() {
        let operation = operation(&document, route.verb.name(), route.path);
        assert_eq!(operation["summary"], route.about, "{} {}", route.verb.name(), route.path);
        assert!(route.about.ends_with('.'), "{}", route.about);
        let asks = operation["security"].is_array();
        assert_eq!(asks, route.access != Access::Public, "{}", route.path);
        assert!(operation["responses"][route.status.as_str()].is_object());
    }
    let paths = document["paths"].as_object().expect("paths");
    let described: usize = paths.values().map(|path| path.as_object().expect("path").len()).sum();
    assert_eq!(described, route_table().len());
    client.stop().await;
}

#[tokio::test]
async fn every_cached_route_names_its_lifetime_and_its_tags() {
    let variables = [("CACHE_NOTIFICATIONS_FRESH_S", "77")];
    let client = TestClient::start_with(&variables).await;
    let document = document(&client).await;
    for route in route_table() {
        let operation = operation(&document, route.verb.name(), route.path);
        let named = operation["x-cache-ttl-s"].as_u64().is_some_and(|seconds| seconds > 0);
        assert_eq!(named, !route.cached.is_empty(), "{}", route.path);
        let tags = operation["x-cache-tags"].as_array().map_or(0, Vec::len);
        assert_eq!(tags > 0, !route.cached.is_empty(), "{}", route.path);
    }
    let list = operation(&document, "GET", "/notifications");
    assert_eq!(list["x-cache-ttl-s"], 77, "not the lifetime in force");
    assert_eq!(list["x-cache-tags"], json!(["notifications:{user}"]));
    client.stop().await;
}

#[tokio::test]
async fn what_the_table_calls_cached_is_cached_and_nothing_else() {
    let client = TestClient::start().await;
    for route in route_table().into_iter().filter(|route| route.verb == Verb::Get) {
        let token = client.fitting(&route);
        let path = with_ids(route.path, "1");
        let answer = client.send(route.verb, &path, token.as_deref(), "").await;
        let cached = answer.headers.contains_key("x-cache");
        if answer.status.is_success() {
            assert_eq!(cached, !route.cached.is_empty(), "GET {path}: {answer:?}");
        }
    }
    client.stop().await;
}

/// Routes that change nothing which is cached, and one that drops what its caller names.
const NAMING_NO_CACHE: [&str; 6] = [
    "/api/v1/cache",
    "/api/v1/cache/refresh",
    "/api/v1/cache/warm",
    "/auth/register",
    "/auth/login",
    "/auth/refresh",
];

#[test]
fn every_change_drops_what_it_makes_wrong() {
    let changes = route_table().into_iter().filter(|route| route.verb != Verb::Get);
    for route in changes.filter(|route| !NAMING_NO_CACHE.contains(&route.path)) {
        assert!(!route.drops.is_empty(), "{} {}", route.verb.name(), route.path);
    }
}

#[tokio::test]
async fn the_limits_of_a_query_are_described() {
    let client = TestClient::start().await;
    let document = document(&client).await;
    let list = operation(&document, "GET", "/notifications");
    let limit = json!({
        "name": "limit",
        "in": "query",
        "required": false,
        "schema":
            { "type": "integer", "format": "int64", "minimum": 1, "maximum": 100, "default": 50 },
    });
    assert_eq!(list["parameters"][1], limit);
    let inventory = operation(&document, "GET", "/marketplace/inventory");
    let named = [&inventory["parameters"][0]["name"], &inventory["parameters"][1]["name"]];
    assert_eq!(named, ["cursor", "limit"]);
    let cursor = &inventory["parameters"][0]["schema"];
    assert_eq!((&cursor["minLength"], &cursor["maxLength"]), (&json!(32), &json!(32)));
    assert!(cursor["description"].as_str().is_some_and(|text| text.contains("nextCursor")));
    let read = operation(&document, "PATCH", "/notifications/{id}/read");
    assert_eq!(read["parameters"][0]["in"], "path");
    assert_eq!(read["x-cache-drops"], json!(["notifications", "notifications-unread"]));
    client.stop().await;
}

#[tokio::test]
async fn a_header_that_a_route_reads_is_described_with_its_limits() {
    let client = TestClient::start().await;
    let document = document(&client).await;
    let header = json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "schema": {
            "type": "string",
            "description": "Names the request: sent again with the same key, it gets the same answer.",
            "minLength": 1,
            "maxLength": 64,
            "pattern": "^[A-Za-z0-9._-]+$",
        },
    });
    for route in route_table() {
        let operation = operation(&document, route.verb.name(), route.path);
        let parameters = operation["parameters"].as_array().expect("parameters");
        let described = parameters.contains(&header);
        assert_eq!(described, route.path == "/marketplace/items/{id}/buy", "{}", route.path);
    }
    let page = client.send(Verb::Get, "/docs", None, "").await.text;
    assert!(page.contains("<code>Idempotency-Key</code>"));
    client.stop().await;
}

#[tokio::test]
async fn a_room_is_named_in_its_path_by_a_number_or_by_a_name() {
    let client = TestClient::start().await;
    let document = document(&client).await;
    let by_both = &operation(&document, "GET", "/api/rooms/{id}")["parameters"][0];
    let kinds: Vec<&Value> = by_both["schema"]["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|kind| &kind["type"])
        .collect();
    assert_eq!((&by_both["name"], kinds), (&json!("id"), vec![&json!("integer"), &json!("string")]));
    let by_number = &operation(&document, "PATCH", "/api/rooms/{id}")["parameters"][0];
    assert_eq!(by_number["schema"]["type"], "integer");
    client.stop().await;
}

/// What takes these bodies does without one.
const BODY_MAY_MISS: [(Verb, &str); 3] = [
    (Verb::Post, "/api/rooms/{id}/join"),
    (Verb::Post, "/api/v1/cache/warm"),
    (Verb::Post, "/marketplace/items/{id}/buy"),
];

#[tokio::test]
async fn a_body_is_required_where_the_route_does_not_do_without_one() {
    let client = TestClient::start().await;
    let document = document(&client).await;
    for route in route_table() {
        let body = &operation(&document, route.verb.name(), route.path)["requestBody"];
        if route.takes.body.is_none() {
            assert!(body.is_null(), "{}", route.path);
            continue;
        }
        let may_miss = BODY_MAY_MISS.contains(&(route.verb, route.path));
        assert_eq!(body["required"], !may_miss, "{} {}", route.verb.name(), route.path);
        if !may_miss {
            // That it is missing is told apart from what else may be wrong.
            let path = with_ids(route.path, "1");
            let answer = client.send(route.verb, &path, client.fitting(&route).as_deref(), "").await;
            assert_eq!(answer.status, 400, "{} {path}: {answer:?}", route.verb.name());
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn who_may_be_refused_is_told_and_why() {
    let client = TestClient::start().await;
    let document = document(&client).await;
    for (verb, path, status) in [
        ("PATCH", "/api/rooms/{id}", "403"),
        ("PUT", "/api/systems/{id}/rating", "403"),
        ("DELETE", "/api/v1/builds/{id}", "403"),
        ("GET", "/api/v1/cache", "403"),
        ("POST", "/auth/login", "401"),
        ("POST", "/marketplace/items/{id}/buy", "422"),
    ] {
        let told = &operation(&document, verb, path)["responses"][status]["description"];
        assert!(told.as_str().is_some_and(|told| told.ends_with('.')), "{verb} {path}: {told}");
    }
    let page = client.send(Verb::Get, "/docs", None, "").await.text;
    assert!(page.contains("<p>403: You have made it yourself.</p>"));
    for route in route_table() {
        let responses = &operation(&document, route.verb.name(), route.path)["responses"];
        assert!(route.failures().iter().all(|(status, _)| responses[status.as_str()].is_object()));
    }
    client.stop().await;
}

#[tokio::test]
async fn the_page_names_every_route_and_loads_nothing_from_elsewhere() {
    let client = TestClient::start().await;
    let page = client.send(Verb::Get, "/docs", None, "").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for route in route_table() {
        let heading = format!("<h2>{} {}</h2>", route.verb.name(), route.path);
        assert!(page.text.contains(&heading), "{heading}");
    }
    let foreign = ["<script", "http://", "https://", "style=", " on"];
    for word in foreign {
        let tags = page.text.split('<').filter_map(|tag| tag.split('>').next());
        assert!(!tags.into_iter().any(|tag| format!("<{tag}").contains(word)), "{word}");
    }
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let style = client.send(Verb::Get, "/docs/style.css", None, "").await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    client.stop().await;
}
