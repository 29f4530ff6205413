//! The promises of the marketplace: cached, never old, and every purchase shown at once to whom it
//! concerns.

use arcade::http::Verb;
use arcade::ledger::{self, Audit};
use serde_json::{Value, json};

use crate::support::{Answer, TestClient};

async fn change(client: &TestClient, id: i64, body: Value) -> Answer {
    let path = format!("/marketplace/items/{id}");
    client.send(Verb::Patch, &path, Some(&client.admin()), &body.to_string()).await
}

async fn buy_with_key(client: &TestClient, user: i64, id: i64, key: &str, body: &str) -> Answer {
    let path = format!("/marketplace/items/{id}/buy");
    let token = format!("Bearer {}", client.player(user));
    let mut headers = vec![("authorization", token.as_str()), ("idempotency-key", key)];
    if !body.is_empty() {
        headers.push(("content-type", "application/json"));
    }
    client.send_with(Verb::Post, &path, &headers, body).await
}

async fn balance(client: &TestClient, user: i64) -> i64 {
    let answer = client.get("/marketplace/balance", &client.player(user)).await;
    answer.json()["balance"].as_i64().expect("a balance")
}

/// What the cache says to a read of `path` by `user`.
async fn cached(client: &TestClient, path: &str, user: i64) -> String {
    client.get(path, &client.player(user)).await.header("x-cache").to_owned()
}

async fn assert_ledger_is_right(client: &TestClient) {
    assert_eq!(ledger::audit(&client.store).await.expect("audit"), Audit::default());
}

#[tokio::test]
async fn a_purchase_refreshes_the_list_and_lowers_the_balance_by_the_price() {
    let client = TestClient::start().await;
    let id = client.put_item(json!({ "price": 250, "stock": 5 })).await;
    let one = client.player(1);
    let list = "/marketplace/items";
    let first = client.get(list, &one).await;
    assert_eq!(
        (first.header("x-cache"), first.json()["items"][0]["stock"].as_i64()),
        ("MISS", Some(5))
    );
    assert_eq!(client.get(list, &one).await.header("x-cache"), "HIT");
    let before = balance(&client, 1).await;
    let bought = client.buy(1, id, "").await;
    assert_eq!(bought.status, 201, "{bought:?}");
    assert_eq!(bought.json()["balance"], before - 250);
    let after = client.get(list, &one).await;
    assert_eq!(after.header("x-cache"), "MISS");
    assert_eq!(after.json()["items"][0]["id"], id);
    assert_eq!(after.json()["items"][0]["stock"], 4);
    assert_eq!(balance(&client, 1).await, before - 250);
    assert_ledger_is_right(&client).await;
    client.stop().await;
}

#[tokio::test]
async fn a_purchase_shows_at_once_wherever_it_belongs_and_nowhere_else() {
    let client = TestClient::start().await;
    let id = client.put_item(json!({ "category": "cue" })).await;
    let other = client.put_item(json!({ "category": "trophy" })).await;
    let item = format!("/marketplace/items/{id}");
    let theirs = [
        ("/marketplace/items", 1),
        ("/marketplace/items?category=cue", 1),
        ("/marketplace/items?limit=100", 1),
        (item.as_str(), 1),
        ("/marketplace/inventory", 1),
        ("/marketplace/inventory?limit=1", 1),
        ("/marketplace/balance", 1),
    ];
    let another = format!("/marketplace/items/{other}");
    let nobodys = [
        ("/marketplace/items?category=trophy", 1),
        // The first page of one item each shows the newer of the two.
        ("/marketplace/items?limit=1&page=1", 1),
        (another.as_str(), 1),
        ("/marketplace/inventory", 2),
        ("/marketplace/balance", 2),
    ];
    for (path, user) in theirs.iter().chain(&nobodys) {
        cached(&client, path, *user).await;
        assert_eq!(cached(&client, path, *user).await, "HIT", "{path} of {user}");
    }
    let bought = client.buy(1, id, "{}").await;
    assert_eq!(bought.status, 201, "{bought:?}");
    for (path, user) in theirs {
        assert_eq!(cached(&client, path, user).await, "MISS", "{path} of {user}");
    }
    for (path, user) in nobodys {
        assert_eq!(cached(&client, path, user).await, "HIT", "{path} of {user}");
    }
    let inventory = client.get("/marketplace/inventory", &client.player(1)).await.json();
    assert_eq!(inventory["items"][0], bought.json()["inventoryItem"]);
    assert_eq!(inventory["items"][0]["itemId"], id);
    client.stop().await;
}

#[tokio::test]
async fn an_order_that_cannot_be_filled_says_why_and_changes_nothing() {
    let client = TestClient::start().await;
    let before = balance(&client, 1).await;
    let dear = client.put_item(json!({ "price": before + 1 })).await;
    let sold_out = client.put_item(json!({ "stock": 0 })).await;
    let withheld = client.put_item(json!({ "available": false })).await;
    let fine = client.put_item(json!({ "price": 250 })).await;
    let cases = [
        (dear, "", 409, "the balance is too small"),
        (sold_out, "", 409, "the item is sold out"),
        (withheld, "", 409, "the item is not for sale"),
        (fine, r#"{"expectedPrice": 249}"#, 409, "the price is not the expected one"),
        (999_999, "", 404, "no such item"),
    ];
    for (id, body, status, error) in cases {
        let answer = client.buy(1, id, body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (status, &error.into()));
        assert_eq!(cached(&client, "/marketplace/balance", 1).await, "HIT", "{error}");
    }
    let nobody = client.buy(4_000, fine, "").await;
    assert_eq!((nobody.status.as_u16(), &nobody.json()["error"]), (404, &"no such user".into()));
    assert_eq!(client.get(&format!("/marketplace/items/{dear}"), "").await.json()["stock"], 5);
    assert_eq!(balance(&client, 1).await, before);
    assert_ledger_is_right(&client).await;
    client.stop().await;
}

#[tokio::test]
async fn nobody_pays_more_than_was_shown() {
    let client = TestClient::start().await;
    let id = client.put_item(json!({ "price": 250 })).await;
    assert_eq!(change(&client, id, json!({ "price": 300 })).await.status, 200);
    let offer = |price: i64| json!({ "expectedPrice": price }).to_string();
    assert_eq!(client.buy(1, id, &offer(250)).await.status, 409);
    let bought = client.buy(1, id, &offer(300)).await;
    assert_eq!(
        (bought.status.as_u16(), &bought.json()["inventoryItem"]["pricePaid"]),
        (201, &300.into())
    );
    client.stop().await;
}

#[tokio::test]
async fn a_key_stands_for_one_order_and_repeats_its_answer() {
    let client = TestClient::start().await;
    let id = client.put_item(json!({ "stock": 5 })).await;
    let before = balance(&client, 1).await;
    let first = buy_with_key(&client, 1, id, "k-1", "").await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = buy_with_key(&client, 1, id, "k-1", "{}").await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    let other = buy_with_key(&client, 1, id, "k-1", r#"{"expectedPrice": 250}"#).await;
    assert_eq!(other.status, 422);
    assert_eq!(balance(&client, 1).await, before - 250);
    // Another user's key is another key.
    assert_eq!(buy_with_key(&client, 2, id, "k-1", "").await.status, 201);
    client.stop().await;
}

#[tokio::test]
async fn a_refusal_is_repeated_under_its_key_too() {
    let client = TestClient::start().await;
    let id = client.put_item(json!({ "stock": 0 })).await;
    assert_eq!(buy_with_key(&client, 1, id, "k-2", "").await.status, 409);
    assert_eq!(change(&client, id, json!({ "stock": 1 })).await.status, 200);
    let again = buy_with_key(&client, 1, id, "k-2", "").await;
    assert_eq!(
        (again.status.as_u16(), &again.json()["error"]),
        (409, &"the item is sold out".into())
    );
    assert_eq!(buy_with_key(&client, 1, id, "k-3", "").await.status, 201);
    client.stop().await;
}

#[tokio::test]
async fn a_key_that_is_not_plain_is_refused() {
    let client = TestClient::start().await;
    let id = client.put_item(json!({})).await;
    let long = "k".repeat(65);
    for key in ["", "two words", "k:1", long.as_str()] {
        let answer = buy_with_key(&client, 1, id, key, "").await;
        assert_eq!(answer.status, 400, "{key:?}");
        assert_eq!(answer.json()["details"][0]["path"], "idempotency-key");
    }
    assert_eq!(buy_with_key(&client, 1, id, &long[1..], "").await.status, 201);
    client.stop().await;
}

#[tokio::test]
async fn pages_show_the_newest_first_without_gap_or_overlap() {
    let client = TestClient::start().await;
    let newest = client.put_item(json!({})).await;
    for list in ["/marketplace/items?", "/marketplace/items?category=cue&"] {
        let whole = client.get(&format!("{list}limit=100"), "").await.json();
        let total = whole["total"].as_u64().expect("a total");
        let items = whole["items"].as_array().expect("items");
        assert_eq!((items.len() as u64, &items[0]["id"]), (total, &newest.into()));
        let times: Vec<i64> =
            items.iter().map(|item| item["createdAtMs"].as_i64().expect("a time")).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older));
        let mut paged = Vec::new();
        for page in 1..=total.div_ceil(7) + 1 {
            let answer = client.get(&format!("{list}limit=7&page={page}"), "").await;
            assert_eq!(answer.header("x-cache") == "BYPASS", page > 3, "page {page}");
            paged.extend(answer.json()["items"].as_array().expect("items").clone());
        }
        assert_eq!(&paged, items);
    }
    let cues = client.get("/marketplace/items?category=cue&limit=100", "").await.json();
    assert!(cues["items"].as_array().expect("items").iter().all(|item| item["category"] == "cue"));
    client.stop().await;
}

#[tokio::test]
async fn an_item_that_moves_leaves_one_category_and_shows_in_the_other_at_once() {
    let client = TestClient::start().await;
    let id = client.put_item(json!({ "category": "cue" })).await;
    let listed = async |category: &str| {
        let path = format!("/marketplace/items?category={category}");
        let answer = client.get(&path, "").await;
        let first = answer.json()["items"][0]["id"].as_i64();
        (answer.header("x-cache").to_owned(), first == Some(id))
    };
    for category in ["cue", "table", "trophy"] {
        listed(category).await;
    }
    let moved = change(&client, id, json!({ "category": "table" })).await;
    assert_eq!((moved.status.as_u16(), &moved.json()["category"]), (200, &"table".into()));
    assert_eq!(listed("cue").await, ("MISS".to_owned(), false));
    assert_eq!(listed("table").await, ("MISS".to_owned(), true));
    assert_eq!(listed("trophy").await, ("HIT".to_owned(), false));
    client.stop().await;
}

#[tokio::test]
async fn a_removed_item_is_gone_at_once_and_stays_in_the_inventory() {
    let client = TestClient::start().await;
    let id = client.put_item(json!({ "name": "Old Cue" })).await;
    assert_eq!(client.buy(1, id, "").await.status, 201);
    let path = format!("/marketplace/items/{id}");
    assert_eq!(client.get(&path, "").await.status, 200);
    client.get("/marketplace/items", "").await;
    let removed = client.send(Verb::Delete, &path, Some(&client.admin()), "").await;
    assert_eq!(removed.status, 204);
    let gone = client.get(&path, "").await;
    assert_eq!((gone.status.as_u16(), gone.header("x-cache")), (404, "MISS"));
    let list = client.get("/marketplace/items", "").await;
    assert_eq!(list.header("x-cache"), "MISS");
    assert_ne!(list.json()["items"][0]["id"], id);
    assert_eq!(client.buy(1, id, "").await.status, 404);
    let inventory = client.get("/marketplace/inventory", &client.player(1)).await.json();
    assert_eq!(inventory["items"][0]["name"], "Old Cue");
    let again = client.send(Verb::Delete, &path, Some(&client.admin()), "").await;
    assert_eq!(again.status, 404);
    client.stop().await;
}

#[tokio::test]
async fn inventories_and_balances_are_private() {
    let client = TestClient::start().await;
    let id = client.put_item(json!({ "name": "Secret Cue" })).await;
    assert_eq!(client.buy(1, id, "").await.status, 201);
    for path in ["/marketplace/inventory?limit=100", "/marketplace/balance"] {
        for user in [1, 2] {
            client.get(path, &client.player(user)).await;
            let answer = client.get(path, &client.player(user)).await;
            assert_eq!(answer.header("x-cache"), "HIT", "{path}");
            assert!(answer.header("cache-control").starts_with("private"), "{path}");
            assert_eq!(user == 1 && path.contains("inventory"), answer.text.contains("Secret Cue"));
        }
    }
    let public = client.get("/marketplace/items", "").await;
    assert!(public.header("cache-control").starts_with("public"));
    client.stop().await;
}

#[tokio::test]
async fn no_body_can_name_a_buyer_a_balance_or_another_field() {
    let client = TestClient::start().await;
    let id = client.put_item(json!({ "stock": 5 })).await;
    let before = balance(&client, 1).await;
    for body in [r#"{"userId": 2}"#, r#"{"balance": 9}"#, r#"{"price": 1}"#, r#"{"id": 7}"#] {
        assert_eq!(client.buy(1, id, body).await.status, 400, "{body}");
        let changed =
            change(&client, id, serde_json::from_str(body).expect("JSON")).await.status.as_u16();
        assert_eq!(changed, if body.contains("price") { 200 } else { 400 }, "{body}");
    }
    let item = client.get(&format!("/marketplace/items/{id}"), "").await.json();
    assert_eq!((&item["stock"], balance(&client, 1).await), (&5.into(), before));
    client.stop().await;
}

#[tokio::test]
async fn no_amount_but_a_whole_number_within_its_limits_is_taken() {
    let client = TestClient::start().await;
    let id = client.put_item(json!({ "price": 250, "stock": 5 })).await;
    let item = format!("/marketplace/items/{id}");
    let before = client.get(&item, "").await.text;
    let digits = "9".repeat(10_240);
    let amounts = [
        "-1",
        "0",
        "1e999",
        "NaN",
        "0.1",
        "1.0",
        "1e2",
        "\"1 \"",
        "\"1\"",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
        digits.as_str(),
        "null",
        "true",
        "[1]",
        "",
    ];
    for amount in amounts {
        let bodies = [
            (Verb::Patch, item.clone(), client.admin(), "price"),
            (Verb::Post, format!("{item}/buy"), client.player(1), "expectedPrice"),
        ];
        for (verb, path, token, field) in bodies {
            let body = format!("{{\"{field}\": {amount}}}");
            let answer = client.send(verb, &path, Some(&token), &body).await;
            assert_eq!(answer.status, 400, "{field}: {amount:.40}");
        }
        if amount != "0" {
            let body = format!("{{\"stock\": {amount}}}");
            let answer = client.send(Verb::Patch, &item, Some(&client.admin()), &body).await;
            assert_eq!(answer.status, 400, "stock: {amount:.40}");
        }
    }
    let twice = r#"{"price": 1, "price": 2}"#;
    assert_eq!(client.send(Verb::Patch, &item, Some(&client.admin()), twice).await.status, 400);
    let answer = client.get(&item, "").await;
    assert_eq!((answer.header("x-cache"), &answer.text), ("HIT", &before));
    client.stop().await;
}
