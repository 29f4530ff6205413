//! What an operator sees: health, metrics, the cache's figures.

use arcade::http::Verb;
use serde_json::json;

use crate::support::TestClient;

#[tokio::test]
async fn both_health_paths_give_one_report() {
    let client = TestClient::start().await;
    for path in ["/api/health", "/api/v1/health"] {
        let report = client.send(Verb::Get, path, None, "").await;
        assert_eq!(report.status, 200);
        let report = report.json();
        assert_eq!((&report["status"], &report["profile"]), (&json!("healthy"), &json!("test")));
        for component in ["database", "cache"] {
            assert_eq!(report["components"][component]["status"], "healthy");
        }
    }
    for (path, status) in [("/readyz", "ready"), ("/livez", "live")] {
        let answer = client.send(Verb::Get, path, None, "").await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "status": status })));
    }
    client.stop().await;
}

#[tokio::test]
async fn without_the_database_what_is_cached_is_served_and_the_rest_is_503() {
    let client = TestClient::start().await;
    let (one, two) = (client.player(1), client.player(2));
    client.get("/notifications", &one).await;
    client.store.close().await;
    assert_eq!(client.get("/notifications", &one).await.header("x-cache"), "HIT");
    let lost = client.get("/notifications", &two).await;
    assert_eq!((lost.status.as_u16(), lost.header("retry-after")), (503, "1"));
    let change = client.send(Verb::Post, "/notifications/read-all", Some(&one), "").await;
    assert_eq!(change.status, 503);
    for (path, status, word) in
        [("/api/health", 503, "unhealthy"), ("/readyz", 503, "no database"), ("/livez", 200, "live")]
    {
        let answer = client.send(Verb::Get, path, None, "").await;
        assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (status, &json!(word)));
    }
    client.stop().await;
}

#[tokio::test]
async fn a_draining_server_is_alive_and_not_ready() {
    let client = TestClient::start().await;
    client.draining.cancel();
    for (path, status, word) in [("/readyz", 503, "draining"), ("/livez", 200, "live")] {
        let answer = client.send(Verb::Get, path, None, "").await;
        assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (status, &json!(word)));
    }
    client.stop().await;
}

#[tokio::test]
async fn the_admin_sees_what_the_readers_caused() {
    let client = TestClient::start().await;
    let (one, admin) = (client.player(1), client.admin());
    for _ in 0..4 {
        client.get("/notifications", &one).await;
    }
    client.get("/notifications/unread-count", &one).await;
    let seen = client.get("/api/v1/cache", &admin).await.json();
    assert_eq!(seen["success"], true);
    let data = &seen["data"];
    assert_eq!((&data["redis"]["hits"], &data["redis"]["misses"]), (&json!(3), &json!(2)));
    assert_eq!((&data["redis"]["hitRate"], &data["redis"]["errors"]), (&json!(60.0), &json!(0)));
    assert_eq!(data["performance"]["hitRateAchieved"], false);
    let caches = data["caches"].as_array().expect("caches");
    let pages = caches.iter().find(|one| one["name"] == "notifications").expect("its pages");
    assert_eq!((&pages["hitsMemory"], &pages["hitRate"]), (&json!(3), &json!(75.0)));
    client.stop().await;
}

#[tokio::test]
async fn each_read_of_the_source_is_counted_and_a_hit_is_a_saved_one() {
    let client = TestClient::start().await;
    let (one, admin) = (client.player(1), client.admin());
    for path in ["/notifications", "/notifications", "/notifications", "/notifications?page=4"] {
        client.get(path, &one).await;
    }
    let seen = client.get("/api/v1/cache", &admin).await.json();
    let pages = seen["data"]["caches"].as_array().expect("caches").iter();
    let pages = pages.clone().find(|one| one["name"] == "notifications").expect("its pages");
    // A page that is not kept is read each time.
    assert_eq!((&pages["sourceReads"], &pages["savedReads"]), (&json!(2), &json!(2)));
    assert_eq!(metric(&client, r#"source_reads_total{cache="notifications"}"#).await, 2.0);
    client.stop().await;
}

#[tokio::test]
async fn without_caching_each_read_asks_the_source_and_says_so() {
    let client = TestClient::start_with(&[("CACHE_ENABLED", "off")]).await;
    let one = client.player(1);
    for _ in 0..3 {
        let read = client.get("/notifications", &one).await;
        assert_eq!((read.status.as_u16(), read.header("x-cache")), (200, "BYPASS"));
    }
    assert_eq!(metric(&client, r#"source_reads_total{cache="notifications"}"#).await, 3.0);
    client.stop().await;
}

#[tokio::test]
async fn a_reset_starts_the_admins_counts_anew_and_leaves_the_metrics() {
    let client = TestClient::start().await;
    let (one, admin) = (client.player(1), client.admin());
    client.get("/notifications", &one).await;
    client.get("/notifications", &one).await;
    let reset = client.send(Verb::Delete, "/api/v1/cache", Some(&admin), "").await.json();
    assert_eq!(
        (&reset["data"]["redis"]["hits"], &reset["data"]["redis"]["hitRate"]),
        (&json!(0), &json!(null))
    );
    client.get("/notifications", &one).await;
    let seen = client.get("/api/v1/cache", &admin).await.json();
    assert_eq!(
        (&seen["data"]["redis"]["hits"], &seen["data"]["redis"]["misses"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        metric(&client, r#"cache_hits_total{cache="notifications",origin="memory"}"#).await,
        2.0
    );
    client.stop().await;
}

#[tokio::test]
async fn metrics_count_what_happened_under_bounded_labels() {
    let client = TestClient::start().await;
    let one = client.player(1);
    for _ in 0..3 {
        client.get("/notifications", &one).await;
    }
    client.send(Verb::Post, "/notifications/read-all", Some(&one), "").await;
    for path in ["/a", "/b/c", "/notifications/17"] {
        client.send(Verb::Get, path, None, "").await;
    }
    let cases = [
        (r#"cache_hits_total{cache="notifications",origin="memory"}"#, 2.0),
        (r#"cache_hits_total{cache="notifications",origin="shared"}"#, 0.0),
        (r#"cache_misses_total{cache="notifications"}"#, 1.0),
        (r#"cache_errors_total{cache="notifications"}"#, 0.0),
        (
            r#"cache_operation_duration_seconds_count{cache="notifications",operation="read",origin="memory"}"#,
            2.0,
        ),
        (r#"outbox_rows{state="parked"}"#, 0.0),
        ("outbox_relayed_total", 0.0),
        (r#"http_requests_total{method="GET",route="/notifications",status="200"}"#, 3.0),
        (r#"http_requests_total{method="GET",route="unmatched",status="404"}"#, 2.0),
        (r#"http_requests_total{method="GET",route="/notifications/{id}",status="405"}"#, 1.0),
    ];
    for (name, expected) in cases {
        assert_eq!(metric(&client, name).await, expected, "{name}");
    }
    // A change names the pages by a prefix, which counts as more than one name.
    for cache in ["notifications", "notifications-unread"] {
        let name = format!("cache_invalidations_total{{cache=\"{cache}\"}}");
        assert!(metric(&client, &name).await >= 1.0, "{name}");
    }
    client.stop().await;
}

#[tokio::test]
async fn a_hit_is_timed_in_seconds() {
    let client = TestClient::start().await;
    let one = client.player(1);
    client.get("/notifications", &one).await;
    client.get("/notifications", &one).await;
    let name = r#"cache_operation_duration_seconds_sum{cache="notifications",operation="read",origin="memory"}"#;
    let seconds = metric(&client, name).await;
    // A hit takes microseconds; counted in milliseconds or microseconds it would be above this.
    assert!(seconds > 0.0 && seconds < 0.5, "{seconds}");
    client.stop().await;
}

#[tokio::test]
async fn a_request_over_its_deadline_is_answered_with_503_and_a_problem() {
    let client = TestClient::start_with(&[("ARCADE_REQUEST_TIMEOUT_MS", "10")]).await;
    let stalled = client.half_sent("/notifications/read-all").await.answer().await;
    assert!(stalled.starts_with("HTTP/1.1 503 "), "{stalled}");
    assert!(stalled.contains("application/problem+json"), "{stalled}");
    client.stop().await;
}

#[tokio::test]
async fn a_request_in_flight_is_answered_while_the_server_drains() {
    let client = TestClient::start().await;
    let half_sent = client.half_sent("/notifications/read-all").await;
    // Connections are accepted in order, so the earlier one has been by the time this is answered.
    client.send(Verb::Get, "/livez", None, "").await;
    client.drain();
    let answer = half_sent.finish().await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    client.stop().await;
}

#[tokio::test]
async fn long_answers_are_compressed_and_short_ones_are_not() {
    let client = TestClient::start().await;
    let bearer = format!("Bearer {}", client.player(1));
    let headers = [("authorization", bearer.as_str()), ("accept-encoding", "gzip")];
    for (path, coding) in [("/notifications", "gzip"), ("/notifications/unread-count", "")] {
        let answer = client.send_with(Verb::Get, path, &headers, "").await;
        assert_eq!(answer.header("content-encoding"), coding, "{path}");
    }
    client.stop().await;
}

async fn metric(client: &TestClient, name: &str) -> f64 {
    let text = client.send(Verb::Get, "/metrics", None, "").await.text;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().expect("a number")
}
