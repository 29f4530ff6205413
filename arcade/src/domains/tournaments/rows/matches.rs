//! Changing matches.

use sqlx::AnyConnection;

use super::decoded::matched;
use super::{Failure, MATCH, TournamentRows, held};
use crate::domains::tournaments::input::MatchChange;
use crate::domains::tournaments::model::Match;
use crate::domains::tournaments::rules::Refusal;

const UPDATE: &str = "
    UPDATE matches
    SET status = $2, score_a = $3, score_b = $4, winner = $5, loser = $6, table_number = $7,
        started_at_ms = $8, ended_at_ms = $9
    WHERE id = $1";

impl TournamentRows {
    pub(in crate::domains::tournaments) async fn update_match(
        connection: &mut AnyConnection,
        tournament: i64,
        id: i64,
        change: &MatchChange,
        now_ms: i64,
    ) -> Result<Match, Failure> {
        let of = held(connection, tournament).await?;
        let statement = sqlx::query(MATCH).bind(tournament).bind(id);
        let row = statement.fetch_optional(&mut *connection).await?;
        let was = matched(&row.ok_or(Refusal::Missing("match"))?)?;
        let now = was.after(change, of.status, now_ms)?;
        let statement = sqlx::query(UPDATE)
            .bind(id)
            .bind(now.status.name())
            .bind(i64::from(now.score_a))
            .bind(i64::from(now.score_b))
            .bind(now.winner)
            .bind(now.loser)
            .bind(now.table.map(i64::from))
            .bind(now.started_at_ms)
            .bind(now.ended_at_ms);
        statement.execute(&mut *connection).await?;
        Ok(now)
    }
}
