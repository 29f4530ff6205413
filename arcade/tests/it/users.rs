//! The promises of users: registering, sessions, one's own account.

use arcade::demo::DEMO_PASSWORD;
use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::{Answer, TestClient};

const ADA: &str = r#"{"name":"Ada","email":"Ada@Example.org","password":"a long password"}"#;
const LOGIN: &str = r#"{"email":"ada@example.org","password":"a long password"}"#;

async fn post(client: &TestClient, path: &str, body: &str) -> Answer {
    client.send(Verb::Post, path, None, body).await
}

async fn logged_in(client: &TestClient) -> Value {
    let body = json!({ "email": "user1@arcade.example", "password": DEMO_PASSWORD });
    let session = post(client, "/auth/login", &body.to_string()).await;
    assert_eq!(session.status, 200, "{session:?}");
    session.json()
}

async fn refreshed(client: &TestClient, session: &Value) -> Answer {
    let body = json!({ "refreshToken": session["refreshToken"] });
    post(client, "/auth/refresh", &body.to_string()).await
}

#[tokio::test]
async fn who_registers_can_log_in_and_see_their_account() {
    let client = TestClient::start().await;
    let registered = post(&client, "/auth/register", ADA).await;
    assert_eq!(registered.status, 201, "{registered:?}");
    let account = registered.json();
    assert_eq!((&account["role"], &account["balanceMinor"]), (&json!("player"), &json!(0)));
    let session = post(&client, "/auth/login", LOGIN).await.json();
    let token = session["accessToken"].as_str().expect("token");
    for expected in ["MISS", "HIT"] {
        let me = client.get("/users/me", token).await;
        assert_eq!((me.header("x-cache"), me.json()), (expected, account.clone()));
        assert!(me.header("cache-control").starts_with("private"));
    }
    client.stop().await;
}

#[tokio::test]
async fn an_email_has_one_account_however_it_is_written() {
    let client = TestClient::start().await;
    assert_eq!(post(&client, "/auth/register", ADA).await.status, 201);
    let again = post(&client, "/auth/register", &ADA.replace("Ada@", "ADA@")).await;
    assert_eq!(again.status, 409);
    client.stop().await;
}

#[tokio::test]
async fn nobody_can_register_as_more_than_a_player_without_money() {
    let client = TestClient::start().await;
    for extra in [r#""role":"admin""#, r#""balanceMinor":1"#, r#""id":1"#, r#""passwordHash":"x""#] {
        let body = ADA.replace('{', &format!("{{{extra},"));
        let refused = post(&client, "/auth/register", &body).await;
        assert_eq!(refused.status, 400, "{body}");
    }
    assert_eq!(post(&client, "/auth/login", LOGIN).await.status, 401);
    client.stop().await;
}

#[tokio::test]
async fn each_wrong_field_of_a_registration_is_named_with_its_limit() {
    let client = TestClient::start().await;
    let (long, wide) = ("n".repeat(21), "p".repeat(129));
    let cases = [
        (r#"{"name":"Al","email":"a@b.c","password":"12345678"}"#.to_owned(), "name"),
        (format!(r#"{{"name":"{long}","email":"a@b.c","password":"12345678"}}"#), "name"),
        (r#"{"name":"Ada","email":"a.b.c","password":"12345678"}"#.to_owned(), "email"),
        (r#"{"name":"Ada","email":"a@b","password":"12345678"}"#.to_owned(), "email"),
        (r#"{"name":"Ada","email":"a@@b.c","password":"12345678"}"#.to_owned(), "email"),
        (r#"{"name":"Ada","email":"a@b.c","password":"1234567"}"#.to_owned(), "password"),
        (format!(r#"{{"name":"Ada","email":"a@b.c","password":"{wide}"}}"#), "password"),
    ];
    for (body, field) in cases {
        let refused = post(&client, "/auth/register", &body).await;
        let details = refused.json()["details"].clone();
        assert_eq!((refused.status.as_u16(), &details[0]["path"]), (400, &json!(field)), "{body}");
        assert!(!refused.text.contains(&wide) && !refused.text.contains("12345678"));
    }
    client.stop().await;
}

#[tokio::test]
async fn an_unknown_email_and_a_wrong_password_get_the_same_answer() {
    let client = TestClient::start().await;
    let wrong = r#"{"email":"user1@arcade.example","password":"not the password"}"#;
    let unknown = r#"{"email":"nobody@arcade.example","password":"not the password"}"#;
    let (wrong, unknown) =
        (post(&client, "/auth/login", wrong).await, post(&client, "/auth/login", unknown).await);
    assert_eq!((wrong.status.as_u16(), unknown.status.as_u16()), (401, 401));
    assert_eq!(wrong.json()["error"], unknown.json()["error"]);
    client.stop().await;
}

#[tokio::test]
async fn a_changed_role_holds_from_the_next_refresh_and_not_for_the_token_that_is_out() {
    let client = TestClient::start().await;
    let mut session = logged_in(&client).await;
    let sees_inside = async |session: &Value| {
        let token = session["accessToken"].as_str().expect("a token");
        client.get("/api/v1/cache", token).await.status.as_u16()
    };
    assert_eq!(sees_inside(&session).await, 403);
    for (role, before, after) in [("admin", 403, 200), ("player", 200, 403)] {
        client.execute(format!("UPDATE users SET role = '{role}' WHERE id = 1")).await;
        assert_eq!(sees_inside(&session).await, before, "{role}");
        session = refreshed(&client, &session).await.json();
        assert_eq!(sees_inside(&session).await, after, "{role}");
        assert_eq!(sees_inside(&logged_in(&client).await).await, after, "{role}");
    }
    client.stop().await;
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_ends_its_family_when_it_comes_again() {
    let client = TestClient::start().await;
    let first = logged_in(&client).await;
    let other = logged_in(&client).await;
    let second = refreshed(&client, &first).await;
    assert_eq!(second.status, 200);
    let second = second.json();
    assert_ne!(first["refreshToken"], second["refreshToken"]);
    let token = second["accessToken"].as_str().expect("token");
    assert_eq!(client.get("/users/me", token).await.status, 200);
    assert_eq!(refreshed(&client, &first).await.status, 401);
    assert_eq!(refreshed(&client, &second).await.status, 401);
    // Another login of the same user is another family.
    assert_eq!(refreshed(&client, &other).await.status, 200);
    client.stop().await;
}

#[tokio::test]
async fn a_refresh_token_that_nobody_made_is_refused() {
    let client = TestClient::start().await;
    let made_up = json!({ "refreshToken": "0".repeat(64) });
    assert_eq!(refreshed(&client, &made_up).await.status, 401);
    let short = json!({ "refreshToken": "0" });
    assert_eq!(refreshed(&client, &short).await.status, 400);
    // An access token opens no session.
    let access = json!({ "refreshToken": logged_in(&client).await["accessToken"] });
    assert_eq!(refreshed(&client, &access).await.status, 400);
    client.stop().await;
}

#[tokio::test]
async fn one_user_never_sees_the_account_of_another() {
    let client = TestClient::start().await;
    for user in 1..=5 {
        let token = client.player(user);
        for _ in 0..2 {
            assert_eq!(client.get("/users/me", &token).await.json()["id"], user);
        }
    }
    client.stop().await;
}
