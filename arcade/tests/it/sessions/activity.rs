//! When somebody has asked last in a session: seen at once, in the database soon, at no cost to speak
//! of.

use arcade::http::Verb;
use larder_rig::Stopwatch;
use serde_json::{Value, json};

use crate::support::sessions::LoggedIn;
use crate::support::{PATIENCE, TestClient};

/// Notes the activity of each request.
const EACH: [(&str, &str); 1] = [("ARCADE_ACTIVITY_EVERY_S", "0")];

/// A session that was not used for long.
async fn rested(client: &TestClient) -> LoggedIn {
    let session = client.logged_in(1).await;
    client.execute("UPDATE sessions SET last_active_at_ms = 1".to_owned()).await;
    session
}

async fn in_database(client: &TestClient) -> i64 {
    client.number("SELECT MAX(last_active_at_ms) FROM sessions".to_owned()).await
}

async fn figures(client: &TestClient) -> Value {
    client.get("/api/v1/cache", &client.admin()).await.json()["data"]["activity"].clone()
}

#[tokio::test]
async fn activity_shows_at_once_and_is_in_the_database_soon() {
    let client = TestClient::start_with(&EACH).await;
    let session = rested(&client).await;
    let begun = Stopwatch::started();
    client.get("/users/me", &session.access).await;
    // The lists ask what is written behind; what the entry itself remembers does not help them.
    let listed = client.get("/api/auth/sessions", &client.player(1)).await.json();
    let shown = listed["items"][0]["lastActivityMs"].as_i64().expect("a time");
    assert!(shown > 1, "{listed}");
    while in_database(&client).await < shown {
        assert!(begun.elapsed() < PATIENCE, "it does not reach the database");
    }
    assert_eq!(in_database(&client).await, shown);
    let listed = client.get("/api/auth/sessions", &client.player(1)).await.json();
    assert_eq!(listed["items"][0]["lastActivityMs"], shown);
    assert_eq!(figures(&client).await["acknowledged"], 1);
    client.stop().await;
}

#[tokio::test]
async fn many_requests_of_a_session_are_one_note_of_its_activity() {
    let client = TestClient::start().await;
    let session = rested(&client).await;
    for _ in 0..50 {
        client.get("/users/me", &session.access).await;
    }
    let figures = figures(&client).await;
    let count = |name: &str| figures[name].as_u64().expect("a count");
    // On a slow disk the request may have gone on before it was noted; there is no second try.
    assert!(count("acknowledged") <= 1 && count("skipped") <= 1, "{figures}");
    assert!(count("acknowledged") + count("skipped") >= 1, "{figures}");
    client.stop().await;
}

#[tokio::test]
async fn notes_that_come_together_reach_the_database_once() {
    let client = TestClient::start_with(&EACH).await;
    let session = rested(&client).await;
    for _ in 0..20 {
        client.get("/users/me", &session.access).await;
    }
    let begun = Stopwatch::started();
    let figures = loop {
        let figures = figures(&client).await;
        if figures["waiting"] == 0 {
            break figures;
        }
        assert!(begun.elapsed() < PATIENCE, "{figures}");
    };
    let count = |name: &str| figures[name].as_u64().expect("a count");
    println!(
        "{} notes became {} in {} batches",
        count("acknowledged"),
        count("flushed"),
        count("batches")
    );
    assert!(count("acknowledged") + count("skipped") >= 20, "{figures}");
    // They came within a second or a few, and a flush waits for one.
    assert!(count("flushed") <= 10, "{figures}");
    client.stop().await;
}

#[tokio::test]
async fn activity_that_the_database_refuses_is_parked_and_shows_as_degraded() {
    let client = TestClient::start_with(&EACH).await;
    let session = rested(&client).await;
    client.get("/users/me", &session.access).await;
    client.execute("ALTER TABLE sessions RENAME TO away_sessions".to_owned()).await;
    let (begun, report) = (Stopwatch::started(), || client.send(Verb::Get, "/api/health", None, ""));
    loop {
        // The request itself does not notice.
        assert_eq!(client.get("/users/me", &session.access).await.status, 200);
        let report = report().await;
        let activity = &report.json()["components"]["activity"];
        if activity["status"] == "degraded" {
            assert_eq!((report.status.as_u16(), &report.json()["status"]), (200, &json!("degraded")));
            assert_eq!(activity["reason"], "the database refuses activity");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{activity}");
    }
    assert!(figures(&client).await["parked"].as_u64() > Some(0));
    let metrics = client.send(Verb::Get, "/metrics", None, "").await.text;
    let parked =
        metrics.lines().find(|line| line.starts_with("write_behind_writes{state=\"parked\"}"));
    assert!(parked.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
    client.stop().await;
}
