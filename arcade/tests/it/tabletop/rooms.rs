//! How rooms are made, found, looked into and removed.

use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::TestClient;

fn ids(cards: &Value) -> Vec<i64> {
    let items = cards["items"].as_array().expect("items");
    items.iter().map(|card| card["id"].as_i64().expect("id")).collect()
}

fn number(room: &str) -> i64 {
    room.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number")
}

#[tokio::test]
async fn a_room_is_found_by_its_number_and_by_its_name_and_its_maker_is_its_admin() {
    let client = TestClient::start().await;
    let room = client.room(1, "Green Table").await;
    let by_number = client.read_by(1, &room).await;
    let by_name = client.read_by(1, "/api/rooms/Green%20Table").await;
    assert_eq!(by_number.json(), by_name.json());
    let shown = by_number.json();
    assert_eq!((&shown["yourRole"], &shown["ownerId"]), (&json!("admin"), &json!(1)));
    assert_eq!((&shown["board"]["width"], &shown["board"]["height"]), (&json!(800), &json!(600)));
    assert_eq!(shown["players"].as_array().map(Vec::len), Some(1));
    assert!(by_number.header("cache-control").starts_with("private"));
    client.stop().await;
}

#[tokio::test]
async fn two_rooms_never_have_one_name_also_when_both_are_made_at_once() {
    let client = TestClient::start().await;
    let body = json!({ "name": "One of a kind" }).to_string();
    let tries = (1..=4).map(|user| {
        let (sender, token, body) = (client.sender(), client.player(user), body.clone());
        async move { sender.send(Verb::Post, "/api/rooms", Some(&token), &body).await.status.as_u16() }
    });
    let mut tasks = tokio::task::JoinSet::new();
    tries.for_each(|one| drop(tasks.spawn(one)));
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    let other = client.room(2, "Another").await;
    let rename = client.as_player(2, Verb::Patch, &other, &json!({ "name": "One of a kind" })).await;
    assert_eq!(rename.status, 409, "{rename:?}");
    assert_eq!(client.read_by(2, &other).await.json()["name"], "Another");
    client.stop().await;
}

#[tokio::test]
async fn a_name_that_nobody_has_is_remembered_until_somebody_takes_it() {
    let client = TestClient::start().await;
    let path = "/api/rooms/Not%20yet";
    for expected in ["MISS", "HIT"] {
        let answer = client.read_by(1, path).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-cache")), (404, expected));
    }
    client.room(2, "Not yet").await;
    let answer = client.read_by(1, path).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-cache")), (200, "MISS"));
    client.stop().await;
}

#[tokio::test]
async fn many_rooms_are_answered_in_the_order_of_the_question_wherever_each_comes_from() {
    let client = TestClient::start().await;
    let mut rooms = Vec::new();
    for name in ["Alpha room", "Beta room", "Gamma room", "Delta room"] {
        rooms.push(number(&client.room(1, name).await));
    }
    // The second one is in memory already, the others are not.
    client.read_by(2, &format!("/api/rooms/{}", rooms[1])).await;
    let asked = [rooms[3], 999, rooms[1], rooms[0], rooms[2]];
    let list = asked.map(|id| id.to_string()).join(",");
    for expected in ["MISS", "HIT"] {
        let answer = client.read_by(2, &format!("/api/rooms?ids={list}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-cache")), (200, expected));
        assert_eq!(ids(&answer.json()), [rooms[3], rooms[1], rooms[0], rooms[2]]);
        assert_eq!(answer.json()["missing"], json!([999]));
    }
    // What the batch has loaded is there for single reads, too.
    let one = client.read_by(2, &format!("/api/rooms/{}", rooms[2])).await;
    assert_eq!(one.header("x-cache"), "HIT");
    client.stop().await;
}

#[tokio::test]
async fn rooms_are_answered_in_order_without_the_cache_too() {
    let client = TestClient::start_with(&[("CACHE_ENABLED", "off")]).await;
    let first = number(&client.room(1, "The first").await);
    let second = number(&client.room(1, "The second").await);
    let answer = client.read_by(1, &format!("/api/rooms?ids={second},999,{first}")).await;
    assert_eq!(answer.header("x-cache"), "BYPASS");
    assert_eq!(ids(&answer.json()), [second, first]);
    let none = client.read_by(1, &format!("/api/rooms/{first}/assets")).await;
    assert_eq!((none.status.as_u16(), none.header("x-cache")), (200, "BYPASS"));
    client.stop().await;
}

#[tokio::test]
async fn a_user_sees_their_own_rooms_and_nobody_elses_list() {
    let client = TestClient::start().await;
    client.room_with(1, "Of user one", &[(2, "observer")]).await;
    let own = client.read_by(2, "/api/user/2/rooms?limit=1").await.json();
    assert_eq!(
        (&own["items"][0]["name"], &own["items"][0]["role"]),
        (&json!("Of user one"), &json!("observer"))
    );
    let foreign = client.read_by(2, "/api/user/1/rooms").await;
    assert_eq!((foreign.status.as_u16(), foreign.header("x-cache")), (403, ""));
    assert_eq!(client.get("/api/user/1/rooms", &client.admin()).await.status, 200);
    let bypass = client.read_by(2, "/api/user/2/rooms?page=4").await;
    assert_eq!(bypass.header("x-cache"), "BYPASS");
    client.stop().await;
}

#[tokio::test]
async fn who_does_not_sit_in_a_room_finds_nothing_there_to_change() {
    let client = TestClient::start().await;
    let room = client.room(1, "Not yours").await;
    let piece = client.piece_by(1, &room, json!({})).await;
    let before = client.read_by(1, &room).await.json();
    let changes = [
        (Verb::Patch, room.clone(), json!({ "active": false })),
        (Verb::Delete, room.clone(), Value::Null),
        (Verb::Patch, format!("{room}/board"), json!({ "gameState": {} })),
        (Verb::Patch, format!("{room}/players/1"), json!({ "score": 1 })),
        (Verb::Delete, format!("{room}/players/1"), Value::Null),
        (Verb::Post, format!("{room}/leave"), Value::Null),
        (Verb::Patch, piece.clone(), json!({ "x": 0 })),
        (Verb::Delete, piece, Value::Null),
    ];
    for (verb, path, body) in &changes {
        let theirs = client.as_player(2, *verb, path, body).await;
        let nobodys = path.replace(&number(&room).to_string(), "999");
        let nobodys = client.as_player(2, *verb, &nobodys, body).await;
        let statuses = (theirs.status.as_u16(), nobodys.status.as_u16());
        assert_eq!(statuses, (404, 404), "{} {path}", verb.name());
        // The answers must not tell more than that there is a room to look into.
        assert_eq!(theirs.json()["error"], nobodys.json()["error"], "{} {path}", verb.name());
    }
    assert_eq!(client.read_by(1, &room).await.json(), before);
    client.stop().await;
}

#[tokio::test]
async fn only_its_owner_removes_a_room_and_all_that_was_in_it_goes_with_it() {
    let client = TestClient::start().await;
    let room = client.room_with(1, "Short-lived", &[(2, "admin")]).await;
    let asset = client.asset_by(1, json!({ "roomId": number(&room) })).await;
    let piece = json!({ "assetId": asset, "x": 0, "y": 0 });
    client.made_by(1, &format!("{room}/board-assets"), &piece).await;
    assert_eq!(client.as_player(2, Verb::Delete, &room, &Value::Null).await.status, 403);
    assert_eq!(client.read_by(2, &format!("/api/assets/{asset}")).await.status, 200);
    assert_eq!(client.as_player(1, Verb::Delete, &room, &Value::Null).await.status, 204);
    for path in [room.clone(), format!("{room}/players"), format!("/api/assets/{asset}")] {
        assert_eq!(client.read_by(2, &path).await.status, 404, "{path}");
    }
    // Its name is free again.
    client.room(2, "Short-lived").await;
    client.stop().await;
}
