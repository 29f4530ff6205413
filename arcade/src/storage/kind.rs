//! Decides what differs between the databases: how a connection is prepared and how a transaction
//! that may write begins. Everything else is the same SQL.

use std::time::Duration;

use sqlx::{AnyConnection, Executor};

use super::WAIT_MAX;

/// The databases that Arcade runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Embedded; a file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Readers and the writer do not wait for each other in a write-ahead log. A commit is on the disk
/// before it is told. The timeout comes first, since changing the journal can meet a lock.
const SQLITE: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON";

/// No statement and no forgotten transaction may hold a connection for longer than a request lasts.
const POSTGRES: &str = "
    SET application_name = 'arcade';
    SET statement_timeout = '10s';
    SET lock_timeout = '5s';
    SET idle_in_transaction_session_timeout = '10s'";

impl Kind {
    /// What `url` names. The settings let no other URL through.
    pub(super) fn of(url: &str) -> Self {
        match url.starts_with("postgres") {
            true => Kind::Postgres,
            false => Kind::Sqlite,
        }
    }

    /// A write lock that is taken late can fail in the middle of a transaction of SQLite, so it is
    /// taken at once. PostgreSQL locks rows.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Kind::Sqlite => "BEGIN IMMEDIATE",
            Kind::Postgres => "BEGIN",
        }
    }

    /// How long the database may give no sign of life while somebody waits to write. A server can be
    /// gone, and who wants to write must know within a second. A file is there: what keeps it silent
    /// is a slow disk, which is waited for as long as any other.
    pub(super) const fn silence_max(self) -> Duration {
        match self {
            Kind::Sqlite => WAIT_MAX,
            Kind::Postgres => Duration::from_millis(800),
        }
    }

    /// How many transactions may write at a time. A second one could only spin on SQLite's lock.
    pub(super) const fn writers_max(self, connections_max: u32) -> usize {
        match self {
            Kind::Sqlite => 1,
            Kind::Postgres => connections_max as usize,
        }
    }

    pub(super) async fn prepare(self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let settings = match self {
            Kind::Sqlite => SQLITE,
            Kind::Postgres => POSTGRES,
        };
        connection.execute(settings).await?;
        Ok(())
    }
}
