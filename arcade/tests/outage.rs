//! What happens while the database is away, and after. A file cannot go away, so on SQLite there is
//! nothing to see here; `system.rs` closes it instead.

mod support;

use arcade::http::Verb;
use support::{PATIENCE, TestClient};
use tokio::time::timeout;

#[tokio::test]
async fn a_killed_database_costs_only_what_is_not_cached_and_comes_back_by_itself() {
    let client = TestClient::start().await;
    let Some(database) = &client.database else {
        return client.stop().await;
    };
    let (one, two) = (client.player(1), client.player(2));
    let before = client.get("/notifications", &one).await;
    database.server.kill();
    let hit = client.get("/notifications", &one).await;
    assert_eq!((hit.header("x-cache"), &hit.text), ("HIT", &before.text));
    let lost = timeout(PATIENCE, client.get("/notifications", &two)).await.expect("in time");
    assert_eq!((lost.status.as_u16(), lost.header("retry-after")), (503, "1"));
    assert_eq!(lost.header("content-type"), "application/problem+json");
    let change = client.send(Verb::Post, "/notifications/read-all", Some(&one), "");
    assert_eq!(timeout(PATIENCE, change).await.expect("in time").status, 503);
    let health = client.send(Verb::Get, "/api/health", None, "").await;
    assert_eq!((health.status.as_u16(), &health.json()["status"]), (503, &"unhealthy".into()));
    assert!(health.json()["components"]["database"]["reason"].is_string(), "{}", health.text);
    database.server.start();
    let back = async { while client.get("/notifications", &two).await.status != 200 {} };
    timeout(PATIENCE, back).await.expect("it comes back by itself");
    let change = client.send(Verb::Post, "/notifications/read-all", Some(&one), "").await;
    assert_eq!(change.status, 200);
    let after = client.get("/notifications", &one).await;
    assert_eq!((after.header("x-cache"), after.unread()), ("MISS", 0));
    client.stop().await;
}
