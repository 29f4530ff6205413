//! The SQL of the outbox. Knows neither what the names mean nor who sends them.

use larder::Invalidation;
use larder::random::{Random, SystemRandom};

use super::connection::{Given, OutboxConnection};

const WRITE: &str = "INSERT INTO larder_outbox (id, written_at_ms, names) VALUES ($1, $2, $3)";

const OLDEST: &str = "
    SELECT id, written_at_ms FROM larder_outbox WHERE parked_because IS NULL
    ORDER BY written_at_ms LIMIT $1";

const COUNTS: &str = "
    SELECT CASE WHEN parked_because IS NULL THEN 'waiting' ELSE 'parked' END, COUNT(*)
    FROM larder_outbox GROUP BY 1";

const PARK: &str = "UPDATE larder_outbox SET parked_because = $2 WHERE id = $1";

const TAKE_UP: &str = "UPDATE larder_outbox SET parked_because = NULL WHERE id = $1";

/// The key of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RowId(String);

/// A row with the text of its names.
pub(super) type Named = (RowId, String);

/// How many rows there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) waiting: u64,
    pub(super) parked: u64,
}

impl RowId {
    fn new() -> Self {
        RowId(format!("{:032x}", SystemRandom.next_u128()))
    }

    #[cfg(test)]
    pub(super) fn named(text: &str) -> Self {
        RowId(text.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Writes a row, in whatever transaction the connection is in.
pub(super) async fn write(
    connection: &mut impl OutboxConnection,
    wrong: &Invalidation,
    now_ms: i64,
) -> Result<RowId, sqlx::Error> {
    let (id, names) = (RowId::new(), wrong.to_text());
    let given = [Given::Text(id.as_str()), Given::Number(now_ms), Given::Text(&names)];
    connection.run(WRITE, &given).await?;
    Ok(id)
}

/// The oldest rows that are not parked, each with when it was written.
pub(super) async fn oldest(
    connection: &mut impl OutboxConnection,
    rows_max: usize,
) -> Result<Vec<(RowId, i64)>, sqlx::Error> {
    let rows = connection.numbered(OLDEST, &[Given::Number(rows_max as i64)]).await?;
    Ok(rows.into_iter().map(|(id, at_ms)| (RowId(id), at_ms)).collect())
}

pub(super) async fn counts(connection: &mut impl OutboxConnection) -> Result<Counts, sqlx::Error> {
    let mut counts = Counts::default();
    for (state, count) in connection.numbered(COUNTS, &[]).await? {
        let count = count.unsigned_abs();
        match state.as_str() {
            "waiting" => counts.waiting = count,
            _ => counts.parked = count,
        }
    }
    Ok(counts)
}

/// The names of those of these rows that are still there.
pub(super) async fn named(
    connection: &mut impl OutboxConnection,
    ids: &[RowId],
) -> Result<Vec<Named>, sqlx::Error> {
    let sql = format!("{} WHERE id IN ({})", asking_for_names(), listed(ids));
    let given: Vec<Given<'_>> = ids.iter().map(|id| Given::Text(id.as_str())).collect();
    named_by(connection, &sql, &given).await
}

/// The parked rows after `after`, in the order of their keys.
pub(super) async fn parked(
    connection: &mut impl OutboxConnection,
    after: Option<&RowId>,
    rows_max: usize,
) -> Result<Vec<Named>, sqlx::Error> {
    let sql = format!(
        "{} WHERE parked_because IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
        asking_for_names()
    );
    let after = after.map_or("", RowId::as_str);
    named_by(connection, &sql, &[Given::Text(after), Given::Number(rows_max as i64)]).await
}

/// Keeps a row for people to look at; nobody sends it.
pub(super) async fn park(
    connection: &mut impl OutboxConnection,
    id: &RowId,
    because: &str,
) -> Result<(), sqlx::Error> {
    connection.run(PARK, &[Given::Text(id.as_str()), Given::Text(because)]).await?;
    Ok(())
}

/// Lets a parked row wait again.
pub(super) async fn take_up(
    connection: &mut impl OutboxConnection,
    id: &RowId,
) -> Result<(), sqlx::Error> {
    connection.run(TAKE_UP, &[Given::Text(id.as_str())]).await?;
    Ok(())
}

pub(super) async fn delete(
    connection: &mut impl OutboxConnection,
    ids: &[RowId],
) -> Result<(), sqlx::Error> {
    let sql = format!("DELETE FROM larder_outbox WHERE id IN ({})", listed(ids));
    let given: Vec<Given<'_>> = ids.iter().map(|id| Given::Text(id.as_str())).collect();
    connection.run(&sql, &given).await?;
    Ok(())
}

async fn named_by(
    connection: &mut impl OutboxConnection,
    sql: &str,
    given: &[Given<'_>],
) -> Result<Vec<Named>, sqlx::Error> {
    let rows = connection.texts(sql, given).await?;
    Ok(rows.into_iter().map(|(id, names)| (RowId(id), names)).collect())
}

/// A hostile text is cut where it is too long already.
fn asking_for_names() -> String {
    let chars_max = Invalidation::TEXT_BYTES_MAX + 1;
    format!("SELECT id, SUBSTR(names, 1, {chars_max}) FROM larder_outbox")
}

/// `$1, $2` for two rows.
fn listed(ids: &[RowId]) -> String {
    let places = (1..=ids.len()).map(|place| format!("${place}"));
    places.collect::<Vec<_>>().join(", ")
}
