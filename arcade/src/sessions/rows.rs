//! The SQL of sessions.

use std::collections::HashMap;
use std::sync::atomic::AtomicI64;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::model::{OwnSession, Session};
use crate::auth::{SessionId, UnknownRole, UserId};
use crate::storage::{StorageError, Store, placeholders};

/// The most sessions of a user. Whoever begins one more ends the oldest.
pub(super) const SESSIONS_MAX: i64 = 100;

const OPEN: &str = "
    SELECT sessions.id, user_id, started_at_ms, last_active_at_ms, expires_at_ms,
        email, name, image, role
    FROM sessions JOIN users ON users.id = user_id
    WHERE sessions.id = $1 AND user_id = $2 AND expires_at_ms > $3";

const OF_USER: &str = "
    SELECT id, started_at_ms, last_active_at_ms, expires_at_ms FROM sessions
    WHERE user_id = $1 AND expires_at_ms > $2 ORDER BY started_at_ms DESC, id DESC LIMIT $3";

const BEGIN: &str = "
    INSERT INTO sessions (id, user_id, started_at_ms, last_active_at_ms, expires_at_ms)
    VALUES ($1, $2, $3, $3, $4)";

const GO_ON: &str = "UPDATE sessions SET expires_at_ms = $3 WHERE id = $1 AND user_id = $2";

const END: &str = "DELETE FROM sessions WHERE id = $1 AND user_id = $2";

/// Nobody has more than twice as many.
const OLDEST: &str = "
    SELECT id FROM sessions WHERE user_id = $1
    ORDER BY started_at_ms DESC, id DESC LIMIT $2 OFFSET $2";

/// Later activity may have reached the row before, through another process.
const ACTIVE: &str =
    "UPDATE sessions SET last_active_at_ms = $2 WHERE id = $1 AND last_active_at_ms < $2";

const SWEEP: &str = "
    DELETE FROM sessions WHERE id IN
        (SELECT id FROM sessions WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)";

/// The sessions in the database.
#[derive(Debug, Clone)]
pub(super) struct SessionRows {
    store: Store,
}

impl SessionRows {
    pub(super) fn new(store: Store) -> Self {
        SessionRows { store }
    }

    /// The session with its user, if it is open.
    pub(super) async fn open(
        &self,
        (user, session): (UserId, SessionId),
        now_ms: i64,
    ) -> Result<Option<Session>, StorageError> {
        let statement = sqlx::query(OPEN).bind(session.0).bind(user.0).bind(now_ms);
        let row = statement.fetch_optional(self.store.pool()).await?;
        Ok(row.as_ref().map(session_of).transpose()?)
    }

    /// The open sessions of a user, the newest first.
    pub(super) async fn of_user(
        &self,
        user: UserId,
        now_ms: i64,
    ) -> Result<Vec<OwnSession>, StorageError> {
        let statement = sqlx::query(OF_USER).bind(user.0).bind(now_ms).bind(SESSIONS_MAX);
        let rows = statement.fetch_all(self.store.pool()).await?;
        Ok(rows.iter().map(own_session).collect::<Result<_, _>>()?)
    }

    /// When somebody has asked last in each of these sessions. There must be at least one.
    pub(super) async fn activity(&self, sessions: &[i64]) -> Result<HashMap<i64, i64>, StorageError> {
        let sql = format!(
            "SELECT id, last_active_at_ms FROM sessions WHERE id IN {}",
            placeholders(1, sessions.len())
        );
        let statement = sqlx::query(AssertSqlSafe(sql));
        let statement = sessions.iter().fold(statement, |statement, id| statement.bind(*id));
        let rows = statement.fetch_all(self.store.pool()).await?;
        let pair = |row: &AnyRow| Ok((row.try_get("id")?, row.try_get("last_active_at_ms")?));
        Ok(rows.iter().map(pair).collect::<Result<_, sqlx::Error>>()?)
    }
}

pub(super) async fn begin(
    connection: &mut AnyConnection,
    (user, session): (UserId, SessionId),
    now_ms: i64,
    expires_at_ms: i64,
) -> Result<(), StorageError> {
    let statement = sqlx::query(BEGIN).bind(session.0).bind(user.0).bind(now_ms);
    statement.bind(expires_at_ms).execute(connection).await?;
    Ok(())
}

/// The sessions of a user that are too many once there is one more, by the time of their begin.
pub(super) async fn oldest(
    connection: &mut AnyConnection,
    user: UserId,
) -> Result<Vec<SessionId>, StorageError> {
    let statement = sqlx::query_scalar(OLDEST).bind(user.0).bind(SESSIONS_MAX - 1);
    Ok(statement.fetch_all(connection).await?.into_iter().map(SessionId).collect())
}

/// False if there is no such session any more.
pub(super) async fn go_on(
    connection: &mut AnyConnection,
    (user, session): (UserId, SessionId),
    expires_at_ms: i64,
) -> Result<bool, StorageError> {
    let statement = sqlx::query(GO_ON).bind(session.0).bind(user.0).bind(expires_at_ms);
    Ok(statement.execute(connection).await?.rows_affected() > 0)
}

/// False if the user has no such session.
pub(super) async fn end(
    connection: &mut AnyConnection,
    (user, session): (UserId, SessionId),
) -> Result<bool, StorageError> {
    let statement = sqlx::query(END).bind(session.0).bind(user.0);
    Ok(statement.execute(connection).await?.rows_affected() > 0)
}

/// Writes down that somebody has asked, unless later activity is known.
pub(super) async fn active(
    connection: &mut AnyConnection,
    session: i64,
    at_ms: i64,
) -> Result<(), StorageError> {
    sqlx::query(ACTIVE).bind(session).bind(at_ms).execute(connection).await?;
    Ok(())
}

/// Removes so many sessions that have expired, and says how many there were.
pub(super) async fn sweep(
    connection: &mut AnyConnection,
    now_ms: i64,
    most: i64,
) -> Result<u64, StorageError> {
    let swept = sqlx::query(SWEEP).bind(now_ms).bind(most).execute(connection).await?;
    Ok(swept.rows_affected())
}

fn session_of(row: &AnyRow) -> Result<Session, sqlx::Error> {
    let role: String = row.try_get("role")?;
    let role = role.parse().map_err(|fault: UnknownRole| sqlx::Error::ColumnDecode {
        index: "role".to_owned(),
        source: fault.into(),
    })?;
    Ok(Session {
        id: row.try_get("id")?,
        user: row.try_get("user_id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        image: row.try_get("image")?,
        role,
        started_at_ms: row.try_get("started_at_ms")?,
        expires_at_ms: row.try_get("expires_at_ms")?,
        tried_at_ms: AtomicI64::new(row.try_get("last_active_at_ms")?),
    })
}

fn own_session(row: &AnyRow) -> Result<OwnSession, sqlx::Error> {
    Ok(OwnSession {
        id: row.try_get("id")?,
        started_at_ms: row.try_get("started_at_ms")?,
        active_at_ms: row.try_get("last_active_at_ms")?,
        expires_at_ms: row.try_get("expires_at_ms")?,
    })
}
