//! Classes and their tags.

use serde_json::json;

use crate::support::TestClient;
use crate::support::builds::{names, new_class};

const CLASSES: &str = "/api/v1/classes";

#[tokio::test]
async fn classes_are_listed_by_name_with_their_tags() {
    let client = TestClient::start().await;
    let first = client.seen(None, CLASSES).await;
    let second = client.seen(None, CLASSES).await;
    assert_eq!((first.header("x-cache"), second.header("x-cache")), ("MISS", "HIT"));
    let listed = names(&first);
    assert!(listed.len() == 8 && listed.is_sorted(), "{listed:?}");
    assert_eq!((&first.json()["success"], &first.json()["count"]), (&json!(true), &json!(8)));
    assert_eq!(first.json()["data"][0]["tags"], json!(["damage", "melee"]));
    assert!(first.header("cache-control").starts_with("public"));
    client.stop().await;
}

#[tokio::test]
async fn a_class_is_found_by_its_name_in_any_case_and_kept_once() {
    let client = TestClient::start().await;
    let mut expected = "MISS";
    for name in ["Templar", "templar", "TEMPLAR", "tEMPLAr"] {
        let class = client.seen(None, &format!("{CLASSES}/{name}")).await;
        assert_eq!((class.status.as_u16(), class.header("x-cache")), (200, expected), "{name}");
        let data = &class.json()["data"];
        assert_eq!(
            (&data["name"], &data["abilities"][0]["maxLevel"]),
            (&json!("Templar"), &json!(20))
        );
        expected = "HIT";
    }
    let tags = client.seen(None, &format!("{CLASSES}/Templar/tags")).await.json();
    assert_eq!((&tags["data"], &tags["count"]), (&json!(["melee", "tank"]), &json!(2)));
    for path in ["nobody", "nobody/tags"] {
        let missing = client.seen(None, &format!("{CLASSES}/{path}")).await;
        let error = missing.json()["error"].clone();
        assert_eq!((missing.status.as_u16(), error), (404, json!("no such class")), "{path}");
    }
    client.stop().await;
}

#[tokio::test]
async fn a_new_class_comes_with_its_tags_and_a_starter_build() {
    let client = TestClient::start().await;
    let made = client.put_class("Bard", &new_class(json!({}))).await;
    assert_eq!(made.status, 201, "{made:?}");
    let class = client.seen(None, &format!("{CLASSES}/bard")).await.json()["data"].clone();
    assert_eq!(class, made.json()["data"]);
    assert_eq!(class["tags"], json!(["heal", "support"]));
    let builds = client.seen(None, &format!("/api/v1/builds?classId={}", class["id"])).await;
    assert_eq!(names(&builds), ["Bard starter build"]);
    let again = client.put_class("BARD", &new_class(json!({ "tags": ["song"] }))).await;
    assert_eq!((again.status.as_u16(), &again.json()["data"]["id"]), (200, &class["id"]));
    let after = client.seen(None, &format!("{CLASSES}/bard")).await.json()["data"].clone();
    assert_eq!((&after["name"], &after["tags"]), (&json!("BARD"), &json!(["song"])));
    let builds = client.seen(None, &format!("/api/v1/builds?classId={}", class["id"])).await;
    assert_eq!(builds.json()["count"], 1);
    client.stop().await;
}

#[tokio::test]
async fn a_build_is_judged_by_its_class_as_it_is_now() {
    let client = TestClient::start().await;
    let class = client.put_class("Bard", &new_class(json!({}))).await.json()["data"]["id"].clone();
    let song = json!({
        "name": "Song", "classId": class, "abilities": [{ "abilityId": 1, "level": 8, "choices": [11] }],
        "passives": [], "stigmas": [], "shortcuts": [],
    });
    let build = client.build(1, song).await;
    let without = new_class(json!({ "abilities": [] }));
    assert_eq!(client.put_class("Bard", &without).await.status, 200);
    let refused = client.rebuild(1, &build, json!({ "name": "Too late" })).await;
    assert_eq!(refused.json()["details"][0]["path"], "abilities[0].abilityId");
    // It can be hidden all the same, and not be shown again as it is.
    let hidden = client.rebuild(1, &build, json!({ "private": true })).await;
    assert_eq!(hidden.status, 200, "{hidden:?}");
    assert_eq!(client.rebuild(1, &build, json!({ "private": false })).await.status, 400);
    let changed = client.rebuild(1, &build, json!({ "name": "Silence", "abilities": [] })).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    client.stop().await;
}
