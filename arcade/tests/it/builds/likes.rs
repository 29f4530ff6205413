//! Likes are exact: also when many come at once.

use std::sync::Arc;

use arcade::demo::World;
use arcade::http::Verb;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::builds::{BOARD, LIKED, names};
use crate::support::{TestClient, WORLD};

const LIKERS: i64 = 64;

const CROWD: World = World { users: LIKERS as u32 + 1, ..WORLD };

async fn likes(client: &TestClient, path: &str) -> Value {
    client.seen(None, path).await.json()["data"]["likesCount"].clone()
}

/// Everybody of the crowd toggles a like at the same time; gives how many like the build now
/// according to each answer.
async fn all_at_once(client: &TestClient, path: &str) -> Vec<(bool, u64)> {
    let begin = Arc::new(Barrier::new(LIKERS as usize));
    let mut toggling = JoinSet::new();
    for user in 1..=LIKERS {
        let (sender, token) = (client.sender(), client.player(user));
        let (begin, path) = (Arc::clone(&begin), format!("{path}/like"));
        toggling.spawn(async move {
            begin.wait().await;
            sender.send(Verb::Post, &path, Some(&token), "").await
        });
    }
    let answers = toggling.join_all().await;
    let told = answers.iter().map(|answer| {
        assert_eq!(answer.status, 200, "{answer:?}");
        let data = answer.json()["data"].clone();
        (data["liked"] == true, data["likesCount"].as_u64().expect("a count"))
    });
    let mut told: Vec<(bool, u64)> = told.collect();
    told.sort_unstable();
    told
}

#[tokio::test]
async fn sixty_four_likes_at_once_are_sixty_four_and_each_is_told_another_count() {
    let client = TestClient::start_in(CROWD, &[]).await;
    let path = client.build(1, json!({ "private": false })).await;
    assert_eq!(likes(&client, &path).await, 0);
    let expected: Vec<(bool, u64)> = (1..=LIKERS as u64).map(|count| (true, count)).collect();
    assert_eq!(all_at_once(&client, &path).await, expected);
    assert_eq!(likes(&client, &path).await, LIKERS);
    assert_eq!(client.seen(None, BOARD).await.json()["data"][0]["likesCount"], LIKERS);
    let expected: Vec<(bool, u64)> = (0..LIKERS as u64).map(|count| (false, count)).collect();
    assert_eq!(all_at_once(&client, &path).await, expected);
    assert_eq!(likes(&client, &path).await, 0);
    client.stop().await;
}

#[tokio::test]
async fn after_an_unlike_the_next_read_counts_right_everywhere() {
    let client = TestClient::start().await;
    let path = client.build(1, json!({ "private": false })).await;
    for (user, count) in [(2, 1), (3, 2), (2, 1), (2, 2), (3, 1), (2, 0)] {
        let toggled = client.like(user, &path).await.json();
        assert_eq!(toggled["data"]["likesCount"], count, "{toggled}");
        assert_eq!(toggled["success"], true);
        for viewer in [None, Some(1), Some(2)] {
            assert_eq!(client.seen(viewer, &path).await.json()["data"]["likesCount"], count);
            let list = client.seen(viewer, "/api/v1/builds").await.json();
            assert_eq!(list["data"][0]["likesCount"], count, "to {viewer:?}");
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn liked_builds_are_shown_the_last_liked_first_and_all_of_them_in_parts() {
    let client = TestClient::start().await;
    let before = client.seen(Some(2), LIKED).await.json()["count"].as_u64().expect("a count");
    for number in 0..5 {
        let name = format!("Liked {number}");
        let path = client.build(1, json!({ "name": name, "private": false })).await;
        client.like(2, &path).await;
    }
    let own = client.build(2, json!({ "name": "Liked and private" })).await;
    client.like(2, &own).await;
    let whole = client.seen(Some(2), &format!("{LIKED}?limit=100")).await;
    let mut expected: Vec<String> = (0..5).rev().map(|number| format!("Liked {number}")).collect();
    expected.insert(0, "Liked and private".to_owned());
    assert_eq!(names(&whole)[..6], expected);
    assert_eq!(whole.json()["count"], before + 6);
    let mut parts = Vec::new();
    for offset in (0..before + 6).step_by(2) {
        let part = client.seen(Some(2), &format!("{LIKED}?limit=2&offset={offset}")).await;
        assert_eq!(part.header("x-cache") == "BYPASS", offset >= 6, "{offset}: {part:?}");
        parts.extend(names(&part));
    }
    assert_eq!(parts, names(&whole));
    client.stop().await;
}

#[tokio::test]
async fn the_leaderboard_has_the_most_liked_first_and_nobody_who_has_no_likes() {
    let client = TestClient::start().await;
    for (name, likers) in [("Third", 10..=11), ("First", 10..=20), ("Second", 10..=12)] {
        let path = client.build(1, json!({ "name": name, "classId": 3, "private": false })).await;
        for user in likers {
            client.like(user, &path).await;
        }
    }
    client.build(1, json!({ "name": "Unknown", "classId": 3, "private": false })).await;
    let board = client.seen(None, &format!("{BOARD}?classId=3&limit=100")).await;
    let order: Vec<String> = names(&board).into_iter().filter(|name| name.len() < 8).collect();
    assert_eq!(order, ["First", "Second", "Third"]);
    let counts: Vec<u64> = board.json()["data"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|build| build["likesCount"].as_u64())
        .collect();
    assert!(counts.is_sorted_by(|more, less| more >= less) && !counts.contains(&0), "{counts:?}");
    client.stop().await;
}

#[tokio::test]
async fn a_build_with_more_likers_than_are_named_still_leaves_the_list_of_each() {
    const MANY: i64 = 210;
    let world = World { users: MANY as u32 + 1, notifications: 0, tournaments: 0, ..WORLD };
    let client = TestClient::start_in(world, &[]).await;
    let path = client.build(1, json!({ "name": "Crowded", "private": false })).await;
    for user in 2..=MANY {
        assert_eq!(client.like(user, &path).await.status, 200);
    }
    for user in [2, MANY] {
        assert_eq!(names(&client.seen(Some(user), LIKED).await)[0], "Crowded");
    }
    let count = client.seen(Some(MANY), LIKED).await.json()["count"].as_u64();
    assert_eq!(client.rebuild(1, &path, json!({ "private": true })).await.status, 200);
    for user in [2, MANY] {
        let after = client.seen(Some(user), LIKED).await;
        assert!(!names(&after).contains(&"Crowded".to_owned()), "{user}: {after:?}");
    }
    let after = client.seen(Some(MANY), LIKED).await.json()["count"].as_u64();
    assert_eq!(after, count.map(|count| count - 1));
    client.stop().await;
}

#[tokio::test]
async fn who_is_no_user_any_more_likes_and_makes_nothing() {
    let client = TestClient::start().await;
    let path = client.build(1, json!({ "private": false })).await;
    let answer = client.like(4_000, &path).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (404, &"no such user".into()));
    let body = crate::support::builds::new_build(json!({})).to_string();
    let token = client.player(4_000);
    let answer = client.send(Verb::Post, "/api/v1/builds", Some(&token), &body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (404, &"no such user".into()));
    assert_eq!(likes(&client, &path).await, 0);
    client.stop().await;
}
