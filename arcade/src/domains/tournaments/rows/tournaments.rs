//! Making, changing and removing tournaments.

use sqlx::{AnyConnection, Row};

use super::{Failure, TournamentRows, census, held};
use crate::auth::UserId;
use crate::balances;
use crate::domains::tournaments::input::{NewTournament, TournamentChange};
use crate::domains::tournaments::model::Tournament;
use crate::domains::tournaments::words::Status;
use crate::ledger::Reason;
use crate::storage::numbers;

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
        connection: &mut AnyConnection,
        new: NewTournament,
        now_ms: i64,
    ) -> Result<Tournament, Failure> {
        let id = numbers::take(connection, "tournaments", 1).await?;
        let made = made(id, new, now_ms);
        Self::insert(connection, std::slice::from_ref(&made)).await?;
        Ok(made)
    }

    /// Changes a tournament. One that is called off gives the players back what they have paid,
    /// and its matches end with it.
    pub(in crate::domains::tournaments) async fn update(
        connection: &mut AnyConnection,
        id: i64,
        change: TournamentChange,
        now_ms: i64,
    ) -> Result<Updated, Failure> {
        let was = held(connection, id).await?;
        let now = was.after(change, census(connection, id).await?)?;
        write(connection, &now).await?;
        let paid_back = match now.status {
            Status::Cancelled => call_off(connection, id, now_ms).await?,
            _ => Vec::new(),
        };
        Ok(Updated { was, now, paid_back })
    }

    /// Removes a tournament with its players and matches, and gives what it was.
    pub(in crate::domains::tournaments) async fn delete(
        connection: &mut AnyConnection,
        id: i64,
    ) -> Result<Tournament, Failure> {
        let was = held(connection, id).await?;
        was.ensure_removable(census(connection, id).await?.players)?;
        sqlx::query(DELETE).bind(id).execute(connection).await?;
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

async fn write(connection: &mut AnyConnection, tournament: &Tournament) -> Result<(), Failure> {
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
    statement.execute(connection).await?;
    Ok(())
}

/// Ends the matches and pays the entry fees back; gives who got one.
async fn call_off(
    connection: &mut AnyConnection,
    id: i64,
    now_ms: i64,
) -> Result<Vec<UserId>, Failure> {
    sqlx::query(CALL_OFF).bind(id).bind(now_ms).execute(&mut *connection).await?;
    let payers = sqlx::query(PAYERS).bind(id).fetch_all(&mut *connection).await?;
    sqlx::query(PAID_BACK).bind(id).execute(&mut *connection).await?;
    let mut paid_back = Vec::with_capacity(payers.len());
    for row in payers {
        let user = UserId(row.try_get("user_id")?);
        balances::pay(connection, user, row.try_get("paid_minor")?, Reason::EntryFeeReturned(id))
            .await?;
        paid_back.push(user);
    }
    Ok(paid_back)
}
