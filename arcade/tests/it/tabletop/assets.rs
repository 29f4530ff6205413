//! Who sees an asset, who may bring one, and when it can go.

use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::TestClient;
use crate::support::tabletop::new_asset;

#[tokio::test]
async fn an_asset_that_is_not_public_is_there_for_its_uploader_only() {
    let client = TestClient::start().await;
    let room = client.room_with(1, "Maps", &[(2, "player")]).await;
    let number: i64 = room.rsplit('/').next().expect("id").parse().expect("a number");
    let private = client.asset_by(1, json!({ "roomId": number, "public": false })).await;
    let public = client.asset_by(1, json!({ "roomId": number })).await;
    let (one, all) =
        (format!("/api/assets/{private}"), format!("/api/assets?ids={private},{public}"));
    for (user, status, found, listed) in [(1, 200, 2, 2), (2, 404, 1, 1), (9, 404, 1, 1)] {
        assert_eq!(client.read_by(user, &one).await.status, status, "{user}");
        let batch = client.read_by(user, &all).await.json();
        assert_eq!(batch["items"].as_array().map(Vec::len), Some(found), "{user}");
        let page = client.read_by(user, &format!("{room}/assets")).await.json();
        assert_eq!(page["total"], listed, "{user}");
    }
    let theirs = client.as_player(2, Verb::Delete, &one, &Value::Null).await;
    let nobodys = client.as_player(2, Verb::Delete, "/api/assets/999", &Value::Null).await;
    assert_eq!((theirs.status.as_u16(), nobodys.status.as_u16()), (404, 404));
    assert_eq!(theirs.json()["error"], nobodys.json()["error"]);
    client.stop().await;
}

#[tokio::test]
async fn an_asset_that_lies_on_a_board_stays_until_it_is_taken_off() {
    let client = TestClient::start().await;
    let room = client.room(1, "On the board").await;
    let asset = client.asset_by(1, json!({})).await;
    let body = json!({ "assetId": asset, "x": 0, "y": 0 });
    let piece = client.made_by(1, &format!("{room}/board-assets"), &body).await;
    let path = format!("/api/assets/{asset}");
    assert_eq!(client.as_player(1, Verb::Delete, &path, &Value::Null).await.status, 409);
    // That it lies somewhere is nothing that others learn.
    assert_eq!(client.as_player(2, Verb::Delete, &path, &Value::Null).await.status, 404);
    let off = format!("{room}/board-assets/{piece}");
    assert_eq!(client.as_player(1, Verb::Delete, &off, &Value::Null).await.status, 204);
    assert_eq!(client.as_player(1, Verb::Delete, &path, &Value::Null).await.status, 204);
    client.stop().await;
}

#[tokio::test]
async fn those_who_play_in_a_room_bring_assets_into_it_and_makers_into_their_systems() {
    let client = TestClient::start().await;
    let room = client.room_with(1, "Bring", &[(2, "player"), (3, "observer")]).await;
    let number: i64 = room.rsplit('/').next().expect("id").parse().expect("a number");
    for (user, status) in [(1, 201), (2, 201), (3, 403), (4, 404)] {
        let body = new_asset(json!({ "roomId": number }));
        let brought = client.as_player(user, Verb::Post, "/api/assets", &body).await;
        assert_eq!(brought.status, status, "{user}");
    }
    let system = crate::support::tabletop::new_system(json!({}));
    let system = client.made_by(1, "/api/systems", &system).await;
    for (user, status) in [(1, 201), (2, 404)] {
        let body = new_asset(json!({ "systemId": system }));
        let brought = client.as_player(user, Verb::Post, "/api/assets", &body).await;
        assert_eq!(brought.status, status, "{user}");
    }
    client.stop().await;
}

#[tokio::test]
async fn the_assets_of_a_room_come_in_pages_from_the_entries_that_single_reads_have_left() {
    let client = TestClient::start().await;
    let room = client.room(1, "A page of maps").await;
    let number: i64 = room.rsplit('/').next().expect("id").parse().expect("a number");
    let mut brought = Vec::new();
    for _ in 0..5 {
        brought.push(client.asset_by(1, json!({ "roomId": number })).await);
    }
    let page = async |query: &str| client.read_by(1, &format!("{room}/assets?{query}")).await;
    let whole = page("limit=100").await.json();
    let ids = |page: &Value| -> Vec<i64> {
        let items = page["items"].as_array().expect("items");
        items.iter().map(|asset| asset["id"].as_i64().expect("id")).collect()
    };
    assert_eq!((ids(&whole).len(), &whole["total"], &whole["pages"]), (5, &json!(5), &json!(1)));
    let parts = [page("limit=2").await.json(), page("limit=2&page=2").await.json()];
    assert_eq!([ids(&parts[0]), ids(&parts[1])].concat(), ids(&whole)[..4]);
    assert_eq!(page("limit=2&page=4").await.header("x-cache"), "BYPASS");
    assert_eq!(
        client.read_by(1, &format!("/api/assets/{}", brought[0])).await.header("x-cache"),
        "HIT"
    );
    assert_eq!(client.read_by(1, "/api/rooms/999/assets").await.status, 404);
    client.stop().await;
}
