//! An inventory is gone through by cursor: whatever happens meanwhile, nothing is missed or shown
//! twice.

use arcade::http::{Cursor, Verb, cursors};
use serde_json::{Value, json};

use crate::support::{Answer, TestClient};

const INVENTORY: &str = "/marketplace/inventory";

/// Where `user` goes on after `answer`, two items at a time; `None` at the end.
fn next(answer: &Answer) -> Option<String> {
    let cursor = answer.json()["nextCursor"].as_str().map(str::to_owned);
    cursor.map(|cursor| format!("{INVENTORY}?limit=2&cursor={cursor}"))
}

fn ids(items: &Value) -> Vec<i64> {
    let items = items["items"].as_array().expect("items").iter();
    items.map(|item| item["id"].as_i64().expect("an id")).collect()
}

/// What `user` finds from `path` to the end, and what is done after each answer.
async fn walk(client: &TestClient, user: i64, path: &str, after_each: impl AsyncFn()) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut path = Some(path.to_owned());
    while let Some(asked) = path {
        let answer = client.get(&asked, &client.player(user)).await;
        assert_eq!(answer.status, 200, "{asked}: {answer:?}");
        path = next(&answer);
        answers.push(answer);
        after_each().await;
    }
    answers
}

fn all_ids(answers: &[Answer]) -> Vec<i64> {
    answers.iter().flat_map(|answer| ids(&answer.json())).collect()
}

#[tokio::test]
async fn purchases_on_the_way_make_a_walk_miss_nothing_and_repeat_nothing() {
    let client = TestClient::start().await;
    let item = client.put_item(json!({ "price": 1, "stock": 1_000 })).await;
    let head = format!("{INVENTORY}?limit=2");
    let whole = client.get(&format!("{INVENTORY}?limit=100"), &client.player(1)).await.json();
    let before = ids(&whole);
    assert!(before.len() > 4, "too few to walk through");
    assert_eq!((&whole["total"], &whole["nextCursor"]), (&json!(before.len()), &Value::Null));
    let buying = async || {
        assert_eq!(client.buy(1, item, "").await.status, 201);
    };
    let walked = walk(&client, 1, &head, buying).await;
    assert_eq!(all_ids(&walked), before);
    let again = walk(&client, 1, &head, async || {}).await;
    assert_eq!(all_ids(&again)[walked.len()..], before, "what was bought is at the head");
    client.stop().await;
}

#[tokio::test]
async fn a_purchase_drops_every_part_of_its_buyers_inventory_and_no_other() {
    let client = TestClient::start().await;
    let item = client.put_item(json!({})).await;
    let head = format!("{INVENTORY}?limit=2");
    let mut seen = Vec::new();
    for user in [1, 2] {
        let first = walk(&client, user, &head, async || {}).await;
        let second = walk(&client, user, &head, async || {}).await;
        assert!(first.iter().all(|answer| answer.header("x-cache") == "MISS"));
        assert!(second.iter().all(|answer| answer.header("x-cache") == "HIT"));
        assert!(second.iter().all(|answer| answer.header("cache-control").starts_with("private")));
        let parts = std::iter::once(head.clone()).chain(first.iter().filter_map(next));
        seen.push((user, parts.collect::<Vec<_>>()));
    }
    assert_eq!(client.buy(1, item, "").await.status, 201);
    for (user, parts) in seen {
        let expected = if user == 1 { "MISS" } else { "HIT" };
        for part in parts {
            let answer = client.get(&part, &client.player(user)).await;
            assert_eq!(answer.header("x-cache"), expected, "{part} of {user}");
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn another_users_cursor_is_only_a_place() {
    let client = TestClient::start().await;
    let one = client.get(&format!("{INVENTORY}?limit=2"), &client.player(1)).await;
    let path = next(&one).expect("user 1 has more than two");
    let own = client.get(&format!("{INVENTORY}?limit=100"), &client.player(2)).await.json();
    let own = ids(&own);
    let seen = all_ids(&walk(&client, 2, &path, async || {}).await);
    assert!(own.ends_with(&seen), "{seen:?} of {own:?}");
    client.stop().await;
}

#[tokio::test]
async fn what_is_no_cursor_of_this_list_is_refused_before_anything_is_read() {
    let client = TestClient::start().await;
    let place = Cursor { order: 1, id: 1 };
    let of_another_list = cursors("notifications").text(place);
    let good = cursors("inventory").text(place);
    let cut = &good[..good.len() - 1];
    for cursor in ["", "1", "%00", &"A".repeat(32), &of_another_list, cut, &"A".repeat(8_192)] {
        let path = format!("{INVENTORY}?cursor={cursor}");
        let answer = client.get(&path, &client.player(1)).await;
        let details = &answer.json()["details"];
        assert_eq!(
            (answer.status.as_u16(), &details[0]["path"]),
            (400, &json!("cursor")),
            "{path:.80}"
        );
        assert_eq!(details[0]["limit"], "nextCursor of an earlier answer");
    }
    let both = client.get(&format!("{INVENTORY}?cursor=x&limit=101"), &client.player(1)).await;
    let named: Vec<Value> = both.json()["details"].as_array().expect("details").clone();
    assert_eq!((&named[0]["path"], &named[1]["path"]), (&json!("cursor"), &json!("limit")));
    let metrics = client.send(Verb::Get, "/metrics", None, "").await.text;
    assert!(metrics.contains("source_reads_total{cache=\"inventory\"} 0"), "{metrics}");
    assert_eq!(
        client.get(&format!("{INVENTORY}?cursor={good}"), &client.player(1)).await.status,
        200
    );
    client.stop().await;
}
