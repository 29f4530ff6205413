//! The start: seeds by the order of registration, then the first round.

use serde::Serialize;
use sqlx::{AnyConnection, Row};

use super::{Failure, TournamentRows, held};
use crate::domains::tournaments::model::{Match, Tournament};
use crate::domains::tournaments::rules::{Pairing, first_round};
use crate::domains::tournaments::words::{MatchStatus, Status};
use crate::storage::numbers;

/// Matches that one statement writes.
const MATCHES_PER_STATEMENT: usize = 50;

const PLAYERS: &str = "
    SELECT user_id FROM participants WHERE tournament_id = $1 ORDER BY registered_at_ms, user_id";

const SEED: &str = "UPDATE participants SET seed = $3 WHERE tournament_id = $1 AND user_id = $2";

const ACTIVATE: &str = "UPDATE tournaments SET status = $2 WHERE id = $1";

/// A tournament that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Started {
    /// The tournament as it is now.
    pub tournament: Tournament,
    /// Its first round.
    pub matches: Vec<Match>,
}

impl TournamentRows {
    pub(in crate::domains::tournaments) async fn start(
        connection: &mut AnyConnection,
        id: i64,
        now_ms: i64,
    ) -> Result<Started, Failure> {
        let tournament = held(connection, id).await?;
        let players = players(connection, id).await?;
        tournament.ensure_startable(players.len())?;
        seed(connection, id, &players).await?;
        let pairings = first_round(players.len());
        let first = numbers::take(connection, "matches", pairings.len() as u32).await?;
        let scheduled_at_ms = tournament.starts_at_ms;
        let draw = Draw { tournament: id, players: &players, scheduled_at_ms, now_ms };
        let matches: Vec<Match> = pairings
            .iter()
            .zip(1..)
            .map(|(pairing, place)| draw.matched(first, place, *pairing))
            .collect();
        for batch in matches.chunks(MATCHES_PER_STATEMENT) {
            Self::insert_matches(connection, batch).await?;
        }
        let status = Status::Active;
        sqlx::query(ACTIVATE).bind(id).bind(status.name()).execute(&mut *connection).await?;
        Ok(Started { tournament: Tournament { status, ..tournament }, matches })
    }
}

async fn players(connection: &mut AnyConnection, id: i64) -> Result<Vec<i64>, Failure> {
    let rows = sqlx::query(PLAYERS).bind(id).fetch_all(connection).await?;
    let users = rows.iter().map(|row| row.try_get("user_id"));
    Ok(users.collect::<Result<_, _>>()?)
}

/// The first to register is the first seed.
async fn seed(connection: &mut AnyConnection, id: i64, players: &[i64]) -> Result<(), Failure> {
    for (player, seed) in players.iter().zip(1_i64..) {
        let statement = sqlx::query(SEED).bind(id).bind(*player).bind(seed);
        statement.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The players of a first round, by seed.
struct Draw<'a> {
    tournament: i64,
    players: &'a [i64],
    scheduled_at_ms: i64,
    now_ms: i64,
}

impl Draw<'_> {
    /// The match at `place`, from 1. A bye is won before it begins.
    fn matched(&self, first: i64, place: u32, pairing: Pairing) -> Match {
        let player_a = self.players[pairing.better - 1];
        let player_b = pairing.other.map(|seed| self.players[seed - 1]);
        let bye = player_b.is_none();
        Match {
            id: first + i64::from(place) - 1,
            tournament_id: self.tournament,
            round: 1,
            place,
            player_a,
            player_b,
            score_a: 0,
            score_b: 0,
            winner: bye.then_some(player_a),
            loser: None,
            status: if bye { MatchStatus::Completed } else { MatchStatus::Scheduled },
            wager_minor: 0,
            table: None,
            scheduled_at_ms: self.scheduled_at_ms,
            started_at_ms: None,
            ended_at_ms: bye.then_some(self.now_ms),
        }
    }
}
