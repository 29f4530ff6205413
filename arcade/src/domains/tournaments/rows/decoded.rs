//! Decides how rows become what they stand for.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::domains::tournaments::model::{Match, Participant, Tournament};
use crate::domains::tournaments::words::{Format, GameType, MatchStatus, Status};

pub(super) fn tournament(row: &AnyRow) -> Result<Tournament, sqlx::Error> {
    Ok(Tournament {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        venue_id: row.try_get("venue_id")?,
        status: word(row, "status", Status::WORDS)?,
        format: word(row, "format", Format::WORDS)?,
        game_type: word(row, "game_type", GameType::WORDS)?,
        starts_at_ms: row.try_get("starts_at_ms")?,
        ends_at_ms: row.try_get("ends_at_ms")?,
        max_players: small(row, "max_players")?,
        entry_fee_minor: row.try_get("entry_fee_minor")?,
        prize_pool_minor: row.try_get("prize_pool_minor")?,
        rewards: row.try_get("rewards")?,
        sponsored: row.try_get::<i64, _>("sponsored")? == 1,
        sponsor_name: row.try_get("sponsor_name")?,
        sponsor_banner_url: row.try_get("sponsor_banner_url")?,
        created_at_ms: row.try_get("created_at_ms")?,
    })
}

pub(super) fn participant(row: &AnyRow) -> Result<Participant, sqlx::Error> {
    Ok(Participant {
        user_id: row.try_get("user_id")?,
        seed: small_if_any(row, "seed")?,
        final_rank: small_if_any(row, "final_rank")?,
    })
}

pub(super) fn matched(row: &AnyRow) -> Result<Match, sqlx::Error> {
    Ok(Match {
        id: row.try_get("id")?,
        tournament_id: row.try_get("tournament_id")?,
        round: small(row, "round")?,
        place: small(row, "place")?,
        player_a: row.try_get("player_a")?,
        player_b: row.try_get("player_b")?,
        score_a: small(row, "score_a")?,
        score_b: small(row, "score_b")?,
        winner: row.try_get("winner")?,
        loser: row.try_get("loser")?,
        status: word(row, "status", MatchStatus::WORDS)?,
        wager_minor: row.try_get("wager_minor")?,
        table: small_if_any(row, "table_number")?,
        scheduled_at_ms: row.try_get("scheduled_at_ms")?,
        started_at_ms: row.try_get("started_at_ms")?,
        ended_at_ms: row.try_get("ended_at_ms")?,
    })
}

/// Whether an outer join has found something for this row.
pub(super) fn present(row: &AnyRow, column: &str) -> bool {
    // What is no number at all must fail where it is decoded, not vanish here.
    !matches!(row.try_get::<Option<i64>, _>(column), Ok(None))
}

pub(super) fn count(row: &AnyRow, column: &str) -> Result<u64, sqlx::Error> {
    row.try_get::<i64, _>(column).map(i64::unsigned_abs)
}

fn small(row: &AnyRow, column: &str) -> Result<u32, sqlx::Error> {
    fitting(column, row.try_get(column)?)
}

fn small_if_any(row: &AnyRow, column: &str) -> Result<Option<u32>, sqlx::Error> {
    let number: Option<i64> = row.try_get(column)?;
    number.map(|number| fitting(column, number)).transpose()
}

fn fitting(column: &str, number: i64) -> Result<u32, sqlx::Error> {
    u32::try_from(number).map_err(|fault| undecodable(column, fault.into()))
}

fn word<T: Copy>(
    row: &AnyRow,
    column: &str,
    words: &'static [(&'static str, T)],
) -> Result<T, sqlx::Error> {
    let text: String = row.try_get(column)?;
    let known = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    known.ok_or_else(|| undecodable(column, format!("\"{text}\" is no such word").into()))
}

fn undecodable(column: &str, source: Box<dyn std::error::Error + Send + Sync>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source }
}
