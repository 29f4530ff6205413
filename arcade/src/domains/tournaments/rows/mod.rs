//! The SQL of tournaments. Every change takes the tournament's row first, so that changes of one
//! tournament come one after the other on either database.

mod decoded;
mod matches;
mod registrations;
mod start;
mod tournaments;
mod written;

use sqlx::{AnyConnection, AssertSqlSafe, Row};

use self::decoded::{count, matched, participant, present, tournament};
use super::input::ListFilter;
use super::model::{Match, MatchList, Tournament, TournamentDetail, TournamentPage};
use super::rules::{Census, Refusal};
use crate::http::Page;
use crate::storage::{StorageError, Store};

pub use registrations::Registration;
pub use start::Started;
pub use tournaments::Updated;
pub use written::NewParticipant;

const COLUMNS: &str = "id, name, venue_id, status, format, game_type, starts_at_ms, ends_at_ms, \
    max_players, entry_fee_minor, prize_pool_minor, rewards, sponsored, sponsor_name, \
    sponsor_banner_url, created_at_ms";

/// One statement, so that tournament and players are of one moment.
const DETAIL: &str = "
    SELECT t.*, p.user_id, p.seed, p.final_rank
    FROM tournaments AS t LEFT JOIN participants AS p ON p.tournament_id = t.id
    WHERE t.id = $1 ORDER BY p.seed, p.registered_at_ms, p.user_id";

/// A tournament without matches gives one row without a match.
const MATCHES: &str = "
    SELECT m.* FROM tournaments AS t LEFT JOIN matches AS m ON m.tournament_id = t.id
    WHERE t.id = $1 ORDER BY m.round, m.place";

const MATCH: &str = "SELECT * FROM matches WHERE tournament_id = $1 AND id = $2";

const CENSUS: &str = "
    SELECT (SELECT COUNT(*) FROM participants WHERE tournament_id = $1) AS players,
           (SELECT COUNT(*) FROM matches WHERE tournament_id = $1
            AND status NOT IN ('COMPLETED', 'FORFEITED', 'CANCELLED')) AS open_matches";

/// The tournaments in the database.
#[derive(Debug, Clone)]
pub struct TournamentRows {
    store: Store,
}

/// Why a change was not made.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is not allowed; nothing has changed.
    Refused(Refusal),
    /// The database refuses; nothing has changed.
    Storage(StorageError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl From<StorageError> for Failure {
    fn from(fault: StorageError) -> Self {
        Failure::Storage(fault)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(fault: sqlx::Error) -> Self {
        Failure::Storage(fault.into())
    }
}

impl TournamentRows {
    /// The tournaments in `store`.
    pub fn new(store: Store) -> Self {
        TournamentRows { store }
    }

    pub(super) async fn page(
        &self,
        filter: ListFilter,
        page: Page,
    ) -> Result<TournamentPage, StorageError> {
        let sql = page_of(filter);
        let mut statement =
            sqlx::query(AssertSqlSafe(sql)).bind(i64::from(page.limit)).bind(page.skipped());
        if let Some(status) = filter.status {
            statement = statement.bind(status.name());
        }
        if let Some(venue) = filter.venue_id {
            statement = statement.bind(venue);
        }
        let rows = statement.fetch_all(self.store.pool()).await?;
        let total = rows.first().map_or(Ok(0), |row| count(row, "total"))?;
        let items = rows.iter().filter(|row| present(row, "id")).map(tournament);
        Ok(TournamentPage {
            items: items.collect::<Result<_, _>>()?,
            total,
            page: page.number,
            limit: page.limit,
            pages: total.div_ceil(u64::from(page.limit)),
        })
    }

    pub(super) async fn find(&self, id: i64) -> Result<Option<TournamentDetail>, StorageError> {
        let rows = sqlx::query(DETAIL).bind(id).fetch_all(self.store.pool()).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let participants = rows.iter().filter(|row| present(row, "user_id")).map(participant);
        let participants: Vec<_> = participants.collect::<Result<_, _>>()?;
        let players = participants.len() as u32;
        Ok(Some(TournamentDetail { tournament: tournament(first)?, players, participants }))
    }

    /// `None` if there is no such tournament.
    pub(super) async fn matches(&self, id: i64) -> Result<Option<MatchList>, StorageError> {
        let rows = sqlx::query(MATCHES).bind(id).fetch_all(self.store.pool()).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let items = rows.iter().filter(|row| present(row, "id")).map(matched);
        let items: Vec<Match> = items.collect::<Result<_, _>>()?;
        Ok(Some(MatchList { total: items.len() as u64, items }))
    }

    pub(super) async fn find_match(
        &self,
        tournament: i64,
        id: i64,
    ) -> Result<Option<Match>, StorageError> {
        let statement = sqlx::query(MATCH).bind(tournament).bind(id);
        let row = statement.fetch_optional(self.store.pool()).await?;
        Ok(row.as_ref().map(matched).transpose()?)
    }
}

/// Takes the tournament's row for the transaction, and gives the tournament as it is.
async fn held(connection: &mut AnyConnection, id: i64) -> Result<Tournament, Failure> {
    // SQLite has no `FOR UPDATE`; a write of what is there takes the row on both databases.
    let sql = format!("UPDATE tournaments SET status = status WHERE id = $1 RETURNING {COLUMNS}");
    let statement = sqlx::query(AssertSqlSafe(sql)).bind(id);
    let row = statement.fetch_optional(connection).await?;
    Ok(tournament(&row.ok_or(Refusal::Missing("tournament"))?)?)
}

async fn census(connection: &mut AnyConnection, id: i64) -> Result<Census, Failure> {
    let row = sqlx::query(CENSUS).bind(id).fetch_one(connection).await?;
    let of = |column| row.try_get::<i64, _>(column).map(|number| number as u32);
    Ok(Census { players: of("players")?, open_matches: of("open_matches")? })
}

/// Counts and items come from one statement: two would each see the database at another moment.
fn page_of(filter: ListFilter) -> String {
    let chosen = match (filter.status, filter.venue_id) {
        (None, None) => "",
        (Some(_), None) => "WHERE status = $3",
        (None, Some(_)) => "WHERE venue_id = $3",
        (Some(_), Some(_)) => "WHERE status = $3 AND venue_id = $4",
    };
    format!(
        "SELECT counts.total, t.*
         FROM (SELECT COUNT(*) AS total FROM tournaments {chosen}) AS counts
         LEFT JOIN (SELECT * FROM tournaments {chosen} ORDER BY id DESC LIMIT $1 OFFSET $2) AS t
         ON 1 = 1 ORDER BY t.id DESC"
    )
}
