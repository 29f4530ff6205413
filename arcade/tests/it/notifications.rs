//! The promises of notifications: cached, never old, never somebody else's.

use std::collections::HashSet;

use arcade::app::route_table;
use arcade::http::{Route, Verb};
use tokio::time::timeout;

use crate::support::{PATIENCE, TestClient};

#[tokio::test]
async fn second_read_of_a_page_is_a_hit_with_the_same_body() {
    let client = TestClient::start().await;
    let one = client.player(1);
    for path in ["/notifications", "/notifications/unread-count"] {
        let first = client.get(path, &one).await;
        let second = client.get(path, &one).await;
        assert_eq!((first.header("x-cache"), first.header("x-cache-origin")), ("MISS", "loaded"));
        assert_eq!((second.header("x-cache"), second.header("x-cache-origin")), ("HIT", "memory"));
        assert_eq!(second.header("age"), "0");
        assert!(second.header("cache-control").starts_with("private"), "{path}");
        assert_eq!(first.text, second.text);
    }
    client.stop().await;
}

#[tokio::test]
async fn reading_one_shows_the_new_count_at_once() {
    let client = TestClient::start().await;
    let one = client.player(1);
    let id = client.unread_of(1).await;
    let before = client.get("/notifications/unread-count", &one).await.unread();
    let read = client.send(Verb::Patch, &format!("/notifications/{id}/read"), Some(&one), "").await;
    assert_eq!((read.status.as_u16(), &read.json()["read"]), (200, &true.into()));
    for path in ["/notifications/unread-count", "/notifications?limit=100"] {
        let after = client.get(path, &one).await;
        assert_eq!((after.header("x-cache"), after.unread()), ("MISS", before - 1), "{path}");
    }
    client.stop().await;
}

#[tokio::test]
async fn reading_one_twice_keeps_the_first_time() {
    let client = TestClient::start().await;
    let one = client.player(1);
    let path = format!("/notifications/{}/read", client.unread_of(1).await);
    let first = client.send(Verb::Patch, &path, Some(&one), "{}").await;
    let second = client.send(Verb::Patch, &path, Some(&one), "{}").await;
    assert_eq!(first.text, second.text);
    client.stop().await;
}

#[tokio::test]
async fn after_read_all_nothing_is_unread() {
    let client = TestClient::start().await;
    let one = client.player(1);
    let before = client.get("/notifications/unread-count", &one).await.unread();
    assert!(before > 0);
    let read = client.send(Verb::Post, "/notifications/read-all", Some(&one), "").await;
    assert_eq!(read.json()["updated"], before);
    let after = client.get("/notifications/unread-count", &one).await;
    assert_eq!((after.header("x-cache"), after.unread()), ("MISS", 0));
    client.stop().await;
}

#[tokio::test]
async fn a_deleted_notification_is_gone_at_once_and_for_good() {
    let client = TestClient::start().await;
    let one = client.player(1);
    let id = client.unread_of(1).await;
    let before = client.get("/notifications?limit=100", &one).await.json();
    let path = format!("/notifications/{id}");
    let deleted = client.send(Verb::Delete, &path, Some(&one), "").await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    let after = client.get("/notifications?limit=100", &one).await;
    assert_eq!(after.header("x-cache"), "MISS");
    let after = after.json();
    assert_eq!(after["total"].as_u64(), before["total"].as_u64().map(|total| total - 1));
    assert!(!ids(&after).contains(&id));
    assert_eq!(client.send(Verb::Delete, &path, Some(&one), "").await.status, 404);
    client.stop().await;
}

#[tokio::test]
async fn one_user_never_sees_the_notifications_of_another() {
    let client = TestClient::start().await;
    let mut seen: HashSet<i64> = HashSet::new();
    for user in 1..=20 {
        let token = client.player(user);
        // Twice, so that what a cache might mix up would have been stored.
        client.get("/notifications?limit=100", &token).await;
        let page = client.get("/notifications?limit=100", &token).await;
        assert_eq!(page.header("x-cache"), "HIT");
        for id in ids(&page.json()) {
            assert!(seen.insert(id), "notification {id} was shown to two users");
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn a_change_leaves_the_pages_of_other_users_cached() {
    let client = TestClient::start().await;
    let (one, two) = (client.player(1), client.player(2));
    client.get("/notifications", &two).await;
    client.send(Verb::Post, "/notifications/read-all", Some(&one), "").await;
    assert_eq!(client.get("/notifications", &two).await.header("x-cache"), "HIT");
    client.stop().await;
}

#[tokio::test]
async fn every_route_that_changes_drops_every_cached_answer_of_its_user() {
    let client = TestClient::start().await;
    let one = client.player(1);
    let reads = ["/notifications?limit=100", "/notifications?page=2", "/notifications/unread-count"];
    let table = route_table();
    let changes =
        |route: &&Route| route.path.starts_with("/notifications") && route.verb != Verb::Get;
    let changing: Vec<&Route> = table.iter().filter(changes).collect();
    assert!(changing.len() >= 3, "the table of routes lost its changes");
    for route in changing {
        // After read-all none is unread, so any notification must do.
        let page = client.get("/notifications?limit=100", &one).await.json();
        let path = route.path.replace("{id}", &ids(&page)[0].to_string());
        for read in reads {
            client.get(read, &one).await;
            assert_eq!(client.get(read, &one).await.header("x-cache"), "HIT", "{read}");
        }
        let changed = client.send(route.verb, &path, Some(&one), "").await;
        assert!(changed.status.is_success(), "{} {path}: {changed:?}", route.verb.name());
        for read in reads {
            let after = client.get(read, &one).await;
            assert_eq!(after.header("x-cache"), "MISS", "{} {path}: {read}", route.verb.name());
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn pages_above_the_third_bypass_the_cache() {
    let client = TestClient::start().await;
    let one = client.player(1);
    for (page, twice) in [(3, ["MISS", "HIT"]), (4, ["BYPASS", "BYPASS"])] {
        for expected in twice {
            let answer = client.get(&format!("/notifications?limit=5&page={page}"), &one).await;
            assert_eq!(answer.header("x-cache"), expected, "page {page}");
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_overlap() {
    let client = TestClient::start().await;
    let one = client.player(1);
    let whole = client.get("/notifications?limit=100", &one).await.json();
    let total = whole["total"].as_u64().expect("total");
    assert_eq!(ids(&whole).len() as u64, total, "the test world must fit one page");
    let mut paged = Vec::new();
    for page in 1..=total.div_ceil(7) + 1 {
        let answer = client.get(&format!("/notifications?limit=7&page={page}"), &one).await.json();
        assert_eq!(
            (answer["total"].as_u64(), answer["pages"].as_u64()),
            (Some(total), Some(total.div_ceil(7)))
        );
        paged.extend(ids(&answer));
    }
    assert_eq!(paged, ids(&whole));
    client.stop().await;
}

#[tokio::test]
async fn an_entry_past_its_fresh_time_is_loaded_again() {
    let client = TestClient::start_with(&[("CACHE_UNREAD_COUNT_FRESH_S", "1")]).await;
    let one = client.player(1);
    let path = "/notifications/unread-count";
    assert_eq!(client.get(path, &one).await.header("x-cache"), "MISS");
    let until_loaded = async { while client.get(path, &one).await.header("x-cache") == "HIT" {} };
    timeout(PATIENCE, until_loaded).await.expect("not a hit for many lifetimes");
    client.stop().await;
}

fn ids(page: &serde_json::Value) -> Vec<i64> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].as_i64().expect("id")).collect()
}
