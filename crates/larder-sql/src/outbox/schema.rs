//! Decides how the outbox lies in the database. The same statements serve SQLite and PostgreSQL.

use super::connection::OutboxConnection;

/// The table of the outbox, statement by statement: for an application that keeps its migrations
/// itself. Safe to run again.
///
/// - `id`: random.
/// - `written_at_ms`: the writer's wall clock, to show people the age of a row and to begin with
///   the oldest. Nothing else depends on it.
/// - `names`: an [`Invalidation`](larder::Invalidation) as text.
/// - `parked_because`: why no process has been able to read `names`, for people to look at.
pub const SCHEMA: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS larder_outbox (
        id TEXT NOT NULL PRIMARY KEY,
        written_at_ms BIGINT NOT NULL,
        names TEXT NOT NULL,
        parked_because TEXT
    )",
    "CREATE INDEX IF NOT EXISTS larder_outbox_by_age ON larder_outbox (written_at_ms)",
];

/// Makes the table of the outbox where it is missing.
///
/// # Errors
/// The database refuses. Two processes that make it at once on PostgreSQL can be in each other's
/// way; then one of them may try again.
pub async fn migrate(connection: &mut impl OutboxConnection) -> Result<(), sqlx::Error> {
    for statement in SCHEMA {
        connection.run(statement, &[]).await?;
    }
    Ok(())
}
