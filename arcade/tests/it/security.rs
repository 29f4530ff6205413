//! What no request may do, whatever the route: each promise holds for every route of the table.

use arcade::app::route_table;
use arcade::http::{Access, Route, Verb};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::support::{Answer, PATIENCE, TestClient, with_ids};

/// Fields that somebody may try to set along with the right ones.
const EXTRAS: [&str; 6] = ["balance", "role", "fence", "passwordHash", "isAdmin", "__proto__"];

fn changing() -> Vec<Route> {
    route_table().into_iter().filter(|route| route.verb != Verb::Get).collect()
}

fn named(answer: &Answer) -> Vec<String> {
    let problem = answer.json();
    let details = problem["details"].as_array().cloned().unwrap_or_default();
    details.iter().filter_map(|detail| detail["path"].as_str().map(str::to_owned)).collect()
}

async fn posted(client: &TestClient, route: &Route, body: &str) -> Answer {
    let token = client.fitting(route);
    client.send(route.verb, &with_ids(route.path, "1"), token.as_deref(), body).await
}

#[tokio::test]
async fn no_route_takes_a_field_that_it_did_not_ask_for() {
    let client = TestClient::start().await;
    for route in changing() {
        let asked = route.takes.body_fields().iter().map(|field| field.name);
        let asked: Vec<&str> = asked.collect();
        let extras: Vec<&str> = EXTRAS.into_iter().filter(|extra| !asked.contains(extra)).collect();
        let members = extras.iter().map(|extra| format!("\"{extra}\": 1"));
        let body = format!("{{{}}}", members.collect::<Vec<_>>().join(", "));
        let answer = posted(&client, &route, &body).await;
        assert_eq!(answer.status, 400, "{} {}: {answer:?}", route.verb.name(), route.path);
        let named = named(&answer);
        assert!(extras.iter().all(|extra| named.iter().any(|one| one == extra)), "{named:?}");
    }
    client.stop().await;
}

#[tokio::test]
async fn no_number_is_taken_that_is_none_or_out_of_bounds() {
    let client = TestClient::start().await;
    let digits = "9".repeat(10_000);
    let never = ["-9223372036854775809", "1e999", "0.1", "1e1", "\"1\"", "\"1 \"", "true", "[1]"];
    let huge = ["18446744073709551616", "340282366920938463463374607431768211456", &digits];
    for route in changing() {
        for field in route.takes.body_fields() {
            if field.schema["type"] != "integer" {
                continue;
            }
            let below = field.schema["minimum"].as_i64().map(|least| (least - 1).to_string());
            let numbers = never.into_iter().chain(huge).chain(below.as_deref());
            for number in numbers {
                let body = format!("{{\"{}\": {number}}}", field.name);
                let answer = posted(&client, &route, &body).await;
                assert_eq!(answer.status, 400, "{} {body:.80}", route.path);
                assert!(named(&answer).iter().any(|one| one == field.name), "{body:.80}");
            }
            let twice = format!("{{\"{0}\": 1, \"{0}\": 2}}", field.name);
            assert_eq!(posted(&client, &route, &twice).await.status, 400, "{twice}");
            let none = format!("{{\"{}\": NaN}}", field.name);
            assert_eq!(posted(&client, &route, &none).await.status, 400, "{none}");
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn no_route_reads_a_body_beyond_the_limit() {
    let client = TestClient::start_with(&[("ARCADE_BODY_BYTES_MAX", "1024")]).await;
    for route in changing() {
        let body = format!("{{\"a\": \"{}\"}}", "x".repeat(1_025));
        let answer = posted(&client, &route, &body).await;
        assert_eq!(answer.status, 413, "{} {}", route.verb.name(), route.path);
    }
    client.stop().await;
}

#[tokio::test]
async fn no_route_inflates_a_body() {
    let client = TestClient::start().await;
    for route in changing() {
        let bearer = format!("Bearer {}", client.fitting(&route).unwrap_or_default());
        for encoding in ["gzip", "br", "zstd", "gzip, gzip"] {
            let headers = [
                ("authorization", bearer.as_str()),
                ("content-type", "application/json"),
                ("content-encoding", encoding),
            ];
            let path = with_ids(route.path, "1");
            let answer = client.send_with(route.verb, &path, &headers, "{}").await;
            assert_eq!(answer.status, 415, "{} {path} {encoding}", route.verb.name());
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn a_chunked_body_without_an_end_is_cut_off_at_the_limit() {
    let client = TestClient::start_with(&[("ARCADE_BODY_BYTES_MAX", "1024")]).await;
    let mut request = format!(
        "POST /notifications/read-all HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        client.player(1)
    );
    for _ in 0..64 {
        request.push_str(&format!("100\r\n{}\r\n", "x".repeat(0x100)));
    }
    let answer = client.raw(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    client.stop().await;
}

#[tokio::test]
async fn who_sends_too_slowly_is_not_waited_for() {
    let client = TestClient::start_with(&[("ARCADE_READ_TIMEOUT_MS", "50")]).await;
    let body = client.half_sent("/notifications/read-all").await.answer().await;
    assert!(body.starts_with("HTTP/1.1 408 "), "{body}");
    assert!(body.contains("application/problem+json"), "{body}");
    // A head that never ends: a header now and then, until the server has had enough.
    let mut stream = client.connected().await;
    let trickle = async {
        while stream.write_all(b"GET /livez HTTP/1.1\r\nx: y\r\n").await.is_ok() {
            tokio::task::yield_now().await;
            let mut byte = [0; 1];
            match stream.try_read(&mut byte) {
                Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => {}
                _ => break,
            }
        }
    };
    timeout(PATIENCE, trickle).await.expect("the connection is closed in time");
    client.stop().await;
}

#[tokio::test]
async fn strange_values_are_refused_or_harmless_wherever_they_stand() {
    let client = TestClient::start().await;
    let long = "x".repeat(8_192);
    let values = [
        "*",
        "%3F",
        "%5B12%5D",
        "%5E",
        "%5C",
        "%7B%7D",
        "a%3Ab",
        "%00",
        "%0D%0A",
        "..%2F..",
        "%2E%2E",
        "%E2%80%AE",
        "%FF",
        "1%20",
        "%2B1",
        "1e1",
        "'%20OR%201=1--",
        &long,
    ];
    for route in route_table() {
        let token = client.fitting(&route);
        for value in values {
            if route.parameters().next().is_some() {
                let path = with_ids(route.path, value);
                let answer = client.send(route.verb, &path, token.as_deref(), "").await;
                // A dot segment is another path.
                assert!([400, 404].contains(&answer.status.as_u16()), "{path:.80}: {answer:?}");
            }
            let known = route.takes.query.iter().map(|field| field.name);
            for name in known.chain(["unknown"]) {
                let path = format!("{}?{name}={value}", with_ids(route.path, "1"));
                let answer = client.send(route.verb, &path, token.as_deref(), "").await;
                assert!(answer.status.as_u16() < 500, "{path:.80}: {answer:?}");
            }
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn an_answer_for_one_caller_is_kept_by_nobody_else() {
    let client = TestClient::start().await;
    for route in route_table().into_iter().filter(|route| route.access != Access::Public) {
        for token in [client.fitting(&route), None] {
            let answer =
                client.send(route.verb, &with_ids(route.path, "1"), token.as_deref(), "").await;
            let control = answer.header("cache-control");
            let kept = control != "no-store" && !control.starts_with("private");
            assert!(!kept, "{} {}: {control}", route.verb.name(), route.path);
            assert!(!answer.headers.contains_key("set-cookie"));
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn headers_that_are_no_part_of_the_key_do_not_reach_a_cached_answer() {
    let strange = [
        ("x-forwarded-host", "canary.example"),
        ("x-forwarded-for", "canary.example"),
        ("x-forwarded-proto", "canary"),
        ("forwarded", "host=canary.example"),
        ("x-original-url", "/canary"),
        ("accept-language", "canary"),
        ("cookie", "session=canary"),
    ];
    for route in route_table().into_iter().filter(|route| !route.cached.is_empty()) {
        // Each with a cache of its own, so that the strange request is the one that fills it.
        let client = TestClient::start().await;
        let bearer = format!("Bearer {}", client.player(1));
        let headers: Vec<(&str, &str)> =
            strange.into_iter().chain([("authorization", bearer.as_str())]).collect();
        let path = with_ids(route.path, "1");
        let first = client.send_with(route.verb, &path, &headers, "").await;
        let plain = client.send_with(route.verb, &path, &headers[strange.len()..], "").await;
        assert_eq!(first.status, plain.status, "{path}");
        if first.status == 200 {
            assert_eq!((plain.header("x-cache"), &first.text), ("HIT", &plain.text), "{path}");
        }
        let mut told = plain.headers.values().filter_map(|value| value.to_str().ok());
        assert!(!plain.text.contains("canary") && !told.any(|value| value.contains("canary")));
        client.stop().await;
    }
}

#[tokio::test]
async fn paths_and_methods_that_callers_invent_make_no_new_series() {
    let client = TestClient::start().await;
    let series = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    let paths: Vec<String> = (0..2_000).map(|number| format!("/canary/{number:x}")).collect();
    for path in &paths {
        assert_eq!(client.send(Verb::Get, path, None, "").await.status, 404);
    }
    for number in 0..50 {
        let request =
            format!("CANARY{number} /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = client.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    }
    let metrics = client.send(Verb::Get, "/metrics", None, "").await.text;
    assert!(series(&metrics) <= 2_000, "{}", series(&metrics));
    assert!(!metrics.to_lowercase().contains("canary"), "{metrics}");
    client.stop().await;
}

#[tokio::test]
async fn a_line_break_that_is_smuggled_in_breaks_no_header() {
    let client = TestClient::start().await;
    for path in ["/%0D%0Aset-cookie:%20a=b", "/notifications?page=1%0D%0Aset-cookie:%20a=b"] {
        let answer = client.send(Verb::Get, path, Some(&client.player(1)), "").await;
        assert!(answer.status.is_client_error(), "{path}");
        assert!(!answer.headers.contains_key("set-cookie"), "{path}");
    }
    let headers = [("x-request-id", "a%0d%0aset-cookie:b")];
    let answer = client.send_with(Verb::Get, "/livez", &headers, "").await;
    assert!(!answer.header("x-request-id").contains('%'));
    client.stop().await;
}

#[tokio::test]
async fn a_deep_body_is_refused_like_any_other() {
    let client = TestClient::start().await;
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for route in changing() {
        let answer = posted(&client, &route, &deep).await;
        assert_eq!(answer.status, 400, "{} {}", route.verb.name(), route.path);
        assert_eq!(answer.json()["success"], success(&route));
    }
    client.stop().await;
}

fn success(route: &Route) -> Value {
    if route.path.starts_with("/api/v1/") { json!(false) } else { Value::Null }
}
