//! What lies on a board: who sees it, who moves it, and what two who change it at once get.

use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::TestClient;

fn seen(list: &Value) -> usize {
    list["items"].as_array().expect("items").len()
}

#[tokio::test]
async fn a_piece_is_moved_by_who_put_it_there_until_it_is_locked_and_always_by_who_leads() {
    let client = TestClient::start().await;
    let seated = [(2, "gm"), (3, "player"), (4, "player")];
    let room = client.room_with(1, "Locks", &seated).await;
    let piece = client.piece_by(3, &room, json!({})).await;
    let to = json!({ "x": 30, "rotation": 90 });
    let moved =
        async |user: i64| client.as_player(user, Verb::Patch, &piece, &to).await.status.as_u16();
    assert_eq!((moved(3).await, moved(4).await, moved(2).await), (200, 403, 200));
    let lock = json!({ "locked": true });
    assert_eq!(client.as_player(3, Verb::Patch, &piece, &lock).await.status, 403);
    assert_eq!(client.as_player(2, Verb::Patch, &piece, &lock).await.status, 200);
    assert_eq!((moved(3).await, moved(2).await), (403, 200));
    assert_eq!(client.as_player(3, Verb::Delete, &piece, &Value::Null).await.status, 403);
    assert_eq!(client.as_player(2, Verb::Delete, &piece, &Value::Null).await.status, 204);
    assert_eq!(client.as_player(2, Verb::Delete, &piece, &Value::Null).await.status, 404);
    client.stop().await;
}

#[tokio::test]
async fn what_a_user_must_not_see_is_in_no_answer_and_cannot_be_touched() {
    let client = TestClient::start().await;
    let room = client.room_with(1, "Secrets", &[(2, "player"), (3, "player")]).await;
    let hidden = client.piece_by(1, &room, json!({ "visibility": "gm" })).await;
    let own = client.piece_by(2, &room, json!({ "visibility": "owner" })).await;
    client.piece_by(2, &room, json!({})).await;
    let pieces = format!("{room}/board-assets");
    for (user, expected) in [(1, 3), (2, 2), (3, 1), (9, 1)] {
        let list = client.read_by(user, &pieces).await.json();
        let state = client.read_by(user, &room).await.json();
        assert_eq!((seen(&list), &state["boardAssets"]), (expected, &list["items"]), "{user}");
    }
    // One entry for all of them.
    assert_eq!(client.read_by(3, &room).await.header("x-cache"), "HIT");
    for piece in [hidden, own] {
        let touched = client.as_player(3, Verb::Patch, &piece, &json!({ "x": 1 })).await;
        assert_eq!(touched.status, 404, "{touched:?}");
    }
    client.stop().await;
}

#[tokio::test]
async fn a_change_of_the_board_that_was_meant_for_an_older_one_is_refused() {
    let client = TestClient::start().await;
    let room = client.room_with(1, "Versions", &[(2, "gm")]).await;
    let version = client.read_by(1, &room).await.json()["version"].as_i64().expect("version");
    let board = format!("{room}/board");
    let wish = |turn: i64| json!({ "gameState": { "turn": turn }, "expectedVersion": version });
    let first = client.as_player(1, Verb::Patch, &board, &wish(1)).await;
    assert_eq!((first.status.as_u16(), &first.json()["version"]), (200, &json!(version + 1)));
    let second = client.as_player(2, Verb::Patch, &board, &wish(2)).await;
    assert_eq!(second.status, 409, "{second:?}");
    let after = client.read_by(2, &room).await.json();
    assert_eq!((&after["gameState"]["turn"], &after["version"]), (&json!(1), &json!(version + 1)));
    client.stop().await;
}

#[tokio::test]
async fn only_what_a_user_sees_and_no_other_room_owns_can_be_put_on_a_board() {
    let client = TestClient::start().await;
    let room = client.room_with(1, "Usable", &[(2, "player")]).await;
    let elsewhere = client.room(1, "Unusable").await;
    let elsewhere: i64 = elsewhere.rsplit('/').next().expect("id").parse().expect("a number");
    let private = client.asset_by(1, json!({ "public": false })).await;
    let foreign = client.asset_by(1, json!({ "roomId": elsewhere })).await;
    let public = client.asset_by(1, json!({})).await;
    let place = async |user: i64, asset: i64| {
        let body = json!({ "assetId": asset, "x": 0, "y": 0 });
        let board = format!("{room}/board-assets");
        client.as_player(user, Verb::Post, &board, &body).await.status.as_u16()
    };
    assert_eq!((place(2, private).await, place(1, private).await), (404, 201));
    assert_eq!((place(2, foreign).await, place(1, foreign).await), (404, 404));
    assert_eq!((place(2, public).await, place(2, 999_999).await), (201, 404));
    client.stop().await;
}
