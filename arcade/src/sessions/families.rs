//! Decides how a session goes on: each refresh token is good once. One that comes twice was stolen,
//! from its owner or by them, so its whole family ends, and the session with it.

use std::time::Duration;

use sqlx::{AnyConnection, Row};

use crate::auth::{RefreshToken, SessionId, UserId};
use crate::storage::StorageError;

const TAKE: &str = "
    UPDATE refresh_tokens SET used_at_ms = $2
    WHERE hash = $1 AND used_at_ms IS NULL AND expires_at_ms > $2
    RETURNING family, user_id";

const KEEP: &str = "
    INSERT INTO refresh_tokens (hash, family, user_id, expires_at_ms) VALUES ($1, $2, $3, $4)";

const USED: &str = "
    SELECT family, user_id FROM refresh_tokens WHERE hash = $1 AND used_at_ms IS NOT NULL";

const END: &str = "DELETE FROM refresh_tokens WHERE family = $1 AND user_id = $2";

const SWEEP: &str = "
    DELETE FROM refresh_tokens WHERE hash IN
        (SELECT hash FROM refresh_tokens WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)";

/// When something happens, and how long a session lasts from then.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// Now, in milliseconds since 1970 UTC.
    pub now_ms: i64,
    /// How long a session can rest.
    pub refresh: Duration,
}

impl Lifetime {
    pub(super) fn end_ms(self) -> i64 {
        let refresh_ms = i64::try_from(self.refresh.as_millis()).unwrap_or(i64::MAX);
        self.now_ms.saturating_add(refresh_ms)
    }
}

/// What a refresh token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was taken: this session may go on.
    Good(UserId, SessionId),
    /// It was taken before: this session was stolen.
    Twice(UserId, SessionId),
    /// Nobody knows it, or it has expired.
    Unknown,
}

/// Takes a token. It is not good a second time.
pub(super) async fn take(
    connection: &mut AnyConnection,
    token: &RefreshToken,
    lifetime: Lifetime,
) -> Result<Taken, StorageError> {
    let taking = sqlx::query(TAKE).bind(token.hash()).bind(lifetime.now_ms);
    if let Some(row) = taking.fetch_optional(&mut *connection).await? {
        let (family, user) = (row.try_get("family")?, row.try_get("user_id")?);
        return Ok(Taken::Good(UserId(user), SessionId(family)));
    }
    let used = sqlx::query(USED).bind(token.hash()).fetch_optional(connection).await?;
    Ok(match used {
        Some(row) => Taken::Twice(UserId(row.try_get("user_id")?), SessionId(row.try_get("family")?)),
        None => Taken::Unknown,
    })
}

/// Keeps the next token of a session.
pub(super) async fn keep(
    connection: &mut AnyConnection,
    (user, session): (UserId, SessionId),
    token: &RefreshToken,
    lifetime: Lifetime,
) -> Result<(), StorageError> {
    let statement = sqlx::query(KEEP).bind(token.hash()).bind(session.0).bind(user.0);
    statement.bind(lifetime.end_ms()).execute(connection).await?;
    Ok(())
}

/// Makes every token of a session worthless.
pub(super) async fn end(
    connection: &mut AnyConnection,
    (user, session): (UserId, SessionId),
) -> Result<(), StorageError> {
    sqlx::query(END).bind(session.0).bind(user.0).execute(connection).await?;
    Ok(())
}

/// Removes so many tokens that have expired, and says how many there were.
pub(super) async fn sweep(
    connection: &mut AnyConnection,
    now_ms: i64,
    most: i64,
) -> Result<u64, StorageError> {
    let swept = sqlx::query(SWEEP).bind(now_ms).bind(most).execute(connection).await?;
    Ok(swept.rows_affected())
}
