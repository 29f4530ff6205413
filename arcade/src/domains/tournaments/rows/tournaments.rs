//! Making, changing and removing tournaments.

use sqlx::Row;

use super::{Failure, TournamentRows, census, commit};
use crate::auth::UserId;
use crate::balances;
use crate::domains::tournaments::input::{NewTournament, TournamentChange};
use crate::domains::tournaments::model::Tournament;
use crate::domains::tournaments::words::Status;
use crate::ledger::Reason;
use crate::storage::{Transaction, numbers};

const UPDATE: &str = "
    UPDATE tournaments
    SET name = $2, venue_id = $3, status = $4, format = $5, game_type = $6, starts_at_ms = $7,
        ends_at_ms = $8, max_players = $9, entry_fee_minor = $10, prize_pool_minor = $11,
        rewards = $12, sponsored = $13, sponsor_name = $14, sponsor_banner_url = $15
    WHERE id = $1";

const DELETE: &str = "DELETE FROM tournaments WHERE id = $1";

/// Ordered, so that two cancellations at a time take the players' rows in one order.
const PAYERS: &str = "
    SELECT user_id, paid_minor FROM participants WHERE tournament_id = $1 AND paid_minor > 0
    ORDER BY user_id";

const PAID_BACK: &str = "UPDATE participants SET paid_minor = 0 WHERE tournament_id = $1";

const CALL_OFF: &str = "
    UPDATE matches SET status = 'CANCELLED', ended_at_ms = $2
    WHERE tournament_id = $1 AND status NOT IN ('COMPLETED', 'FORFEITED', 'CANCELLED')";

/// What a change of a tournament did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// The tournament before.
    pub was: Tournament,
    /// The tournament after.
    pub now: Tournament,
    /// Who got the entry fee back.
    pub paid_back: Vec<UserId>,
}

impl TournamentRows {
    pub(in crate::domains::tournaments) async fn create(
        &self,
        new: NewTournament,
        now_ms: i64,
    ) -> Result<Tournament, Failure> {
        let mut transaction = self.store.begin_write().await?;
        let id = numbers::take(&mut transaction, "tournaments", 1).await?;
        let made = made(id, new, now_ms);
        Self::insert(&mut transaction, std::slice::from_ref(&made)).await?;
        commit(transaction).await?;
        Ok(made)
    }

    /// Changes a tournament. One that is called off gives the players back what they have paid,
    /// and its matches end with it.
    pub(in crate::domains::tournaments) async fn update(
        &self,
        id: i64,
        change: TournamentChange,
        now_ms: i64,
    ) -> Result<Updated, Failure> {
        let (mut transaction, was) = self.held(id).await?;
        let now = was.after(change, census(&mut transaction, id).await?)?;
        write(&mut transaction, &now).await?;
        let paid_back = match now.status {
            Status::Cancelled => call_off(&mut transaction, id, now_ms).await?,
            _ => Vec::new(),
        };
        commit(transaction).await?;
        Ok(Updated { was, now, paid_back })
    }

    /// Removes a tournament with its players and matches, and gives what it was.
    pub(in crate::domains::tournaments) async fn delete(
        &self,
        id: i64,
    ) -> Result<Tournament, Failure> {
        let (mut transaction, was) = self.held(id).await?;
        was.ensure_removable(census(&mut transaction, id).await?.players)?;
        sqlx::query(DELETE).bind(id).execute(&mut *transaction).await?;
        commit(transaction).await?;
        Ok(was)
    }
}

fn made(id: i64, new: NewTournament, created_at_ms: i64) -> Tournament {
    Tournament {
        id,
        name: new.name,
        venue_id: new.venue_id,
        status: new.status,
        format: new.format,
        game_type: new.game_type,
        starts_at_ms: new.starts_at_ms,
        ends_at_ms: new.ends_at_ms,
        max_players: new.max_players,
        entry_fee_minor: new.entry_fee_minor,
        prize_pool_minor: new.prize_pool_minor,
        rewards: new.rewards,
        sponsored: new.sponsored,
        sponsor_name: new.sponsor_name,
        sponsor_banner_url: new.sponsor_banner_url,
        created_at_ms,
    }
}

async fn write(transaction: &mut Transaction, tournament: &Tournament) -> Result<(), Failure> {
    let statement = sqlx::query(UPDATE)
        .bind(tournament.id)
        .bind(tournament.name.as_str())
        .bind(tournament.venue_id)
        .bind(tournament.status.name())
        .bind(tournament.format.name())
        .bind(tournament.game_type.name())
        .bind(tournament.starts_at_ms)
        .bind(tournament.ends_at_ms)
        .bind(i64::from(tournament.max_players))
        .bind(tournament.entry_fee_minor)
        .bind(tournament.prize_pool_minor)
        .bind(tournament.rewards.as_str())
        .bind(i64::from(tournament.sponsored))
        .bind(tournament.sponsor_name.as_deref())
        .bind(tournament.sponsor_banner_url.as_deref());
    statement.execute(&mut **transaction).await?;
    Ok(())
}

/// Ends the matches and pays the entry fees back; gives who got one.
async fn call_off(
    transaction: &mut Transaction,
    id: i64,
    now_ms: i64,
) -> Result<Vec<UserId>, Failure> {
    sqlx::query(CALL_OFF).bind(id).bind(now_ms).execute(&mut **transaction).await?;
    let payers = sqlx::query(PAYERS).bind(id).fetch_all(&mut **transaction).await?;
    sqlx::query(PAID_BACK).bind(id).execute(&mut **transaction).await?;
    let mut paid_back = Vec::with_capacity(payers.len());
    for row in payers {
        let user = UserId(row.try_get("user_id")?);
        balances::pay(transaction, user, row.try_get("paid_minor")?, Reason::EntryFeeReturned(id))
            .await?;
        paid_back.push(user);
    }
    Ok(paid_back)
}
