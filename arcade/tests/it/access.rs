//! Who gets an answer: every route of the table, every kind of caller.

use arcade::app::route_table;
use arcade::auth::{Role, UserId};
use arcade::http::{Access, Verb};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{SECRET, TestClient, with_ids};

#[tokio::test]
async fn every_route_answers_exactly_those_whom_the_table_names() {
    let client = TestClient::start().await;
    let (player, admin) = (client.player(1), client.admin());
    for route in route_table() {
        let path = with_ids(route.path, "1");
        let expected = match route.access {
            Access::Public => [false, false, false].map(|_| None),
            Access::User => [Some(401), None, None],
            Access::Admin => [Some(401), Some(403), None],
        };
        let callers = [None, Some(player.as_str()), Some(admin.as_str())];
        for (caller, expected) in callers.into_iter().zip(expected) {
            let status = client.send(route.verb, &path, caller, "").await.status.as_u16();
            let refused = matches!(status, 401 | 403).then_some(status);
            assert_eq!(refused, expected, "{} {path} as {caller:?}", route.verb.name());
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn another_users_notification_is_not_found_and_stays_as_it_is() {
    let client = TestClient::start().await;
    let (one, two) = (client.player(1), client.player(2));
    let id = client.unread_of(1).await;
    let before = client.get("/notifications?limit=100", &one).await.json();
    let with_id = |route: &arcade::http::Route| route.path.starts_with("/notifications/{id}");
    for route in route_table().into_iter().filter(with_id) {
        let path = route.path.replace("{id}", &id.to_string());
        let missing = route.path.replace("{id}", "999999");
        let theirs = client.send(route.verb, &path, Some(&two), "").await;
        let nobodys = client.send(route.verb, &missing, Some(&two), "").await;
        assert_eq!((theirs.status.as_u16(), nobodys.status.as_u16()), (404, 404));
        // The answers must not tell which of the two exists.
        assert_eq!(theirs.json()["error"], nobodys.json()["error"]);
    }
    let after = client.send(Verb::Post, "/notifications/read-all", Some(&two), "").await;
    assert!(after.status.is_success());
    assert_eq!(client.get("/notifications?limit=100", &one).await.json(), before);
    client.stop().await;
}

fn signed(header: &Header, claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(header, claims, &key).expect("token")
}

/// Claims that are good, except for `changes`; a `null` takes a claim away.
fn claims(changes: Value) -> Value {
    let now = jsonwebtoken::get_current_timestamp();
    let mut claims =
        json!({ "sub": "1", "role": "player", "aud": "arcade", "iat": now, "exp": now + 600 });
    for (name, value) in changes.as_object().expect("object") {
        claims[name] = value.clone();
    }
    claims.as_object_mut().expect("object").retain(|_, value| !value.is_null());
    claims
}

fn bad_tokens() -> Vec<(&'static str, String)> {
    let hs256 = Header::new(Algorithm::HS256);
    let with = |changes| signed(&hs256, &claims(changes), SECRET);
    let good = with(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    // The header is {"alg":"none","typ":"JWT"}.
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts[1]);
    vec![
        ("empty", String::new()),
        ("no token", "nonsense".to_owned()),
        ("algorithm none", none),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("another algorithm", signed(&Header::new(Algorithm::HS512), &claims(json!({})), SECRET)),
        ("another secret", signed(&hs256, &claims(json!({})), "another secret, also 32 bytes long")),
        ("another audience", with(json!({ "aud": "elsewhere" }))),
        ("no audience", with(json!({ "aud": null }))),
        ("expired", with(json!({ "exp": jsonwebtoken::get_current_timestamp() - 60 }))),
        ("no expiry", with(json!({ "exp": null }))),
        ("not yet good", with(json!({ "nbf": jsonwebtoken::get_current_timestamp() + 60 }))),
        ("no subject", with(json!({ "sub": null }))),
        ("a subject that is no number", with(json!({ "sub": "one" }))),
        ("subject zero", with(json!({ "sub": "0" }))),
        ("a session that is no number", with(json!({ "sid": "first" }))),
        ("a role that does not exist", with(json!({ "role": "root" }))),
    ]
}

#[tokio::test]
async fn no_bad_token_is_let_in_and_no_answer_says_why() {
    let client = TestClient::start().await;
    let good = signed(&Header::new(Algorithm::HS256), &claims(json!({})), SECRET);
    assert_eq!(client.get("/notifications", &good).await.status, 200);
    for (name, token) in bad_tokens() {
        let answer = client.get("/notifications", &token).await;
        assert_eq!(answer.status, 401, "{name}");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{name}");
        assert_eq!(answer.json()["error"], "a valid bearer token is required", "{name}");
    }
    let basic = [("authorization", format!("Basic {good}"))];
    let basic: Vec<(&str, &str)> =
        basic.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(client.send_with(Verb::Get, "/notifications", &basic, "").await.status, 401);
    client.stop().await;
}

#[tokio::test]
async fn no_route_that_asks_for_a_token_takes_a_bad_one() {
    let client = TestClient::start().await;
    let guarded: Vec<_> =
        route_table().into_iter().filter(|route| route.access != Access::Public).collect();
    assert!(guarded.len() >= 7, "the table of routes lost its access");
    for (name, token) in bad_tokens() {
        for route in &guarded {
            let path = with_ids(route.path, "1");
            let answer = client.send(route.verb, &path, Some(&token), "").await;
            assert_eq!(answer.status, 401, "{} {path} with {name}", route.verb.name());
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn the_clocks_of_two_machines_may_differ_a_little() {
    let client = TestClient::start().await;
    let spent = client.tokens.issue(UserId(1), Role::Player, Duration::ZERO).expect("token");
    // Within the allowed difference of two clocks it is still taken.
    assert_eq!(client.get("/notifications", &spent).await.status, 200);
    client.stop().await;
}
