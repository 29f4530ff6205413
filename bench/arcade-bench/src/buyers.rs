//! 64 buyers on one item with stock n: exactly n are sold, and balances, inventories and the ledger
//! agree.

use arcade::ledger::{self, Audit};
use arcade::storage::Store;
use rand::Rng;
use serde_json::json;
use tokio::task::JoinSet;
use yardstick::keys;
use yardstick::verdict::{Bound, Verdict};

use crate::serving;
use crate::side::Side;

pub(crate) const ROUNDS: usize = 100;
const BUYERS: i64 = 64;
const SEED: u64 = 20_261_129;
const PRICE_MAX: i64 = 100;

/// What one buyer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Purse {
    balance: i64,
    owned: i64,
}

/// Runs every round.
///
/// # Errors
/// A request failed, or something was sold twice, or the books do not agree.
pub(crate) async fn run(rounds: usize) -> anyhow::Result<()> {
    println!("      seed {SEED}, {rounds} rounds of {BUYERS} buyers");
    let side = Side::start("on").await?;
    let mut chance = keys::seeded(SEED);
    let [mut missold, mut wrong] = [0, 0];
    for _ in 0..rounds {
        let stock = chance.random_range(1..BUYERS);
        let price = chance.random_range(1..=PRICE_MAX);
        let before = purses(&side).await?;
        let sold = rush(&side, price, stock).await?;
        let after = purses(&side).await?;
        let total = sold.iter().filter(|sold| **sold).count() as i64;
        missold += u64::from(total != stock);
        let expected = |(purse, sold): (&Purse, &bool)| Purse {
            balance: purse.balance - i64::from(*sold) * price,
            owned: purse.owned + i64::from(*sold),
        };
        let expected: Vec<Purse> = before.iter().zip(&sold).map(expected).collect();
        wrong += u64::from(expected != after);
    }
    let settings = serving::settings(side.directory(), "on")?;
    let audit = ledger::audit(&Store::open(&settings.database, &settings.data).await?).await?;
    let Audit { unbalanced_transfers, unproved_balances } = audit;
    side.stop().await?;
    let mut verdict = Verdict::default();
    let none = Bound::AtMost(0.0);
    verdict.judge("rounds in which not exactly n were sold", missold as f64, none);
    verdict.judge("rounds in which a balance or an inventory is wrong", wrong as f64, none);
    verdict.judge("transfers that do not sum to zero", unbalanced_transfers as f64, none);
    verdict.judge("balances that the ledger does not prove", unproved_balances as f64, none);
    verdict.end()
}

async fn purses(side: &Side) -> anyhow::Result<Vec<Purse>> {
    let mut purses = Vec::new();
    for buyer in 1..=BUYERS {
        let token = side.player(buyer)?;
        let balance = side.client.get("/marketplace/balance", Some(&token)).await?;
        let owned = side.client.get("/marketplace/inventory?limit=1", Some(&token)).await?;
        purses.push(Purse { balance: balance.number("balance")?, owned: owned.number("total")? });
    }
    Ok(purses)
}

/// Puts an item up and lets everybody buy it at once; gives who got one.
async fn rush(side: &Side, price: i64, stock: i64) -> anyhow::Result<Vec<bool>> {
    let item = json!({
        "name": "Golden Cue", "description": "Everybody wants one.", "price": price,
        "category": "cue", "image": "/images/cue.webp", "stock": stock,
    });
    let admin = side.admin()?;
    let put = side.client.send("POST", "/marketplace/items", Some(&admin), &item.to_string()).await?;
    let path = format!("/marketplace/items/{}/buy", put.number("id")?);
    let mut buying = JoinSet::new();
    for buyer in 1..=BUYERS {
        let (client, token, path) = (side.client.clone(), side.player(buyer)?, path.clone());
        buying.spawn(async move {
            let answer = client.send("POST", &path, Some(&token), "").await?;
            anyhow::ensure!(matches!(answer.status, 201 | 409), "{}", answer.status);
            Ok((buyer, answer.status == 201))
        });
    }
    let mut sold = vec![false; BUYERS as usize];
    for bought in buying.join_all().await {
        let (buyer, got) = bought?;
        sold[buyer as usize - 1] = got;
    }
    Ok(sold)
}
