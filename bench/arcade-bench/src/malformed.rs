//! Malformed requests: none makes the server panic or answer 5xx, and it still serves afterwards.

use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use yardstick::keys;
use yardstick::verdict::{Bound, Verdict};

use crate::side::Side;

pub(crate) const REQUESTS: usize = 10_000;
const SEED: u64 = 20_261_129;
/// A server that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(15);
/// The start of an answer, which names its status.
const HEAD_BYTES: usize = 4_096;

const PATHS: [&str; 10] = [
    "/notifications",
    "/notifications/1/read",
    "/notifications/unread-count",
    "/marketplace/items",
    "/marketplace/items/1",
    "/marketplace/items/1/buy",
    "/marketplace/inventory",
    "/v1/tournaments",
    "/v1/tournaments/1",
    "/api/v1/cache",
];

const METHODS: [&str; 7] = ["GET", "POST", "PATCH", "DELETE", "PUT", "BREW", "get"];

const VALUES: [&str; 16] = [
    "-1",
    "0",
    "1e999",
    "NaN",
    "0.1",
    "\"1 \"",
    "18446744073709551616",
    "%00",
    "%ff",
    "..",
    "*",
    "[?]",
    "{}",
    "\u{202e}",
    "a%0d%0ab",
    "99999999999999999999999999",
];

/// Sends `requests` malformed requests.
///
/// # Errors
/// The server cannot be reached, or a bound was not kept.
pub(crate) async fn run(requests: usize) -> anyhow::Result<()> {
    println!("      seed {SEED}, {requests} requests");
    let side = Side::start("on").await?;
    let tokens = [side.player(1)?, side.admin()?];
    let mut chance = keys::seeded(SEED);
    let mut counts = std::collections::BTreeMap::<u16, usize>::new();
    for _ in 0..requests {
        let request = malformed(&mut chance, &tokens);
        *counts.entry(status(&side.address, &request).await?).or_default() += 1;
    }
    println!("      answers by status (0 is a closed connection): {counts:?}");
    let serving = side.client.get("/marketplace/items", None).await?.status;
    let failed: usize = counts.range(500..).map(|(_, count)| count).sum();
    let mut verdict = Verdict::default();
    verdict.judge(
        "answers of 5xx, which is also how a panic ends",
        failed as f64,
        Bound::AtMost(0.0),
    );
    verdict.judge("status of a good request afterwards", f64::from(serving), Bound::AtMost(200.0));
    side.stop().await?;
    verdict.end()
}

/// Sends raw bytes on a connection of their own; gives the status, or 0 if there was none.
async fn status(address: &str, request: &[u8]) -> anyhow::Result<u16> {
    let (mut reading, mut writing) = TcpStream::connect(address).await?.into_split();
    // The server may close before it has read everything; what counts is its answer.
    match writing.write_all(request).await {
        Ok(()) | Err(_) => drop(writing),
    }
    let mut head = vec![0; HEAD_BYTES];
    let read = timeout(PATIENCE, reading.read(&mut head)).await;
    let read = match read {
        Ok(read) => read.unwrap_or(0),
        Err(_) => anyhow::bail!("no answer to {:?}", String::from_utf8_lossy(request)),
    };
    let line = String::from_utf8_lossy(&head[..read]).into_owned();
    Ok(line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0))
}

fn malformed(chance: &mut SmallRng, tokens: &[String; 2]) -> Vec<u8> {
    let path = pick(chance, &PATHS);
    let token = &tokens[chance.random_range(0..2)];
    match chance.random_range(0..8) {
        0 => (0..chance.random_range(1..400)).map(|_| chance.random()).collect(),
        1 => {
            let body = json(chance);
            with_body(chance, path, token, &body)
        }
        2 => {
            let field = pick(chance, &["page", "limit", "x"]);
            let query = format!("{path}?{field}={}", pick(chance, &VALUES));
            head(pick(chance, &METHODS), &query, token, "")
        }
        3 => {
            let value = pick(chance, &VALUES);
            head(pick(chance, &METHODS), &path.replace('1', value), token, "")
        }
        4 => {
            let [key, length] = [pick(chance, &VALUES), pick(chance, &VALUES)];
            let extra = format!("idempotency-key: {key}\r\ncontent-length: {length}\r\n");
            head("POST", path, token, &extra)
        }
        5 => {
            let mut request = head("POST", path, token, "transfer-encoding: chunked\r\n");
            request.extend_from_slice(
                pick(chance, &["5\r\nab", "zz\r\n", "ffffffffffffffff\r\n", "0"]).as_bytes(),
            );
            request
        }
        6 => {
            let mut request = with_body(chance, path, token, "{\"price\": 1}");
            let flipped = chance.random_range(0..request.len());
            request[flipped] = chance.random();
            request
        }
        _ => {
            let body = json(chance);
            let mut request = with_body(chance, path, token, &body);
            request.truncate(chance.random_range(1..request.len()));
            request
        }
    }
}

fn pick<'a>(chance: &mut SmallRng, from: &[&'a str]) -> &'a str {
    from[chance.random_range(0..from.len())]
}

fn head(method: &str, path: &str, token: &str, extra: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{extra}\
         connection: close\r\n\r\n"
    )
    .into_bytes()
}

fn with_body(chance: &mut SmallRng, path: &str, token: &str, body: &str) -> Vec<u8> {
    let method = pick(chance, &METHODS);
    let kind = pick(chance, &["application/json", "text/plain", "application/json; charset=\u{1f}"]);
    let extra = format!("content-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    let mut request = head(method, path, token, &extra);
    request.extend_from_slice(body.as_bytes());
    request
}

fn json(chance: &mut SmallRng) -> String {
    let field = pick(chance, &["price", "stock", "expectedPrice", "name", "userId", "role", ""]);
    let value = pick(chance, &VALUES);
    match chance.random_range(0..5) {
        0 => format!("{{\"{field}\": {value}}}"),
        1 => format!("{{\"{field}\": {value}, \"{field}\": {value}}}"),
        2 => "[".repeat(chance.random_range(1..20_000)),
        3 => format!("{{\"{field}\": \"{}\"}}", "x".repeat(chance.random_range(0..100_000))),
        _ => format!("{{\"{field}\": {}", "9".repeat(chance.random_range(1..10_240))),
    }
}
