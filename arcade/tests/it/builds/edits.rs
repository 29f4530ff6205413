//! Who may change a build, and what a change does to it.

use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::TestClient;
use crate::support::builds::{BUILDS, new_build};

#[tokio::test]
async fn a_made_build_holds_what_was_asked_for_and_the_documented_defaults() {
    let client = TestClient::start().await;
    let body = new_build(json!({}));
    let made = client.send(Verb::Post, BUILDS, Some(&client.player(1)), &body.to_string()).await;
    assert_eq!((made.status.as_u16(), &made.json()["success"]), (201, &json!(true)));
    let shown = client.seen(Some(1), made.header("location")).await.json()["data"].clone();
    assert_eq!(shown, made.json()["data"]);
    assert_eq!((&shown["name"], &shown["classId"]), (&body["name"], &body["classId"]));
    let defaults = json!({
        "private": true, "starter": false, "likesCount": 0, "userId": 1,
        "baseSP": 231, "extraSP": 0, "baseSTP": 40, "extraSTP": 0,
        "abilities": [
            { "abilityId": 1, "level": 12, "maxLevel": 20, "choices": [11, 12], "chains": [2] },
        ],
        "passives": [{ "passiveId": 3, "level": 5, "maxLevel": 20 }],
        "stigmas": [{
            "stigmaId": 2, "level": 8, "maxLevel": 20, "cost": 10, "choices": [21], "chains": [],
        }],
        "daevanion": {
            "nezekan": [1, 2, 3], "zikel": [], "vaizel": [], "triniel": [], "ariel": [],
            "azphel": [7],
        },
        "shortcuts": [{ "slot": 1, "type": "ability", "skillId": 1, "label": "Opener" }],
    });
    for (field, value) in defaults.as_object().expect("an object") {
        assert_eq!(&shown[field], value, "{field}");
    }
    client.stop().await;
}

#[tokio::test]
async fn a_change_changes_what_is_given_and_nothing_else() {
    let client = TestClient::start().await;
    let path = client.build(1, json!({})).await;
    let before = client.seen(Some(1), &path).await.json()["data"].clone();
    let change = json!({ "name": "Second try", "extraSP": 7, "abilities": [], "passives": [] });
    let changed = client.rebuild(1, &path, change.clone()).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let after = client.seen(Some(1), &path).await.json()["data"].clone();
    assert_eq!(after, changed.json()["data"]);
    for (field, value) in before.as_object().expect("an object") {
        let expected = change.get(field).unwrap_or(value);
        assert!(field == "updatedAtMs" || &after[field] == expected, "{field}: {after}");
    }
    client.stop().await;
}

#[tokio::test]
async fn a_board_is_put_whole() {
    let client = TestClient::start().await;
    let path = client.build(1, json!({})).await;
    let board = format!("{path}/daevanion");
    let nodes = json!({ "ariel": [9, 8] }).to_string();
    let put = client.send(Verb::Put, &board, Some(&client.player(1)), &nodes).await;
    let expected = json!({
        "nezekan": [], "zikel": [], "vaizel": [], "triniel": [], "ariel": [9, 8], "azphel": [],
    });
    assert_eq!((put.status.as_u16(), &put.json()["data"]), (200, &expected));
    assert_eq!(client.seen(Some(1), &path).await.json()["data"]["daevanion"], expected);
    client.stop().await;
}

#[tokio::test]
async fn a_refused_change_leaves_the_whole_build_as_it_was() {
    let client = TestClient::start().await;
    let path = client.build(1, json!({})).await;
    let before = client.seen(Some(1), &path).await;
    // The name is good, the last of the skills is none of the class.
    let skills = json!([{ "abilityId": 1, "level": 1 }, { "abilityId": 99, "level": 1 }]);
    let change = json!({ "name": "Half done", "private": false, "abilities": skills });
    let refused = client.rebuild(1, &path, change).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(refused.json()["details"][0]["path"], "abilities[1].abilityId");
    let after = client.seen(Some(1), &path).await;
    assert_eq!((after.header("x-cache"), &after.text), ("HIT", &before.text));
    client.stop().await;
}

#[tokio::test]
async fn owners_and_admins_edit_and_nobody_else() {
    let client = TestClient::start().await;
    let path = client.build(1, json!({ "private": false })).await;
    let change = json!({ "name": "Edited" });
    let put = json!({ "zikel": [1] });
    let by = async |token: &str| {
        let patched = client.send(Verb::Patch, &path, Some(token), &change.to_string()).await;
        let board = format!("{path}/daevanion");
        let put = client.send(Verb::Put, &board, Some(token), &put.to_string()).await;
        [patched.status.as_u16(), put.status.as_u16()]
    };
    assert_eq!(by(&client.player(2)).await, [403, 403]);
    assert_eq!(client.seen(None, &path).await.json()["data"]["name"], "Duel Assassin");
    assert_eq!(by(&client.player(1)).await, [200, 200]);
    assert_eq!(by(&client.admin()).await, [200, 200]);
    assert_eq!(client.seen(None, &path).await.json()["data"]["userId"], 1, "still theirs");
    let removed = async |token: &str| client.send(Verb::Delete, &path, Some(token), "").await;
    assert_eq!(removed(&client.player(2)).await.status, 403);
    let gone = removed(&client.admin()).await;
    assert_eq!((gone.status.as_u16(), &gone.json()["data"]["deleted"]), (200, &json!(true)));
    assert_eq!(client.seen(Some(1), &path).await.status, 404);
    assert_eq!(removed(&client.player(1)).await.status, 404);
    client.stop().await;
}

#[tokio::test]
async fn a_starter_build_is_locked_for_everybody_and_may_be_liked() {
    let client = TestClient::start().await;
    // The starter builds of the demo world come first.
    let path = "/api/v1/builds/1";
    let before = client.seen(None, path).await.json()["data"].clone();
    assert_eq!((&before["starter"], &before["userId"]), (&json!(true), &Value::Null));
    let changes = [
        (Verb::Patch, path.to_owned(), json!({ "private": true }).to_string()),
        (Verb::Put, format!("{path}/daevanion"), "{}".to_owned()),
        (Verb::Delete, path.to_owned(), String::new()),
    ];
    for token in [client.player(1), client.admin()] {
        for (verb, path, body) in &changes {
            let answer = client.send(*verb, path, Some(&token), body).await;
            let error = answer.json()["error"].clone();
            assert_eq!((answer.status.as_u16(), error), (409, json!("a starter build is locked")));
        }
    }
    assert_eq!(client.seen(None, path).await.json()["data"], before);
    assert_eq!(client.like(1, path).await.json()["data"]["liked"], true);
    client.stop().await;
}
