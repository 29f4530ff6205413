//! Decides how new rows are written: many with one statement.

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

use super::{COLUMNS, TournamentRows};
use crate::domains::tournaments::model::{Match, Participant, Tournament};
use crate::storage::{StorageError, placeholders};

const MATCH_COLUMNS: &str = "id, tournament_id, round, place, player_a, player_b, score_a, score_b, \
    winner, loser, status, wager_minor, table_number, scheduled_at_ms, started_at_ms, ended_at_ms";

/// A player to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewParticipant {
    /// Of which tournament.
    pub tournament_id: i64,
    /// The player.
    pub participant: Participant,
    /// What the player has paid, in minor units.
    pub paid_minor: i64,
    /// When the player registered, in milliseconds since 1970 UTC.
    pub registered_at_ms: i64,
}

type Statement<'q> = Query<'q, Any, AnyArguments>;

impl TournamentRows {
    pub(crate) async fn insert(
        connection: &mut AnyConnection,
        new: &[Tournament],
    ) -> Result<(), StorageError> {
        let values = placeholders(new.len(), 16);
        let sql = format!("INSERT INTO tournaments ({COLUMNS}) VALUES {values}");
        let statement = sqlx::query(AssertSqlSafe(sql));
        new.iter().fold(statement, with_tournament).execute(connection).await?;
        Ok(())
    }

    pub(crate) async fn insert_participants(
        connection: &mut AnyConnection,
        new: &[NewParticipant],
    ) -> Result<(), StorageError> {
        let sql = format!(
            "INSERT INTO participants (tournament_id, user_id, seed, final_rank, paid_minor, \
             registered_at_ms) VALUES {}",
            placeholders(new.len(), 6)
        );
        let bound = |statement: Statement<'static>, new: &NewParticipant| {
            statement
                .bind(new.tournament_id)
                .bind(new.participant.user_id)
                .bind(new.participant.seed.map(i64::from))
                .bind(new.participant.final_rank.map(i64::from))
                .bind(new.paid_minor)
                .bind(new.registered_at_ms)
        };
        new.iter().fold(sqlx::query(AssertSqlSafe(sql)), bound).execute(connection).await?;
        Ok(())
    }

    pub(crate) async fn insert_matches(
        connection: &mut AnyConnection,
        new: &[Match],
    ) -> Result<(), StorageError> {
        let values = placeholders(new.len(), 16);
        let sql = format!("INSERT INTO matches ({MATCH_COLUMNS}) VALUES {values}");
        let statement = sqlx::query(AssertSqlSafe(sql));
        new.iter().fold(statement, with_match).execute(connection).await?;
        Ok(())
    }
}

/// The values of [`COLUMNS`], in their order.
fn with_tournament<'q>(statement: Statement<'q>, tournament: &Tournament) -> Statement<'q> {
    statement
        .bind(tournament.id)
        .bind(tournament.name.clone())
        .bind(tournament.venue_id)
        .bind(tournament.status.name())
        .bind(tournament.format.name())
        .bind(tournament.game_type.name())
        .bind(tournament.starts_at_ms)
        .bind(tournament.ends_at_ms)
        .bind(i64::from(tournament.max_players))
        .bind(tournament.entry_fee_minor)
        .bind(tournament.prize_pool_minor)
        .bind(tournament.rewards.clone())
        .bind(i64::from(tournament.sponsored))
        .bind(tournament.sponsor_name.clone())
        .bind(tournament.sponsor_banner_url.clone())
        .bind(tournament.created_at_ms)
}

/// The values of [`MATCH_COLUMNS`], in their order.
fn with_match<'q>(statement: Statement<'q>, new: &Match) -> Statement<'q> {
    statement
        .bind(new.id)
        .bind(new.tournament_id)
        .bind(i64::from(new.round))
        .bind(i64::from(new.place))
        .bind(new.player_a)
        .bind(new.player_b)
        .bind(i64::from(new.score_a))
        .bind(i64::from(new.score_b))
        .bind(new.winner)
        .bind(new.loser)
        .bind(new.status.name())
        .bind(new.wager_minor)
        .bind(new.table.map(i64::from))
        .bind(new.scheduled_at_ms)
        .bind(new.started_at_ms)
        .bind(new.ended_at_ms)
}
