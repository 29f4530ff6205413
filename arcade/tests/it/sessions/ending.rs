//! How a session ends: from then on no token of it is good for anything.

use arcade::http::Verb;
use arcade::wall;
use larder_rig::Stopwatch;
use serde_json::json;
use std::time::Duration;

use crate::support::sessions::LoggedIn;
use crate::support::{Answer, PATIENCE, TestClient};

async fn refreshed(client: &TestClient, session: &LoggedIn) -> Answer {
    let body = json!({ "refreshToken": session.refresh }).to_string();
    client.send(Verb::Post, "/auth/refresh", None, &body).await
}

async fn may_ask(client: &TestClient, session: &LoggedIn) -> bool {
    let answer = client.get("/users/me", &session.access).await;
    assert!([200, 401].contains(&answer.status.as_u16()), "{answer:?}");
    answer.status == 200
}

#[tokio::test]
async fn who_logs_out_is_out_at_once_and_nobody_else() {
    let client = TestClient::start().await;
    let (session, other) = (client.logged_in(1).await, client.logged_in(1).await);
    assert!(may_ask(&client, &session).await && may_ask(&client, &other).await);
    let ended = client.send(Verb::Delete, "/api/auth/session", Some(&session.access), "").await;
    assert_eq!(ended.status, 204);
    let refused = client.get("/users/me", &session.access).await;
    assert_eq!((refused.status.as_u16(), refused.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(refused.json()["error"], "the session has ended; log in again");
    // Where anybody may ask, a token that is sent must be good all the same.
    assert_eq!(client.get("/api/v1/builds", &session.access).await.status, 401);
    assert_eq!(refreshed(&client, &session).await.status, 401);
    assert!(may_ask(&client, &other).await);
    assert_eq!(refreshed(&client, &other).await.status, 200);
    assert_eq!(client.get("/users/me", &client.player(1)).await.status, 200);
    client.stop().await;
}

#[tokio::test]
async fn a_user_ends_another_of_their_sessions_and_no_session_of_another_user() {
    let client = TestClient::start().await;
    let (session, lost) = (client.logged_in(1).await, client.logged_in(1).await);
    let theirs = client.logged_in(2).await;
    assert!(may_ask(&client, &lost).await && may_ask(&client, &theirs).await);
    for (target, status) in [(&lost, 204), (&lost, 404), (&theirs, 404)] {
        let id = match may_ask(&client, target).await {
            true => client.session_of(target).await,
            false => 1,
        };
        let path = format!("/api/auth/sessions/{id}");
        let ended = client.send(Verb::Delete, &path, Some(&session.access), "").await;
        assert_eq!(ended.status, status);
    }
    assert!(!may_ask(&client, &lost).await && may_ask(&client, &theirs).await);
    assert_eq!(refreshed(&client, &lost).await.status, 401);
    client.stop().await;
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_ends_the_access_tokens_of_its_session_too() {
    let client = TestClient::start().await;
    let (first, other) = (client.logged_in(1).await, client.logged_in(1).await);
    let second = refreshed(&client, &first).await;
    let second = LoggedIn::of(&second.json());
    assert!(may_ask(&client, &first).await && may_ask(&client, &second).await);
    assert_eq!(client.session_of(&first).await, client.session_of(&second).await);
    assert_eq!(refreshed(&client, &first).await.status, 401);
    assert!(!may_ask(&client, &first).await && !may_ask(&client, &second).await);
    assert!(may_ask(&client, &other).await);
    client.stop().await;
}

#[tokio::test]
async fn a_session_that_is_used_all_the_time_ends_when_it_expires() {
    let client = TestClient::start().await;
    let session = client.logged_in(1).await;
    let lasts = Duration::from_secs(3);
    let end = wall::now_ms() + 3_000;
    let begun = Stopwatch::started();
    client.execute(format!("UPDATE sessions SET expires_at_ms = {end}")).await;
    assert!(may_ask(&client, &session).await);
    assert_eq!(client.get("/api/auth/session", &session.access).await.json()["expiresAtMs"], end);
    let own = || client.get("/api/auth/sessions", &session.access);
    assert_eq!(own().await.json()["items"].as_array().map(Vec::len), Some(1));
    while may_ask(&client, &session).await {
        assert!(begun.elapsed() < lasts + PATIENCE, "it does not end");
    }
    let took = begun.elapsed();
    println!("ended after {took:?} of {lasts:?}");
    assert!(took > lasts / 2, "it has ended too early: {took:?}");
    let listed = client.get("/api/auth/sessions", &client.player(1)).await.json();
    assert_eq!(listed["items"], json!([]), "a list outlives the session in it");
    client.stop().await;
}

#[tokio::test]
async fn a_session_that_goes_on_lasts_longer() {
    let client = TestClient::start().await;
    let session = client.logged_in(1).await;
    let id = client.session_of(&session).await;
    client.execute("UPDATE sessions SET expires_at_ms = expires_at_ms - 1000000".to_owned()).await;
    let expires = async |session: &LoggedIn| {
        let shown = client.get("/api/auth/session", &session.access).await.json();
        assert_eq!(shown["id"], id);
        shown["expiresAtMs"].as_i64().expect("a time")
    };
    let before = expires(&session).await;
    let next = LoggedIn::of(&refreshed(&client, &session).await.json());
    // The access token that is out is of the same session.
    assert!(expires(&next).await > before && expires(&session).await > before);
    client.stop().await;
}

#[tokio::test]
async fn nobody_gets_in_by_a_session_that_is_not_theirs() {
    let client = TestClient::start().await;
    let session = client.logged_in(1).await;
    let id = client.session_of(&session).await;
    for (user, session) in [(2, id), (1, id + 1)] {
        let claimed = arcade::auth::Claimed {
            user: arcade::auth::UserId(user),
            role: arcade::auth::Role::Admin,
            session: Some(arcade::auth::SessionId(session)),
        };
        let token = client.tokens.issue_for(claimed, Duration::from_secs(60)).expect("a token");
        assert_eq!(client.get("/users/me", &token).await.status, 401);
    }
    client.stop().await;
}

#[tokio::test]
async fn without_the_database_open_sessions_go_on_and_unknown_ones_are_503_not_401() {
    let client = TestClient::start().await;
    let (known, unknown) = (client.logged_in(1).await, client.logged_in(1).await);
    assert!(may_ask(&client, &known).await);
    client.store.close().await;
    assert!(may_ask(&client, &known).await);
    let answer = client.get("/users/me", &unknown.access).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    client.stop().await;
}
