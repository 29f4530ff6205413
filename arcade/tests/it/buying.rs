//! Many buyers, one item: no oversell, no overdraft, and the books agree.

use std::sync::Arc;

use arcade::demo::World;
use arcade::http::Verb;
use arcade::ledger::{self, Audit};
use axum::http::StatusCode;
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Answer, TestClient, WORLD, asked};

const BUYERS: i64 = 64;

const SEED: u64 = 20_261_129;

/// Names how many rounds there are; the long form of the tests sets it.
const ROUNDS_VARIABLE: &str = "ARCADE_BUYING_ROUNDS";

const ROUNDS_DEFAULT: u64 = 5;

/// A slow machine is busy for a while, but not for ever.
const ATTEMPTS_MAX: u32 = 5;

const CROWD: World = World { users: BUYERS as u32 + 1, ..WORLD };

/// What one buyer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Purse {
    balance: i64,
    owned: i64,
}

fn number(value: &Value) -> i64 {
    value.as_i64().expect("a number")
}

async fn purses(client: &TestClient) -> Vec<Purse> {
    let mut purses = Vec::new();
    for buyer in 1..=BUYERS {
        let token = client.player(buyer);
        let balance = client.get("/marketplace/balance", &token).await.json();
        let inventory = client.get("/marketplace/inventory?limit=1", &token).await.json();
        let (balance, owned) = (number(&balance["balance"]), number(&inventory["total"]));
        purses.push(Purse { balance, owned });
    }
    purses
}

/// Everybody buys at once; gives who got one.
async fn rush(client: &Arc<TestClient>, id: i64) -> Vec<bool> {
    let mut buying = JoinSet::new();
    for buyer in 1..=BUYERS {
        let client = Arc::clone(client);
        buying.spawn(async move { (buyer, insist(&client, buyer, id).await) });
    }
    let mut got = vec![false; BUYERS as usize];
    for (buyer, answer) in buying.join_all().await {
        let refused = answer.status == StatusCode::CONFLICT;
        got[buyer as usize - 1] = answer.status == StatusCode::CREATED;
        assert!(refused || got[buyer as usize - 1], "buyer {buyer}: {answer:?}");
    }
    got
}

/// Buys, and asks again with the same key where the database was busy for too long.
async fn insist(client: &TestClient, buyer: i64, id: i64) -> Answer {
    let path = format!("/marketplace/items/{id}/buy");
    let (token, key) = (format!("Bearer {}", client.player(buyer)), format!("round-{id}"));
    let headers = [("authorization", token.as_str()), ("idempotency-key", key.as_str())];
    for _ in 1..ATTEMPTS_MAX {
        let answer = client.send_with(Verb::Post, &path, &headers, "").await;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            return answer;
        }
    }
    client.send_with(Verb::Post, &path, &headers, "").await
}

async fn round(client: &Arc<TestClient>, price: i64, stock: i64) {
    let before = purses(client).await;
    let id = client.put_item(json!({ "price": price, "stock": stock })).await;
    let got = rush(client, id).await;
    let rich = before.iter().filter(|purse| purse.balance >= price).count() as i64;
    let sold = got.iter().filter(|got| **got).count() as i64;
    assert_eq!(sold, stock.min(rich), "stock {stock}, {rich} can pay {price}");
    let left = client.get(&format!("/marketplace/items/{id}"), "").await.json();
    assert_eq!(number(&left["stock"]), stock - sold);
    let after = purses(client).await;
    for (purse, got) in before.iter().zip(&got) {
        assert!(!got || purse.balance >= price, "somebody bought what they could not pay");
    }
    let expected: Vec<Purse> = before
        .iter()
        .zip(&got)
        .map(|(purse, got)| match got {
            true => Purse { balance: purse.balance - price, owned: purse.owned + 1 },
            false => *purse,
        })
        .collect();
    assert_eq!(after, expected);
    assert_eq!(ledger::audit(&client.store).await.expect("audit"), Audit::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_buyers_get_exactly_what_is_there_and_the_books_agree() {
    let rounds = asked(ROUNDS_VARIABLE).unwrap_or(ROUNDS_DEFAULT);
    println!("seed {SEED}, {rounds} rounds");
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let client = Arc::new(TestClient::start_in(CROWD, &[]).await);
    for turn in 0..rounds {
        let stock = random.random_range(1..BUYERS);
        // In every third round the item costs what half of the buyers cannot pay.
        let price = match turn % 3 {
            2 => {
                let mut balances: Vec<i64> =
                    purses(&client).await.iter().map(|purse| purse.balance).collect();
                balances.sort_unstable();
                balances[balances.len() / 2].max(1)
            }
            _ => random.random_range(1..=100),
        };
        round(&client, price, stock).await;
    }
    Arc::into_inner(client).expect("nobody else has the client").stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_requests_with_one_key_buy_once() {
    let client = Arc::new(TestClient::start_in(CROWD, &[]).await);
    let before = purses(&client).await[0];
    let id = client.put_item(json!({ "price": 1, "stock": 100 })).await;
    let token = format!("Bearer {}", client.player(1));
    let mut buying = JoinSet::new();
    for _ in 0..100 {
        let (client, token) = (Arc::clone(&client), token.clone());
        buying.spawn(async move {
            let headers = [("authorization", token.as_str()), ("idempotency-key", "once")];
            let path = format!("/marketplace/items/{id}/buy");
            client.send_with(Verb::Post, &path, &headers, "").await
        });
    }
    let answers = buying.join_all().await;
    let good: Vec<&str> =
        answers.iter().filter(|one| one.status == 201).map(|one| one.text.as_str()).collect();
    assert!(!good.is_empty() && good.iter().all(|text| *text == good[0]), "{good:?}");
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 201 | 409)));
    let after = purses(&client).await[0];
    assert_eq!(after, Purse { balance: before.balance - 1, owned: before.owned + 1 });
    Arc::into_inner(client).expect("nobody else has the client").stop().await;
}
