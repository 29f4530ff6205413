//! Who plays: a place, paid for in the same transaction.

use serde::Serialize;
use sqlx::{AnyConnection, Row};

use super::{Failure, TournamentRows, held};
use crate::auth::UserId;
use crate::balances::{self, Charge};
use crate::domains::tournaments::model::{Participant, Tournament};
use crate::domains::tournaments::rules::Refusal;
use crate::ledger::Reason;

use super::written::NewParticipant;

const TOO_POOR: Refusal = Refusal::Conflict("the balance is below the entry fee");

const REGISTERED: &str = "
    SELECT COUNT(*) AS players, COUNT(CASE WHEN user_id = $2 THEN 1 END) AS own
    FROM participants WHERE tournament_id = $1";

const LEAVE: &str = "
    DELETE FROM participants WHERE tournament_id = $1 AND user_id = $2 RETURNING paid_minor";

/// What a registration cost, or what it gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// For which tournament.
    pub tournament_id: i64,
    /// Of whom.
    pub user_id: i64,
    /// In minor units.
    pub entry_fee_minor: i64,
}

impl TournamentRows {
    /// Takes a place for `user` and charges the entry fee, both or neither.
    pub(in crate::domains::tournaments) async fn register(
        connection: &mut AnyConnection,
        id: i64,
        user: UserId,
        now_ms: i64,
    ) -> Result<Registration, Failure> {
        let tournament = held(connection, id).await?;
        let (players, registered) = registered(connection, id, user).await?;
        tournament.ensure_place(players, registered)?;
        charge(connection, user, &tournament).await?;
        let participant = Participant { user_id: user.0, seed: None, final_rank: None };
        let paid_minor = tournament.entry_fee_minor;
        let new =
            NewParticipant { tournament_id: id, participant, paid_minor, registered_at_ms: now_ms };
        Self::insert_participants(connection, &[new]).await?;
        Ok(Registration { tournament_id: id, user_id: user.0, entry_fee_minor: paid_minor })
    }

    /// Gives the place of `user` free and pays back what it cost.
    pub(in crate::domains::tournaments) async fn unregister(
        connection: &mut AnyConnection,
        id: i64,
        user: UserId,
    ) -> Result<Registration, Failure> {
        let tournament = held(connection, id).await?;
        let (_, registered) = registered(connection, id, user).await?;
        tournament.ensure_leavable(registered)?;
        let left = sqlx::query(LEAVE).bind(id).bind(user.0).fetch_one(&mut *connection).await?;
        let paid_minor: i64 = left.try_get("paid_minor")?;
        balances::pay(connection, user, paid_minor, Reason::EntryFeeReturned(id)).await?;
        Ok(Registration { tournament_id: id, user_id: user.0, entry_fee_minor: paid_minor })
    }
}

async fn registered(
    connection: &mut AnyConnection,
    id: i64,
    user: UserId,
) -> Result<(u32, bool), Failure> {
    let statement = sqlx::query(REGISTERED).bind(id).bind(user.0);
    let row = statement.fetch_one(connection).await?;
    let players: i64 = row.try_get("players")?;
    Ok((players as u32, row.try_get::<i64, _>("own")? > 0))
}

async fn charge(
    connection: &mut AnyConnection,
    user: UserId,
    tournament: &Tournament,
) -> Result<(), Failure> {
    match balances::charge(
        connection,
        user,
        tournament.entry_fee_minor,
        Reason::EntryFee(tournament.id),
    )
    .await?
    {
        Charge::Taken { .. } => Ok(()),
        Charge::Short => Err(TOO_POOR.into()),
        Charge::Nobody => Err(Refusal::Missing("user").into()),
    }
}
