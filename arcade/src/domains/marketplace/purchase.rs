//! Decides a purchase: one transaction in which the database itself refuses an oversell and an
//! overdraft. The item's row is locked first and the buyer's second, always, so that no two
//! purchases wait for each other in a circle.

use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Row};

use super::model::{InventoryItem, Receipt};
use super::rows::inventory_insert;
use crate::auth::UserId;
use crate::balances::{self, Charge};
use crate::ledger::Reason;
use crate::storage::{StorageError, as_json, new_id};

/// Takes one piece and tells its price, both of the same moment.
const TAKE: &str = "
    UPDATE market_items SET stock = stock - 1
    WHERE id = $1 AND available = 1 AND stock > 0
    RETURNING name, price_minor";

const WHY_NOT: &str = "SELECT available FROM market_items WHERE id = $1";

const DECIDED: &str = "
    SELECT request, decision FROM purchase_keys WHERE user_id = $1 AND key = $2";

const DECIDE: &str = "
    INSERT INTO purchase_keys (user_id, key, request, decision, created_at_ms)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const FORGET: &str = "DELETE FROM purchase_keys WHERE user_id = $1 AND created_at_ms < $2";

/// How long a decision is remembered under its key: longer than anybody tries again.
const DECISIONS_KEPT_MS: i64 = 48 * 3_600 * 1_000;

/// What a buyer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Who buys.
    pub buyer: UserId,
    /// Which item.
    pub item: i64,
    /// The price that the buyer was shown; another one is not paid.
    pub expected_price: Option<i64>,
    /// The key under which the decision is remembered.
    pub key: Option<String>,
}

/// Why there is no purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// There is no such item.
    NoItem,
    /// There is no such user.
    NoBuyer,
    /// The item is not for sale.
    NotForSale,
    /// No piece is left.
    SoldOut,
    /// It costs something else than the buyer was shown.
    OtherPrice,
    /// The buyer has less money than it costs.
    TooPoor,
    /// The key stands for another order.
    KeyOfAnother,
}

/// What became of an order.
pub type Decision = Result<Receipt, Refusal>;

/// What of an order must be equal for its key to stand for it.
#[derive(Serialize)]
struct Request {
    item: i64,
    expected_price: Option<i64>,
}

impl Order {
    fn request(&self) -> Result<String, StorageError> {
        let Order { item, expected_price, .. } = *self;
        Ok(as_json(&Request { item, expected_price })?)
    }
}

/// Decides `order`, or finds what was decided under its key before.
///
/// # Errors
/// The database refuses, or another transaction came first.
pub(super) async fn decide(
    connection: &mut AnyConnection,
    order: &Order,
    now_ms: i64,
) -> Result<Decision, StorageError> {
    if let Some(decided) = decided(connection, order).await? {
        return Ok(decided);
    }
    let mut attempt = sqlx::Connection::begin(&mut *connection).await?;
    let decision = bought(&mut attempt, order, now_ms).await?;
    match decision {
        Ok(_) => attempt.commit().await?,
        Err(_) => attempt.rollback().await?,
    }
    // Whoever does not exist has no keys.
    if decision != Err(Refusal::NoBuyer) {
        remember(connection, order, &decision, now_ms).await?;
    }
    Ok(decision)
}

async fn bought(
    connection: &mut AnyConnection,
    order: &Order,
    now_ms: i64,
) -> Result<Decision, StorageError> {
    let taken = sqlx::query(TAKE).bind(order.item).fetch_optional(&mut *connection).await?;
    let Some(taken) = taken else {
        return Ok(Err(why_not(connection, order.item).await?));
    };
    let price_paid: i64 = taken.try_get("price_minor")?;
    if order.expected_price.is_some_and(|expected| expected != price_paid) {
        return Ok(Err(Refusal::OtherPrice));
    }
    let id = new_id();
    let Order { buyer, item, .. } = *order;
    let charge = balances::charge(connection, buyer, price_paid, Reason::Purchase(id)).await?;
    let balance = match charge {
        Charge::Taken { balance_minor } => balance_minor,
        Charge::Short => return Ok(Err(Refusal::TooPoor)),
        Charge::Nobody => return Ok(Err(Refusal::NoBuyer)),
    };
    let name = taken.try_get("name")?;
    let inventory_item =
        InventoryItem { id, item_id: item, name, price_paid, acquired_at_ms: now_ms };
    inventory_insert(connection, &[(buyer, &inventory_item)]).await?;
    Ok(Ok(Receipt { balance, inventory_item }))
}

async fn why_not(connection: &mut AnyConnection, item: i64) -> Result<Refusal, StorageError> {
    let row = sqlx::query(WHY_NOT).bind(item).fetch_optional(connection).await?;
    let available = row.map(|row| row.try_get::<i64, _>("available")).transpose()?;
    Ok(match available {
        None => Refusal::NoItem,
        Some(0) => Refusal::NotForSale,
        Some(_) => Refusal::SoldOut,
    })
}

/// What was decided under the key of `order`, if it has one that was used before.
async fn decided(
    connection: &mut AnyConnection,
    order: &Order,
) -> Result<Option<Decision>, StorageError> {
    let Some(key) = &order.key else {
        return Ok(None);
    };
    let row = sqlx::query(DECIDED)
        .bind(order.buyer.0)
        .bind(key.as_str())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    if row.try_get::<String, _>("request")? != order.request()? {
        return Ok(Some(Err(Refusal::KeyOfAnother)));
    }
    let decision: String = row.try_get("decision")?;
    let decision = serde_json::from_str(&decision).map_err(|fault| sqlx::Error::ColumnDecode {
        index: "decision".to_owned(),
        source: fault.into(),
    })?;
    Ok(Some(decision))
}

async fn remember(
    connection: &mut AnyConnection,
    order: &Order,
    decision: &Decision,
    now_ms: i64,
) -> Result<(), StorageError> {
    let Some(key) = &order.key else {
        return Ok(());
    };
    let old = sqlx::query(FORGET).bind(order.buyer.0).bind(now_ms - DECISIONS_KEPT_MS);
    old.execute(&mut *connection).await?;
    let remembered = sqlx::query(DECIDE)
        .bind(order.buyer.0)
        .bind(key.as_str())
        .bind(order.request()?)
        .bind(as_json(decision)?)
        .bind(now_ms)
        .execute(connection)
        .await?;
    match remembered.rows_affected() {
        // The same key was decided meanwhile, so this decision must not stand.
        0 => Err(StorageError::Overtaken),
        _ => Ok(()),
    }
}
