//! Who asks too often waits; the others do not notice.

use arcade::app::route_table;
use arcade::http::{Traffic, Verb};

use crate::support::TestClient;

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let client = TestClient::start_with(&[("ARCADE_REQUESTS_PER_MINUTE", "5")]).await;
    for _ in 0..5 {
        assert_eq!(client.send(Verb::Get, "/api/health", None, "").await.status, 200);
    }
    for path in ["/api/health", "/nowhere", "/api/v1/cache"] {
        let refused = client.send(Verb::Get, path, None, "").await;
        assert_eq!(refused.status, 429, "{path}");
        let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!((1..=61).contains(&seconds), "{seconds}");
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert_eq!(refused.json()["error"], "too many requests");
    }
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(client.send(Verb::Get, path, None, "").await.status, 200, "{path}");
    }
    client.stop().await;
}

#[tokio::test]
async fn a_thousand_bad_tokens_are_ten_tries() {
    let client = TestClient::start_with(&[("ARCADE_BAD_TOKENS_PER_MINUTE", "10")]).await;
    for number in 1..=1_000 {
        let answer = client.get("/notifications", &format!("guess-{number}")).await;
        let expected = if number <= 10 { 401 } else { 429 };
        assert_eq!(answer.status, expected, "try {number}");
    }
    // A good guess would look the same, so it is no use to go on.
    assert_eq!(client.get("/notifications", &client.player(1)).await.status, 429);
    assert_eq!(client.send(Verb::Get, "/api/health", None, "").await.status, 200);
    client.stop().await;
}

#[tokio::test]
async fn without_a_setting_nobody_is_limited() {
    let client = TestClient::start().await;
    for _ in 0..150 {
        assert_eq!(client.get("/notifications", "guess").await.status, 401);
    }
    client.stop().await;
}

#[test]
fn where_passwords_and_sessions_are_tried_the_narrow_limits_hold() {
    for route in route_table() {
        let expected = match route.path {
            "/auth/login" | "/auth/register" => Traffic::Login,
            "/auth/refresh" => Traffic::Refresh,
            "/livez" | "/readyz" | "/metrics" => Traffic::Probe,
            _ => Traffic::Usual,
        };
        assert_eq!(route.traffic, expected, "{}", route.path);
    }
}
