//! The contract of every route: method, status, headers and the shape of its body. A changed
//! snapshot is a changed contract and needs a line in CHANGELOG.md.

use std::collections::BTreeSet;
use std::fmt::Write;

use arcade::app::route_table;
use arcade::http::Verb;
use serde_json::Value;

use crate::support::{Answer, TestClient};

/// Headers that belong to the contract. The others come from the HTTP library or hold the time.
const HEADERS: [&str; 9] = [
    "allow",
    "cache-control",
    "content-security-policy",
    "content-type",
    "retry-after",
    "www-authenticate",
    "x-cache",
    "x-cache-origin",
    "age",
];

/// Types in place of values; an array shows the shape of its items once.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        Value::Array(items) => items.first().map(shape).into_iter().collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), shape(field))).collect()
        }
    }
}

/// The names and types of the metrics, which is what dashboards depend on.
fn metric_families(text: &str) -> String {
    let families: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    families.into_iter().collect::<Vec<_>>().join("\n")
}

fn described(name: &str, answer: &Answer) -> String {
    let mut text = format!("## {name}\n{}\n", answer.status.as_u16());
    for header in HEADERS.iter().filter(|header| answer.headers.contains_key(**header)) {
        // How old an answer is says how busy the machine was.
        let value = if *header == "age" { "seconds" } else { answer.header(header) };
        writeln!(text, "{header}: {value}").expect("write to a string");
    }
    let body = match answer.header("content-type") {
        // What it says is held to the table of routes elsewhere.
        _ if name.ends_with("/openapi.json") => String::new(),
        "" => answer.text.clone(),
        kind if kind.contains("json") => {
            serde_json::to_string_pretty(&shape(&answer.json())).expect("shape")
        }
        _ => metric_families(&answer.text),
    };
    writeln!(text, "{body}").expect("write to a string");
    text
}

#[tokio::test]
async fn every_route_keeps_its_contract() {
    let client = TestClient::start().await;
    // What later routes show must not depend on how many were asked before.
    client.get("/notifications", &client.player(1)).await;
    client.get("/notifications", &client.player(1)).await;
    let mut table = route_table();
    // Reading all leaves nothing unread for the others.
    table.sort_by_key(|route| (route.path.ends_with("read-all"), route.path, route.verb.name()));
    let mut contract = String::new();
    for route in &table {
        let request = client.good_request(route).await;
        let answer = client.asked(&request).await;
        assert!(!answer.header("x-request-id").is_empty());
        let name = format!("{} {}", route.verb.name(), route.path);
        writeln!(contract, "{}", described(&name, &answer)).expect("write to a string");
    }
    insta::assert_snapshot!("routes", contract);
    client.stop().await;
}

#[tokio::test]
async fn every_failure_keeps_its_contract() {
    let client = TestClient::start().await;
    let one = client.player(1);
    let cases = [
        ("400", Verb::Get, "/notifications?limit=101", Some(one.as_str())),
        ("401", Verb::Get, "/notifications", None),
        ("401 under /api/v1", Verb::Get, "/api/v1/cache", None),
        ("403", Verb::Get, "/api/v1/cache", Some(one.as_str())),
        ("404", Verb::Delete, "/notifications/999999", Some(one.as_str())),
        ("405", Verb::Post, "/notifications", Some(one.as_str())),
    ];
    let mut contract = String::new();
    for (name, verb, path, token) in cases {
        let answer = client.send(verb, path, token, "").await;
        writeln!(contract, "{}", described(name, &answer)).expect("write to a string");
    }
    insta::assert_snapshot!("failures", contract);
    client.stop().await;
}
