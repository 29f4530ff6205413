//! Who sees a private build, whatever was looked at before and by whom.

use arcade::http::Verb;
use serde_json::json;

use crate::support::builds::{BOARD, BUILDS, LIKED, OWN, names};
use crate::support::{Answer, TestClient};

/// Two users, of whom each has something to hide.
const A: i64 = 1;
const B: i64 = 2;

/// Everything that could show a build to somebody.
fn everywhere(build: &str) -> Vec<String> {
    let lists = ["", "?classId=1", "?userId=1", "?userId=1&classId=1", "?private=false"];
    let lists = lists.map(|query| format!("{BUILDS}{query}"));
    let more = [BOARD, "/api/v1/leaderboards/builds?classId=1", OWN, LIKED, build];
    let own = format!("{BUILDS}?private=true");
    lists.into_iter().chain(more.map(str::to_owned)).chain([own]).collect()
}

fn is_private(answer: &Answer) -> bool {
    let control = answer.header("cache-control");
    control.starts_with("private") || control == "no-store"
}

#[tokio::test]
async fn a_private_build_is_shown_to_nobody_else_also_after_its_owner_looked() {
    let client = TestClient::start().await;
    let build = client.build(A, json!({ "name": "Secret plan" })).await;
    assert_eq!(client.like(A, &build).await.status, 200);
    let paths = everywhere(&build);
    // In both orders: whoever looks first must not decide what the other sees.
    for viewers in [[Some(A), Some(B), None], [None, Some(B), Some(A)]] {
        for viewer in viewers.into_iter().chain(viewers) {
            for path in &paths {
                let answer = client.seen(viewer, path).await;
                let told = answer.text.contains("Secret plan");
                assert!(!told || viewer == Some(A), "{path} to {viewer:?}: {answer:?}");
                assert!(!told || is_private(&answer), "{path}: {answer:?}");
            }
        }
    }
    for path in [build.as_str(), OWN, LIKED, "/api/v1/builds?private=true"] {
        assert!(client.seen(Some(A), path).await.text.contains("Secret plan"), "{path}");
    }
    client.stop().await;
}

#[tokio::test]
async fn a_build_of_one_user_never_shows_the_private_ones_of_another() {
    let client = TestClient::start().await;
    client.build(B, json!({ "name": "Hidden by B" })).await;
    client.build(A, json!({ "name": "Shown by A", "private": false })).await;
    let made = client.build(A, json!({ "name": "Hidden by A" })).await;
    for path in everywhere(&made) {
        client.seen(Some(B), &path).await;
        let answer = client.seen(Some(A), &path).await;
        assert!(!answer.text.contains("Hidden by B"), "{path}: {answer:?}");
    }
    client.stop().await;
}

#[tokio::test]
async fn after_it_is_hidden_the_next_public_list_omits_a_build() {
    let client = TestClient::start().await;
    let build = client.build(A, json!({ "name": "Soon hidden", "private": false })).await;
    assert_eq!(client.like(B, &build).await.status, 200);
    let paths = everywhere(&build);
    for viewer in [None, Some(B)] {
        for path in &paths {
            client.seen(viewer, path).await;
        }
    }
    let total = client.seen(None, BUILDS).await.json()["count"].as_u64();
    assert_eq!(client.rebuild(A, &build, json!({ "private": true })).await.status, 200);
    for viewer in [None, Some(B)] {
        for path in &paths {
            let answer = client.seen(viewer, path).await;
            assert!(!answer.text.contains("Soon hidden"), "{path} to {viewer:?}: {answer:?}");
        }
    }
    let after = client.seen(None, BUILDS).await.json()["count"].as_u64();
    assert_eq!(after, total.map(|total| total - 1));
    let liked = client.seen(Some(B), LIKED).await.json();
    assert!(
        liked["data"]
            .as_array()
            .is_some_and(|liked| liked.iter().all(|one| one["name"] != "Soon hidden"))
    );
    // The like is still there, and shows again with its build.
    assert_eq!(client.rebuild(A, &build, json!({ "private": false })).await.status, 200);
    assert_eq!(names(&client.seen(Some(B), LIKED).await)[0], "Soon hidden");
    assert_eq!(client.seen(None, &build).await.json()["data"]["likesCount"], 1);
    client.stop().await;
}

#[tokio::test]
async fn whoever_holds_an_answer_of_another_is_not_told_that_it_is_still_right() {
    let client = TestClient::start().await;
    let build = client.build(A, json!({ "name": "Held" })).await;
    let shown = client.seen(Some(A), &build).await;
    assert_eq!((shown.status.as_u16(), shown.header("vary").contains("authorization")), (200, true));
    let held = shown.header("etag");
    let asking = async |user: Option<i64>| {
        let bearer = user.map(|user| format!("Bearer {}", client.player(user)));
        let mut headers = vec![("if-none-match", held)];
        headers.extend(bearer.iter().map(|bearer| ("authorization", bearer.as_str())));
        client.send_with(Verb::Get, &build, &headers, "").await
    };
    assert_eq!(asking(Some(A)).await.status, 304);
    for viewer in [Some(B), None] {
        let answer = asking(viewer).await;
        assert_eq!(answer.status, 404, "{viewer:?}: {answer:?}");
        assert!(!answer.headers.contains_key("etag"));
    }
    // What was public and is not any more is not "not modified" either.
    assert_eq!(client.rebuild(A, &build, json!({ "private": false })).await.status, 200);
    let public = client.seen(None, &build).await;
    assert_eq!(client.rebuild(A, &build, json!({ "private": true })).await.status, 200);
    let headers = [("if-none-match", public.header("etag"))];
    let after = client.send_with(Verb::Get, &build, &headers, "").await;
    assert_eq!(after.status, 404, "{after:?}");
    client.stop().await;
}

#[tokio::test]
async fn another_users_private_build_is_answered_like_one_that_is_not_there() {
    let client = TestClient::start().await;
    let build = client.build(A, json!({})).await;
    let nobodys = "/api/v1/builds/999999999";
    let requests = [
        (Verb::Get, "", String::new()),
        (Verb::Patch, "", json!({ "name": "Mine now" }).to_string()),
        (Verb::Put, "/daevanion", json!({}).to_string()),
        (Verb::Delete, "", String::new()),
        (Verb::Post, "/like", String::new()),
    ];
    for round in 0..2 {
        for (verb, tail, body) in &requests {
            let token = client.player(B);
            let theirs = client.send(*verb, &format!("{build}{tail}"), Some(&token), body).await;
            let missing = client.send(*verb, &format!("{nobodys}{tail}"), Some(&token), body).await;
            let told = |answer: &Answer| {
                let (status, error) = (answer.status.as_u16(), answer.json()["error"].clone());
                (status, error, answer.header("x-cache").to_owned())
            };
            assert_eq!(told(&theirs), told(&missing), "{} {tail}, {round}", verb.name());
            assert_eq!(theirs.status, 404);
        }
    }
    assert_eq!(client.seen(Some(A), &build).await.json()["data"]["name"], "Duel Assassin");
    client.stop().await;
}

#[tokio::test]
async fn only_the_owner_may_ask_for_a_list_of_private_builds() {
    let client = TestClient::start().await;
    let private = format!("{BUILDS}?private=true");
    assert_eq!(client.seen(None, &private).await.status, 401);
    for user in [A, B] {
        client.build(user, json!({ "name": format!("Of {user}") })).await;
        assert_eq!(names(&client.seen(Some(user), &private).await)[0], format!("Of {user}"));
    }
    let of_a = format!("{private}&userId={A}");
    assert!(names(&client.seen(Some(A), &of_a).await).iter().all(|name| name != "Of 2"));
    assert_eq!(client.seen(Some(B), &of_a).await.status, 403);
    assert_eq!(client.get(&of_a, &client.admin()).await.status, 403);
    // A token that is sent must be good, also where none is needed.
    assert_eq!(client.get(BUILDS, "nonsense").await.status, 401);
    client.stop().await;
}

#[tokio::test]
async fn an_admin_sees_a_private_build_and_a_player_not_what_the_admin_was_shown() {
    let client = TestClient::start().await;
    let build = client.build(A, json!({ "name": "Seen by the admin" })).await;
    let shown = client.get(&build, &client.admin()).await;
    assert_eq!((shown.status.as_u16(), shown.header("cache-control")), (200, "private, no-cache"));
    let admin = arcade::auth::UserId(20);
    let demoted =
        client.tokens.issue(admin, arcade::auth::Role::Player, arcade::auth::TOKEN_LIFETIME);
    let demoted = demoted.expect("a token");
    assert_eq!(client.get(&build, &demoted).await.status, 404);
    assert_eq!(client.seen(Some(B), &build).await.status, 404);
    client.stop().await;
}
