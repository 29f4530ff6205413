//! What happens while the database is away, and after. A file cannot go away, so on SQLite there is
//! nothing to see here; `system.rs` closes it instead.

use std::sync::Arc;
use std::time::Duration;

use arcade::http::Verb;
use arcade::ledger::{self, Audit};
use larder_rig::PostgresDatabase;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{Answer, PATIENCE, TestClient};

/// A write is refused after 800 ms of silence; without that it waits for three seconds. In between,
/// because a machine under load stands still now and then.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

/// More than there are connections to the database, so that some wait for their turn.
const BUYERS: i64 = 16;

fn database(client: &TestClient) -> &PostgresDatabase {
    client.database.as_ref().expect("it runs on a server")
}

#[tokio::test]
async fn a_killed_database_costs_only_what_is_not_cached_and_comes_back_by_itself() {
    let Some(client) = TestClient::start_apart().await else { return };
    let (one, two) = (client.player(1), client.player(2));
    let before = client.get("/notifications", &one).await;
    database(&client).server.kill();
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
    database(&client).server.start();
    let back = async { while client.get("/notifications", &two).await.status != 200 {} };
    timeout(PATIENCE, back).await.expect("it comes back by itself");
    let change = client.send(Verb::Post, "/notifications/read-all", Some(&one), "").await;
    assert_eq!(change.status, 200);
    let after = client.get("/notifications", &one).await;
    assert_eq!((after.header("x-cache"), after.unread()), ("MISS", 0));
    client.stop().await;
}

/// Buys under a key of its own, which the buyer keeps until it is decided.
async fn order(client: &TestClient, buyer: i64, item: i64) -> Answer {
    let (token, key) = (format!("Bearer {}", client.player(buyer)), format!("item-{item}"));
    let headers = [("authorization", token.as_str()), ("idempotency-key", key.as_str())];
    let path = format!("/marketplace/items/{item}/buy");
    client.send_with(Verb::Post, &path, &headers, "").await
}

/// Everybody buys at once.
fn rush(client: &Arc<TestClient>, item: i64) -> JoinSet<Answer> {
    let mut buying = JoinSet::new();
    for buyer in 1..=BUYERS {
        let client = Arc::clone(client);
        buying.spawn(async move { order(&client, buyer, item).await });
    }
    buying
}

/// What everybody is told, within the promised time from now.
async fn told(buying: JoinSet<Answer>) -> Vec<Answer> {
    timeout(REFUSED_WITHIN, buying.join_all()).await.expect("all answers in time")
}

/// Nobody can buy, and everybody is told so in time.
async fn all_are_refused(client: &Arc<TestClient>, item: i64) {
    for answer in told(rush(client, item)).await {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    }
}

/// Every buyer asks again until it is decided, and then each has bought one, and only one.
async fn each_buys_one(client: &TestClient, item: i64) {
    for buyer in 1..=BUYERS {
        let decided = async {
            loop {
                let answer = order(client, buyer, item).await;
                if answer.status != 503 {
                    return answer;
                }
            }
        };
        let decided = timeout(PATIENCE, decided).await.expect("it comes back by itself");
        assert_eq!(decided.status, 201, "{decided:?}");
    }
    let left = client.get(&format!("/marketplace/items/{item}"), "").await.json();
    assert_eq!(left["stock"], 0);
    for buyer in 1..=BUYERS {
        let token = client.player(buyer);
        let owned = client.get("/marketplace/inventory?limit=100", &token).await.json();
        let bought = owned["items"].as_array().expect("items").iter();
        assert_eq!(bought.filter(|bought| bought["itemId"] == item).count(), 1, "{buyer}");
    }
    assert_eq!(ledger::audit(&client.store).await.expect("audit"), Audit::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_killed_under_its_buyers_refuses_them_in_time_and_leaves_nothing_half_done() {
    let Some(client) = TestClient::start_apart().await else { return };
    let client = Arc::new(client);
    let item = client.put_item(json!({ "price": 1, "stock": BUYERS })).await;
    let mut buying = rush(&client, item);
    let first = buying.join_next().await.expect("a buyer").expect("no panic");
    assert_eq!(first.status, 201, "{first:?}");
    let server = Arc::clone(&database(&client).server);
    tokio::task::spawn_blocking(move || server.kill()).await.expect("killed");
    let answers = told(buying).await;
    assert!(answers.iter().all(|answer| [201, 503].contains(&answer.status.as_u16())));
    assert!(answers.iter().any(|answer| answer.status == 503), "nobody was on the way");
    all_are_refused(&client, item).await;
    database(&client).server.start();
    each_buys_one(&client, item).await;
    Arc::into_inner(client).expect("nobody else has the client").stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stands_still_refuses_its_buyers_in_time() {
    let Some(client) = TestClient::start_apart().await else { return };
    let client = Arc::new(client);
    let item = client.put_item(json!({ "price": 1, "stock": BUYERS })).await;
    database(&client).server.freeze();
    all_are_refused(&client, item).await;
    database(&client).server.thaw();
    each_buys_one(&client, item).await;
    Arc::into_inner(client).expect("nobody else has the client").stop().await;
}

#[tokio::test]
async fn a_turn_to_write_is_waited_for_as_long_as_others_get_theirs() {
    let one_connection = [("DATABASE_CONNECTIONS_MAX", "1")];
    let client = TestClient::start_with(&one_connection).await;
    if client.database.is_none() {
        return client.stop().await;
    }
    let mut writing = JoinSet::new();
    for _ in 0..5 {
        let store = client.store.clone();
        writing.spawn(async move {
            let mut transaction = store.begin_write().await?;
            // Together they take longer than a silent server is waited for.
            let slow = sqlx::query("SELECT 1 FROM pg_sleep(0.3)");
            slow.execute(&mut *transaction).await?;
            transaction.commit().await
        });
    }
    for written in writing.join_all().await {
        written.expect("it was its turn");
    }
    client.stop().await;
}
