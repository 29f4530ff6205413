//! What a user sees of their sessions, and what a change of the user does to them.

use arcade::http::Verb;
use serde_json::json;

use crate::support::TestClient;

#[tokio::test]
async fn a_session_shows_who_asks_and_what_they_may_do() {
    let client = TestClient::start().await;
    let session = client.logged_in(1).await;
    for expected in ["MISS", "HIT"] {
        let answer = client.get("/api/auth/session", &session.access).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-cache")), (200, expected));
        assert!(answer.header("cache-control").starts_with("private"));
        let shown = answer.json();
        assert_eq!(shown["userId"], 1);
        assert_eq!(shown["email"], "user1@arcade.example");
        assert_eq!((&shown["roles"], &shown["image"]), (&json!(["player"]), &json!(null)));
        assert_eq!(shown["permissions"], json!(["own"]));
        let ms = |name: &str| shown[name].as_i64().expect("a time");
        assert_eq!(ms("startedAtMs"), ms("lastActivityMs"));
        assert_eq!(ms("expiresAtMs") - ms("startedAtMs"), 2_592_000_000);
    }
    let answer = client.get("/api/auth/session", &client.player(1)).await;
    assert_eq!(answer.status, 404, "a token of the command line is of no session");
    client.stop().await;
}

#[tokio::test]
async fn a_user_sees_their_open_sessions_newest_first_and_nobody_elses() {
    let client = TestClient::start().await;
    let mut begun = Vec::new();
    for user in [1, 2, 1, 1] {
        let session = client.logged_in(user).await;
        let id = client.session_of(&session).await;
        begun.push((user, id, session));
    }
    let own: Vec<_> = begun.iter().rev().filter(|(user, ..)| *user == 1).collect();
    let (_, current, session) = own[1];
    let listed = client.get("/api/auth/sessions", &session.access).await.json();
    let items = listed["items"].as_array().expect("items");
    let ids: Vec<_> = items.iter().map(|item| item["id"].as_i64().expect("a number")).collect();
    assert_eq!(ids, own.iter().map(|(_, id, _)| *id).collect::<Vec<_>>());
    let marked: Vec<_> = items.iter().filter(|item| item["current"] == true).collect();
    assert_eq!((marked.len(), marked[0]["id"].as_i64()), (1, Some(*current)));
    client.stop().await;
}

#[tokio::test]
async fn whoever_begins_one_session_more_than_there_may_be_ends_the_oldest() {
    let client = TestClient::start().await;
    let oldest = client.logged_in(1).await;
    let second = client.logged_in(1).await;
    // As old as a session can be, and 98 more beside them.
    let order = [(&oldest, 1), (&second, 2)];
    for (session, at) in order {
        let id = client.session_of(session).await;
        client.execute(format!("UPDATE sessions SET started_at_ms = {at} WHERE id = {id}")).await;
    }
    let values: Vec<_> = (1..=98).map(|id| format!("({id}, 1, 3, 3, 99999999999999)")).collect();
    client.execute(format!("INSERT INTO sessions VALUES {}", values.join(", "))).await;
    client.logged_in(1).await;
    assert_eq!(client.get("/users/me", &oldest.access).await.status, 401);
    assert_eq!(client.get("/users/me", &second.access).await.status, 200);
    assert_eq!(client.count("sessions").await, 100);
    client.stop().await;
}

#[tokio::test]
async fn a_change_of_role_holds_at_once_for_the_sessions_of_that_user() {
    let client = TestClient::start().await;
    let (session, other) = (client.logged_in(1).await, client.logged_in(2).await);
    let inside = async |token: &str| client.get("/api/v1/cache", token).await.status.as_u16();
    assert_eq!((inside(&session.access).await, inside(&other.access).await), (403, 403));
    for (role, sees) in [("admin", 200), ("player", 403)] {
        let body = json!({ "role": role }).to_string();
        let admin = client.admin();
        let changed = client.send(Verb::Put, "/users/1/role", Some(&admin), &body).await;
        assert_eq!((changed.status.as_u16(), &changed.json()["role"]), (200, &json!(role)));
        assert_eq!((inside(&session.access).await, inside(&other.access).await), (sees, 403));
        let shown = client.get("/api/auth/session", &session.access).await.json();
        assert_eq!(shown["roles"], json!([role]));
    }
    let (admin, body) = (client.admin(), r#"{"role":"admin"}"#);
    let nobody = client.send(Verb::Put, "/users/999/role", Some(&admin), body).await;
    assert_eq!(nobody.status, 404);
    client.stop().await;
}

#[tokio::test]
async fn a_picture_is_a_path_of_this_site_or_comes_over_https() {
    let client = TestClient::start().await;
    let one = client.player(1);
    for bad in ["", "javascript:alert(1)", "//elsewhere.example/x.png", "http://a.example/x.png"] {
        let body = json!({ "image": bad }).to_string();
        let refused = client.send(Verb::Patch, "/users/me", Some(&one), &body).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["details"][0]["path"]),
            (400, &json!("image"))
        );
    }
    for good in ["/pictures/1.png", "https://a.example/x.png"] {
        let body = json!({ "image": good }).to_string();
        let changed = client.send(Verb::Patch, "/users/me", Some(&one), &body).await;
        assert_eq!((changed.status.as_u16(), &changed.json()["image"]), (200, &json!(good)));
        assert_eq!(client.get("/users/me", &one).await.json()["image"], good);
    }
    client.stop().await;
}
