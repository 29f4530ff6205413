//! Malformed requests over real sockets: none makes the server fail or fall.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::support::{TestClient, asked};

/// How many are sent unless `ARCADE_MALFORMED` says otherwise; the long form sends 10,000.
const REQUESTS: usize = 500;

const METHODS: &[&str] =
    &["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "get", "", "G\u{0}T", "X"];

const PATHS: &[&str] = &[
    "/",
    "",
    "*",
    "/notifications",
    "/notifications/1/read",
    "/notifications/%zz",
    "//",
    "/../..",
    "/v1/tournaments",
    "/marketplace/items",
    "/auth/login",
    "/auth/register",
    "/api/auth/session",
    "/api/auth/sessions/%ff",
    "/users/0/role",
    "/openapi.json",
    "http://[::1",
    "/notifications?page=%",
    "/notifications?=&&&=",
    "/\u{7f}",
    "/%00",
    "/api/v1/cache",
    "/api/v1/cache/warm",
    "/api/rooms/%ff",
    "/api/rooms?ids=1,,",
    "/api/assets",
    "/api/systems?own=%",
    "/api/v1/builds",
    "/api/v1/builds/1",
    "/api/v1/builds/1/daevanion",
    "/api/v1/classes/%ff",
];

const HEADERS: &[&str] = &[
    "host: x",
    "host:",
    ": x",
    "x",
    "content-length: 5",
    "content-length: -1",
    "content-length: 1e9",
    "content-length: 5, 6",
    "transfer-encoding: chunked",
    "transfer-encoding: gzip, chunked",
    "authorization: Bearer",
    "authorization: Bearer a.b.c",
    "authorization: \u{ff}",
    "content-type: application/json",
    "content-type: ;;;",
    "content-encoding: gzip",
    "accept-encoding: gzip;q=9",
    "if-none-match: \"",
    "expect: 100-continue",
    "expect: nothing",
    "connection: upgrade\r\nupgrade: h2c",
    "range: bytes=9-1",
    "x-request-id: \u{1}",
    "x: y\r\n z",
];

const BODIES: &[&str] = &[
    "",
    "{}",
    "{",
    "[[[[",
    "null",
    "\u{0}\u{1}",
    "{\"a\":1e999}",
    "{\"a\":1,\"a\":2}",
    "5\r\n{}\r\n",
    "ffffffffffffffffffff\r\n",
    "0\r\n\r\n",
    "zz\r\n",
    "\"\\ud800\"",
    "{\"name\": \"\\u0000\"}",
];

/// A request that has parts at random, and sometimes random bytes over them.
fn malformed(dice: &mut StdRng, tokens: &[String]) -> Vec<u8> {
    let pick = |dice: &mut StdRng, from: &[&'static str]| *from.choose(dice).expect("not empty");
    let version = pick(dice, &["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/9", ""]);
    let mut text = format!("{} {} {version}\r\n", pick(dice, METHODS), pick(dice, PATHS));
    for _ in 0..dice.random_range(0..6) {
        text.push_str(pick(dice, HEADERS));
        text.push_str("\r\n");
    }
    if dice.random_bool(0.5) {
        let token = tokens.choose(dice).expect("not empty");
        text.push_str(&format!("host: x\r\nauthorization: Bearer {token}\r\n"));
    }
    text.push_str("connection: close\r\n\r\n");
    text.push_str(pick(dice, BODIES));
    let mut bytes = text.into_bytes();
    if dice.random_bool(0.3) {
        for _ in 0..dice.random_range(1..8) {
            let place = dice.random_range(0..bytes.len());
            bytes[place] = dice.random();
        }
    }
    bytes
}

#[tokio::test]
async fn no_malformed_request_makes_the_server_fail() {
    // A request that never ends costs the read timeout; a short one keeps the run short.
    let client = TestClient::start_with(&[("ARCADE_READ_TIMEOUT_MS", "20")]).await;
    let requests = asked("ARCADE_MALFORMED").unwrap_or(REQUESTS as u64);
    let seed = asked("ARCADE_SEED").unwrap_or_else(|| rand::rng().random());
    println!("{requests} malformed requests with ARCADE_SEED={seed}");
    let tokens = [client.player(1), client.admin()];
    let mut dice = StdRng::seed_from_u64(seed);
    for number in 0..requests {
        let request = malformed(&mut dice, &tokens);
        let answer = client.raw(&request).await;
        let status = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
        let fine = status.is_none_or(|status| !status.starts_with('5'));
        let shown = String::from_utf8_lossy(&request);
        assert!(fine, "request {number} of seed {seed}: {shown:?}\n{answer}");
    }
    let after = client.get("/notifications", &client.player(1)).await;
    assert_eq!(after.status, 200, "no longer serving");
    let metrics = client.send(arcade::http::Verb::Get, "/metrics", None, "").await;
    assert!(!metrics.text.contains("status=\"500\""), "{}", metrics.text);
    client.stop().await;
}
