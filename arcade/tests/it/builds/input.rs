//! What a build and a class must say, before anything is read or written.

use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::TestClient;
use crate::support::builds::{BUILDS, new_build, new_class};

/// The paths of the mistakes that the answer names.
fn mistakes(answer: &crate::support::Answer) -> Vec<String> {
    let details = answer.json()["details"].as_array().cloned().unwrap_or_default();
    let whole = details.iter().all(|detail| {
        ["message", "limit"]
            .iter()
            .all(|part| detail[part].as_str().is_some_and(|part| !part.is_empty()))
    });
    assert!(whole, "{answer:?}");
    details.iter().filter_map(|detail| detail["path"].as_str().map(str::to_owned)).collect()
}

fn ability(changes: Value) -> Value {
    let mut ability = json!({ "abilityId": 1, "level": 12 });
    let fields = ability.as_object_mut().expect("an object");
    fields.extend(changes.as_object().expect("an object").clone());
    json!([ability])
}

fn many(count: i64, one: impl Fn(i64) -> Value) -> Value {
    (1..=count).map(one).collect()
}

/// A change of a good build, and the fields that are wrong then.
type Row = (Value, Vec<&'static str>);

fn wrong_by_themselves() -> Vec<Row> {
    vec![
        (json!({ "name": "" }), vec!["name"]),
        (json!({ "name": "x".repeat(256) }), vec!["name"]),
        (json!({ "name": " x" }), vec!["name"]),
        (json!({ "name": 1, "classId": "1", "private": 1 }), vec!["name", "classId", "private"]),
        (json!({ "classId": 0 }), vec!["classId"]),
        (json!({ "classId": 999 }), vec!["classId"]),
        (json!({ "baseSP": -1, "extraSP": 10_001 }), vec!["baseSP", "extraSP"]),
        (json!({ "baseSTP": 1.5, "extraSTP": "0" }), vec!["baseSTP", "extraSTP"]),
        (
            json!({ "name": "x", "userId": 2, "likes": 5, "starter": true }),
            vec!["likes", "starter", "userId"],
        ),
    ]
}

fn wrong_abilities() -> Vec<Row> {
    vec![
        (json!({ "abilities": {} }), vec!["abilities"]),
        (
            json!({ "abilities": many(61, |id| json!({ "abilityId": id, "level": 1 })) }),
            vec!["abilities"],
        ),
        (json!({ "abilities": [1] }), vec!["abilities[0]"]),
        (json!({ "abilities": [{}] }), vec!["abilities[0].abilityId", "abilities[0].level"]),
        (json!({ "abilities": ability(json!({ "level": 21 })) }), vec!["abilities[0].level"]),
        (json!({ "abilities": ability(json!({ "level": -1 })) }), vec!["abilities[0].level"]),
        (json!({ "abilities": ability(json!({ "maxLevel": 21 })) }), vec!["abilities[0].maxLevel"]),
        (json!({ "abilities": ability(json!({ "maxLevel": 11 })) }), vec!["abilities[0].level"]),
        (
            json!({ "abilities": ability(json!({ "choices": [11, 11] })) }),
            vec!["abilities[0].choices"],
        ),
        (json!({ "abilities": ability(json!({ "owner": 1 })) }), vec!["abilities[0].owner"]),
        // Not of the class: an ability, a specialty, one that the level does not unlock, a chain.
        (json!({ "abilities": ability(json!({ "abilityId": 99 })) }), vec!["abilities[0].abilityId"]),
        (json!({ "abilities": ability(json!({ "choices": [21] })) }), vec!["abilities[0].choices"]),
        (json!({ "abilities": ability(json!({ "choices": [13] })) }), vec!["abilities[0].choices"]),
        (json!({ "abilities": ability(json!({ "chains": [3] })) }), vec!["abilities[0].chains"]),
        (
            json!({ "abilities": many(2, |_| json!({ "abilityId": 1, "level": 1 })) }),
            vec!["abilities"],
        ),
    ]
}

fn wrong_in_other_parts() -> Vec<Row> {
    let shortcut = |slot: i64| json!({ "slot": slot, "type": "stigma", "skillId": 1 });
    vec![
        (json!({ "passives": [{ "passiveId": 3, "level": 21 }] }), vec!["passives[0].level"]),
        (json!({ "passives": [{ "passiveId": 99, "level": 1 }] }), vec!["passives[0].passiveId"]),
        (
            json!({ "passives": [{ "passiveId": 3, "level": 1, "choices": [] }] }),
            vec!["passives[0].choices"],
        ),
        (
            json!({ "stigmas": [{ "stigmaId": 2, "level": 1, "cost": 1_001 }] }),
            vec!["stigmas[0].cost"],
        ),
        (json!({ "stigmas": [{ "stigmaId": 99, "level": 1 }] }), vec!["stigmas[0].stigmaId"]),
        (json!({ "daevanion": [] }), vec!["daevanion"]),
        (json!({ "daevanion": { "marchutan": [] } }), vec!["daevanion.marchutan"]),
        (
            json!({ "daevanion": { "zikel": [1, 1], "ariel": [0] } }),
            vec!["daevanion.zikel", "daevanion.ariel"],
        ),
        (json!({ "daevanion": { "zikel": (1..=251).collect::<Vec<_>>() } }), vec!["daevanion.zikel"]),
        (json!({ "shortcuts": [shortcut(0)] }), vec!["shortcuts[0].slot"]),
        (json!({ "shortcuts": [shortcut(1), shortcut(1)] }), vec!["shortcuts"]),
        (
            json!({ "shortcuts": [{ "slot": 1, "type": "passive", "skillId": 1, "label": "" }] }),
            vec!["shortcuts[0].type", "shortcuts[0].label"],
        ),
        (
            json!({ "shortcuts": [{ "slot": 1, "type": "stigma", "skillId": 99 }] }),
            vec!["shortcuts[0].skillId"],
        ),
    ]
}

#[tokio::test]
async fn every_mistake_in_a_build_is_named_with_its_place_and_nothing_is_written() {
    let client = TestClient::start().await;
    let path = client.build(1, json!({})).await;
    let one = client.player(1);
    let own = format!("{BUILDS}?private=true&limit=100");
    let before = (client.get(&own, &one).await.text, client.get(&path, &one).await.text);
    let table = [wrong_by_themselves(), wrong_abilities(), wrong_in_other_parts()].concat();
    for (changes, expected) in table {
        let body = new_build(changes.clone()).to_string();
        let made = client.send(Verb::Post, BUILDS, Some(&one), &body).await;
        assert_eq!(
            (made.status.as_u16(), mistakes(&made)),
            (400, own_strings(&expected)),
            "{changes}"
        );
        assert_eq!(made.json()["success"], false);
        let changed = client.rebuild(1, &path, changes.clone()).await;
        let told = (changed.status.as_u16(), mistakes(&changed));
        assert_eq!(told, (400, own_strings(&expected)), "{changes}");
    }
    let after = (client.get(&own, &one).await, client.get(&path, &one).await);
    assert_eq!((after.0.header("x-cache"), after.1.header("x-cache")), ("HIT", "HIT"));
    assert_eq!((after.0.text, after.1.text), before);
    client.stop().await;
}

fn own_strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn a_new_build_needs_a_name_and_a_class_and_a_change_must_change_something() {
    let client = TestClient::start().await;
    let one = client.player(1);
    let made = client.send(Verb::Post, BUILDS, Some(&one), "{}").await;
    assert_eq!((made.status.as_u16(), mistakes(&made)), (400, own_strings(&["name", "classId"])));
    let path = client.build(1, json!({})).await;
    assert_eq!(mistakes(&client.rebuild(1, &path, json!({})).await), [""]);
    for name in ["x".to_owned(), "é".repeat(255)] {
        assert_eq!(client.rebuild(1, &path, json!({ "name": name })).await.status, 200, "{name}");
    }
    client.stop().await;
}

#[tokio::test]
async fn every_mistake_in_a_class_is_named_with_its_place() {
    let client = TestClient::start().await;
    let skill = |changes: Value| {
        let mut skill = json!({ "id": 1, "name": "Song", "icon": "/a.webp" });
        let fields = skill.as_object_mut().expect("an object");
        fields.extend(changes.as_object().expect("an object").clone());
        skill
    };
    let cases = [
        (
            json!({ "icon": "http://a", "banner": "//a", "tags": ["a", "a"] }),
            vec!["icon", "banner", "tags"],
        ),
        (json!({ "tags": ["\n"] }), vec!["tags"]),
        (json!({ "tags": [1] }), vec!["tags"]),
        (json!({ "abilities": [skill(json!({})), skill(json!({}))] }), vec!["abilities"]),
        (json!({ "abilities": [skill(json!({ "icon": "a" }))] }), vec!["abilities[0].icon"]),
        (
            json!({ "stigmas": [skill(json!({ "choices": [{ "id": 1, "unlockLevel": 21 }] }))] }),
            vec!["stigmas[0].choices[0].unlockLevel"],
        ),
        (json!({ "stigmas": [skill(json!({ "chains": [2] }))] }), vec!["stigmas[0].chains"]),
        (json!({ "name": "Other" }), vec!["name"]),
    ];
    for (changes, expected) in cases {
        let answer = client.put_class("Bard", &new_class(changes.clone())).await;
        let told = (answer.status.as_u16(), mistakes(&answer));
        assert_eq!(told, (400, own_strings(&expected)), "{changes}");
    }
    for name in ["x".repeat(61).as_str(), "%20Bard", "Bard%0A"] {
        assert_eq!(client.put_class(name, &new_class(json!({}))).await.status, 400, "{name}");
    }
    assert_eq!(client.seen(None, "/api/v1/classes/bard").await.status, 404);
    client.stop().await;
}
