//! Decides what is written down when money moves: entries of whole minor units, only ever appended,
//! that sum to zero in each transfer and to the balance for each user.

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::auth::UserId;
use crate::storage::{StorageError, Store, placeholders};

const UNBALANCED: &str = "
    SELECT COUNT(*) FROM (SELECT transfer_id FROM ledger_entries
                          GROUP BY transfer_id HAVING SUM(amount_minor) <> 0) AS unbalanced";

const UNPROVED: &str = "
    SELECT COUNT(*) FROM users WHERE balance_minor <> COALESCE(
        (SELECT SUM(amount_minor) FROM ledger_entries WHERE user_id = users.id), 0)";

/// Why money moves, and the number of what it moves for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// What users begin with.
    Opening,
    /// A user bought something; the number is that in the inventory.
    Purchase(i64),
    /// A user registered for this tournament.
    EntryFee(i64),
    /// A user left this tournament, or it was called off.
    EntryFeeReturned(i64),
    /// A user won something in this tournament.
    Prize(i64),
}

impl Reason {
    const fn name(self) -> &'static str {
        match self {
            Reason::Opening => "opening",
            Reason::Purchase(_) => "purchase",
            Reason::EntryFee(_) => "entry_fee",
            Reason::EntryFeeReturned(_) => "entry_fee_returned",
            Reason::Prize(_) => "prize",
        }
    }

    const fn reference(self) -> i64 {
        match self {
            Reason::Opening => 0,
            Reason::Purchase(id)
            | Reason::EntryFee(id)
            | Reason::EntryFeeReturned(id)
            | Reason::Prize(id) => id,
        }
    }
}

/// One line of a transfer.
#[derive(Debug, Clone, Copy)]
pub struct LedgerEntry {
    /// The transfer.
    pub transfer: i64,
    /// The line's place in it.
    pub line: i64,
    /// Whose account it is; `None` is the house.
    pub user: Option<UserId>,
    /// What the account gains, in minor units; not zero.
    pub amount_minor: i64,
    /// What for.
    pub reason: Reason,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// The two lines of a transfer by which `user` gains `amount_minor` from the house, or loses it.
pub fn lines(
    transfer: i64,
    user: UserId,
    amount_minor: i64,
    reason: Reason,
    at_ms: i64,
) -> [LedgerEntry; 2] {
    let line =
        |line, user, amount_minor| LedgerEntry { transfer, line, user, amount_minor, reason, at_ms };
    [line(1, Some(user), amount_minor), line(2, None, -amount_minor)]
}

/// Appends entries with one statement. Each transfer among them must be whole in the end.
///
/// # Errors
/// The database refuses.
pub async fn append(
    connection: &mut AnyConnection,
    entries: &[LedgerEntry],
) -> Result<(), StorageError> {
    let sql = format!(
        "INSERT INTO ledger_entries (transfer_id, line, user_id, amount_minor, reason, reference, \
         created_at_ms) VALUES {}",
        placeholders(entries.len(), 7)
    );
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for entry in entries {
        statement = statement
            .bind(entry.transfer)
            .bind(entry.line)
            .bind(entry.user.map(|user| user.0))
            .bind(entry.amount_minor)
            .bind(entry.reason.name())
            .bind(entry.reason.reference())
            .bind(entry.at_ms);
    }
    statement.execute(connection).await?;
    Ok(())
}

/// What is wrong with the books. All zero: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Audit {
    /// Transfers whose lines do not sum to zero.
    pub unbalanced_transfers: i64,
    /// Users whose balance is not what their lines sum to.
    pub unproved_balances: i64,
}

/// Sums the whole ledger. Costs a pass over it.
///
/// # Errors
/// The database refuses.
pub async fn audit(store: &Store) -> Result<Audit, StorageError> {
    let count = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(store.pool());
    Ok(Audit {
        unbalanced_transfers: count(UNBALANCED).await?,
        unproved_balances: count(UNPROVED).await?,
    })
}
