//! Who comes into a room, who must go, and who may be what in it.

use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::TestClient;

/// What each seat may do: user 1 owns the room, 2 is gm, 3 plays, 4 looks on, 5 is admin.
const SEATED: [(i64, &str); 4] = [(2, "gm"), (3, "player"), (4, "observer"), (5, "admin")];

#[tokio::test]
async fn each_seat_may_do_what_its_role_allows_and_no_more() {
    let client = TestClient::start().await;
    let room = client.room_with(1, "Roles", &SEATED).await;
    let asset = client.asset_by(1, json!({})).await;
    let piece = json!({ "assetId": asset, "x": 0, "y": 0 });
    let locked = json!({ "assetId": asset, "x": 0, "y": 0, "locked": true });
    let cases = [
        (Verb::Patch, "", json!({ "playersMax": 9 }), [5, 1].as_slice()),
        (Verb::Patch, "/board", json!({ "gameState": { "turn": 1 } }), &[2, 5, 1]),
        (Verb::Patch, "/players/3", json!({ "score": 1 }), &[2, 5, 1]),
        (Verb::Patch, "/players/3", json!({ "role": "player" }), &[5, 1]),
        (Verb::Patch, "/players/3", json!({ "online": true }), &[3, 5, 1]),
        (Verb::Post, "/board-assets", piece, &[2, 3, 5, 1]),
        (Verb::Post, "/board-assets", locked, &[2, 5, 1]),
        (Verb::Delete, "/players/2", Value::Null, &[2, 5, 1]),
        (Verb::Delete, "/players/3", Value::Null, &[2, 3, 5, 1]),
    ];
    for (verb, tail, body, allowed) in cases {
        for user in 1..=5 {
            let answer = client.as_player(user, verb, &format!("{room}{tail}"), &body).await;
            let name = format!("{} {tail} {body} as {user}", verb.name());
            assert_eq!(answer.status.is_success(), allowed.contains(&user), "{name}: {answer:?}");
            if !allowed.contains(&user) {
                assert_eq!(answer.status, 403, "{name}");
            }
            // Whoever was taken out comes back into their seat.
            if verb == Verb::Delete && answer.status.is_success() {
                let target: i64 = tail.rsplit('/').next().expect("a user").parse().expect("a number");
                client.as_player(target, Verb::Post, &format!("{room}/join"), &Value::Null).await;
                let seat = if target == 2 { "gm" } else { "player" };
                let player = format!("{room}/players/{target}");
                let seated =
                    client.as_player(1, Verb::Patch, &player, &json!({ "role": seat })).await;
                assert_eq!(seated.status, 200, "{name}");
            }
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn a_full_room_takes_nobody_who_plays_however_many_come_at_once() {
    let client = TestClient::start().await;
    let room = client.room(1, "Three chairs").await;
    let resized = client.as_player(1, Verb::Patch, &room, &json!({ "playersMax": 3 })).await;
    assert_eq!(resized.status, 200);
    let mut tasks = tokio::task::JoinSet::new();
    for user in 2..=7 {
        let (sender, token, path) = (client.sender(), client.player(user), format!("{room}/join"));
        tasks.spawn(
            async move { sender.send(Verb::Post, &path, Some(&token), "").await.status.as_u16() },
        );
    }
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 409, 409, 409, 409]);
    // Who looks on takes no chair, and cannot get one by another way.
    let observer = json!({ "role": "observer" });
    let (mut came, path) = (0, format!("{room}/join"));
    for user in 8..=9 {
        came += i64::from(client.as_player(user, Verb::Post, &path, &observer).await.status == 201);
    }
    assert_eq!(came, 2);
    let promoted = client
        .as_player(1, Verb::Patch, &format!("{room}/players/8"), &json!({ "role": "gm" }))
        .await;
    assert_eq!(promoted.status, 409, "{promoted:?}");
    let shrunk = client.as_player(1, Verb::Patch, &room, &json!({ "playersMax": 2 })).await;
    assert_eq!(shrunk.status, 409, "{shrunk:?}");
    client.stop().await;
}

#[tokio::test]
async fn nobody_comes_twice_or_into_a_room_that_takes_nobody_or_is_not_there() {
    let client = TestClient::start().await;
    let room = client.room_with(1, "Doors", &[(2, "player")]).await;
    let join = format!("{room}/join");
    assert_eq!(client.as_player(2, Verb::Post, &join, &Value::Null).await.status, 409);
    client.as_player(1, Verb::Patch, &room, &json!({ "active": false })).await;
    assert_eq!(client.as_player(3, Verb::Post, &join, &Value::Null).await.status, 409);
    let nowhere = client.as_player(3, Verb::Post, "/api/rooms/999/join", &Value::Null).await;
    assert_eq!(nowhere.status, 404);
    let wished = client.as_player(3, Verb::Post, &join, &json!({ "role": "admin" })).await;
    assert_eq!(wished.status, 400, "{wished:?}");
    // A good token of somebody who is no user.
    let stranger = client.as_player(999, Verb::Post, "/api/rooms/1/join", &Value::Null).await;
    assert_eq!(stranger.status, 404, "{stranger:?}");
    client.stop().await;
}

#[tokio::test]
async fn the_owner_stays_in_the_room_as_its_admin() {
    let client = TestClient::start().await;
    let room = client.room_with(1, "Captain", &[(2, "admin")]).await;
    let owner = format!("{room}/players/1");
    let changes = [
        (1, Verb::Post, format!("{room}/leave"), Value::Null),
        (2, Verb::Delete, owner.clone(), Value::Null),
        (2, Verb::Patch, owner, json!({ "role": "player" })),
    ];
    for (user, verb, path, body) in changes {
        let answer = client.as_player(user, verb, &path, &body).await;
        assert_eq!(answer.status, 409, "{} {path}", verb.name());
    }
    let players = client.read_by(2, &format!("{room}/players")).await.json();
    assert_eq!(
        (&players["items"][0]["userId"], &players["items"][0]["role"]),
        (&json!(1), &json!("admin"))
    );
    client.stop().await;
}
