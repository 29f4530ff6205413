//! An answer that the caller still holds is not sent again.

use arcade::http::Verb;

use crate::support::{Answer, TestClient};

const PATH: &str = "/notifications";

async fn holding(client: &TestClient, held: &str) -> Answer {
    let bearer = format!("Bearer {}", client.player(1));
    let headers = [("authorization", bearer.as_str()), ("if-none-match", held)];
    client.send_with(Verb::Get, PATH, &headers, "").await
}

#[tokio::test]
async fn who_holds_the_answer_is_told_so_without_a_body() {
    let client = TestClient::start().await;
    let first = client.get(PATH, &client.player(1)).await;
    let tag = first.header("etag").to_owned();
    let opaque = tag.strip_prefix("W/").expect("weak").to_owned();
    for held in [&tag, &opaque, "*", &format!("\"other\", {tag}"), &format!("\"a\",{opaque},\"b\"")] {
        let answer = holding(&client, held).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (304, ""), "{held}");
        assert_eq!((answer.header("x-cache"), answer.header("etag")), ("HIT", tag.as_str()));
        assert_eq!(answer.header("cache-control"), "private, no-cache");
        assert!(answer.headers.contains_key("age") && !answer.headers.contains_key("content-type"));
    }
    for held in ["\"other\"", "W/\"other\"", "", "other", &opaque.replace('"', "")] {
        let answer = holding(&client, held).await;
        assert_eq!((answer.status.as_u16(), &answer.text), (200, &first.text), "{held}");
    }
    client.stop().await;
}

#[tokio::test]
async fn a_change_makes_what_the_caller_holds_worthless() {
    let client = TestClient::start().await;
    let one = client.player(1);
    let tag = client.get(PATH, &one).await.header("etag").to_owned();
    client.send(Verb::Post, "/notifications/read-all", Some(&one), "").await;
    let after = holding(&client, &tag).await;
    assert_eq!((after.status.as_u16(), after.header("x-cache")), (200, "MISS"));
    assert_ne!(after.header("etag"), tag);
    client.stop().await;
}

#[tokio::test]
async fn a_failure_and_a_change_are_never_answered_with_not_modified() {
    let client = TestClient::start().await;
    let bearer = format!("Bearer {}", client.player(1));
    let headers = [("authorization", bearer.as_str()), ("if-none-match", "*")];
    for (verb, path, status) in [
        (Verb::Get, "/notifications?limit=0", 400),
        (Verb::Post, "/notifications/read-all", 200),
        (Verb::Get, "/nowhere", 404),
        (Verb::Get, "/livez", 200),
    ] {
        assert_eq!(client.send_with(verb, path, &headers, "").await.status, status, "{path}");
    }
    client.stop().await;
}
