//! Bad input is refused before anything is read, and the answer names each field and its limit.

use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::TestClient;

async fn check(client: &TestClient, verb: Verb, path: &str, body: &str, expected: &[(&str, &str)]) {
    let answer = client.send(verb, path, Some(&client.player(1)), body).await;
    assert_eq!(answer.status, 400, "{} {path} {body}", verb.name());
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["error"], "the request is not valid");
    let details = problem["details"].as_array().expect("details");
    let named: Vec<(&str, &str)> = details.iter().map(path_and_limit).collect();
    assert_eq!(named, expected, "{} {path} {body}", verb.name());
    assert!(details.iter().all(|detail| detail["message"].is_string()));
}

fn path_and_limit(detail: &Value) -> (&str, &str) {
    (detail["path"].as_str().expect("path"), detail["limit"].as_str().expect("limit"))
}

#[tokio::test]
async fn every_mistake_in_a_query_is_named_with_its_limit() {
    let client = TestClient::start().await;
    let (limit, page) = (("limit", "1 to 100"), ("page", "1 to 100000"));
    let cases: [(&str, &[(&str, &str)]); 11] = [
        ("limit=101", &[limit]),
        ("limit=0", &[limit]),
        ("limit=-1", &[limit]),
        ("limit=ten", &[limit]),
        ("limit=", &[limit]),
        ("limit=99999999999999999999", &[limit]),
        ("page=0", &[page]),
        ("page=100001", &[page]),
        ("page=0&limit=101", &[page, limit]),
        ("limit=1&limit=2", &[("limit", "once")]),
        ("userId=2&limit=5", &[("userId", "page, limit")]),
    ];
    for (query, expected) in cases {
        check(&client, Verb::Get, &format!("/notifications?{query}"), "", expected).await;
    }
    let none = [("limit", "no fields")];
    check(&client, Verb::Get, "/notifications/unread-count?limit=1", "", &none).await;
    client.stop().await;
}

#[tokio::test]
async fn the_limits_themselves_are_good_input() {
    let client = TestClient::start().await;
    let one = client.player(1);
    for query in ["limit=1", "limit=100", "page=1", "page=100000", ""] {
        let answer = client.get(&format!("/notifications?{query}"), &one).await;
        assert_eq!(answer.status, 200, "{query}");
    }
    assert_eq!(client.get("/notifications", &one).await.json()["limit"], 50);
    client.stop().await;
}

#[tokio::test]
async fn a_body_where_none_is_wanted_is_refused_field_by_field() {
    let client = TestClient::start().await;
    let path = "/notifications/read-all";
    let before = client.get("/notifications/unread-count", &client.player(1)).await.unread();
    let two = [("read", "no fields"), ("userId", "no fields")];
    check(&client, Verb::Post, path, r#"{"userId": 2, "read": true}"#, &two).await;
    check(&client, Verb::Post, path, "[1]", &[("", "no fields")]).await;
    check(&client, Verb::Post, path, "not json", &[("", "no fields")]).await;
    check(&client, Verb::Post, "/notifications/read-all?x=1", "{}", &[("x", "no fields")]).await;
    let after = client.get("/notifications/unread-count", &client.player(1)).await;
    assert_eq!((after.header("x-cache"), after.unread()), ("HIT", before));
    client.stop().await;
}

#[tokio::test]
async fn an_id_that_is_no_positive_number_is_refused() {
    let client = TestClient::start().await;
    for id in ["0", "-1", "one", "9223372036854775808", "%00", "1%2F2"] {
        let expected = [("id", "1 to 9223372036854775807")];
        check(&client, Verb::Patch, &format!("/notifications/{id}/read"), "", &expected).await;
        check(&client, Verb::Delete, &format!("/notifications/{id}"), "", &expected).await;
    }
    client.stop().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_as_too_long() {
    let client = TestClient::start_with(&[("ARCADE_BODY_BYTES_MAX", "1024")]).await;
    let one = client.player(1);
    let body = json!({ "padding": "x".repeat(1_024) }).to_string();
    let answer = client.send(Verb::Post, "/notifications/read-all", Some(&one), &body).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["error"], "the request body is too long");
    client.stop().await;
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems_too() {
    let client = TestClient::start().await;
    let nowhere = client.send(Verb::Get, "/nowhere", None, "").await;
    assert_eq!((nowhere.status.as_u16(), &nowhere.json()["success"]), (404, &Value::Null));
    let nowhere = client.send(Verb::Get, "/api/v1/nowhere", None, "").await;
    assert_eq!((nowhere.status.as_u16(), &nowhere.json()["success"]), (404, &false.into()));
    let wrong = client.send(Verb::Delete, "/notifications", None, "").await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.header("content-type")),
        (405, "application/problem+json")
    );
    assert!(wrong.header("allow").contains("GET"));
    client.stop().await;
}

#[tokio::test]
async fn a_request_keeps_its_id_if_the_id_is_short_and_plain() {
    let client = TestClient::start().await;
    let long = "x".repeat(65);
    for (given, kept) in
        [("abc-1.2_3", true), ("two words", false), (long.as_str(), false), ("", false)]
    {
        let headers = [("x-request-id", given)];
        let answer = client.send_with(Verb::Get, "/livez", &headers, "").await;
        assert_eq!(answer.header("x-request-id") == given, kept, "{given}");
        assert!(!answer.header("x-request-id").is_empty());
    }
    client.stop().await;
}
