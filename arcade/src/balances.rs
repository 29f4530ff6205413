//! Decides how users are charged and paid: inside the transaction of whoever asks, never below
//! zero, and never without the entries of the ledger that prove it. The only module that changes a
//! balance.

use larder::Tag;
use sqlx::AnyConnection;

use crate::auth::UserId;
use crate::ledger::{self, Reason};
use crate::storage::{StorageError, new_id};
use crate::wall;

/// One statement checks and takes, so that two charges at a time cannot both see the same money.
const CHARGE: &str = "
    UPDATE users SET balance_minor = balance_minor - $2
    WHERE id = $1 AND balance_minor >= $2 RETURNING balance_minor";

const PAY: &str = "UPDATE users SET balance_minor = balance_minor + $2 WHERE id = $1";

const SETTLE: &str = "
    UPDATE users SET balance_minor = (
        SELECT CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT)
        FROM ledger_entries WHERE user_id = users.id)";

const BALANCE: &str = "SELECT balance_minor FROM users WHERE id = $1";

/// What a charge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// The amount was taken.
    Taken {
        /// What is left, in minor units.
        balance_minor: i64,
    },
    /// The user owns less, and still owns it.
    Short,
    /// There is no such user.
    Nobody,
}

/// Takes `amount_minor`, which is not negative, from a user who owns as much.
///
/// # Errors
/// The database refuses.
pub async fn charge(
    connection: &mut AnyConnection,
    user: UserId,
    amount_minor: i64,
    reason: Reason,
) -> Result<Charge, StorageError> {
    let taken: Option<i64> = sqlx::query_scalar(CHARGE)
        .bind(user.0)
        .bind(amount_minor)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(balance_minor) = taken {
        record(connection, user, -amount_minor, reason).await?;
        return Ok(Charge::Taken { balance_minor });
    }
    Ok(balance(connection, user).await?.map_or(Charge::Nobody, |_| Charge::Short))
}

/// Gives `amount_minor`, which is not negative, to a user.
///
/// # Errors
/// The database refuses.
pub async fn pay(
    connection: &mut AnyConnection,
    user: UserId,
    amount_minor: i64,
    reason: Reason,
) -> Result<(), StorageError> {
    sqlx::query(PAY).bind(user.0).bind(amount_minor).execute(&mut *connection).await?;
    record(connection, user, amount_minor, reason).await
}

/// What a user owns, in minor units; `None` if there is no such user.
///
/// # Errors
/// The database refuses.
pub async fn balance(
    connection: &mut AnyConnection,
    user: UserId,
) -> Result<Option<i64>, StorageError> {
    Ok(sqlx::query_scalar(BALANCE).bind(user.0).fetch_optional(connection).await?)
}

/// Sets every balance to what the entries of its user sum to: for a world that is being made.
///
/// # Errors
/// The database refuses, for one because somebody has spent more than was there.
pub async fn settle(connection: &mut AnyConnection) -> Result<(), StorageError> {
    sqlx::query(SETTLE).execute(connection).await?;
    Ok(())
}

async fn record(
    connection: &mut AnyConnection,
    user: UserId,
    gained_minor: i64,
    reason: Reason,
) -> Result<(), StorageError> {
    if gained_minor == 0 {
        return Ok(());
    }
    let lines = ledger::lines(new_id(), user, gained_minor, reason, wall::now_ms());
    ledger::append(connection, &lines).await
}

/// What a cached answer carries that shows the balance of `user`, and what every change of that
/// balance drops.
pub fn tag(user: UserId) -> Tag {
    Tag::new(format!("balance-{user}"))
}
