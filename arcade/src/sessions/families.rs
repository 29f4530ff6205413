//! Decides how a session goes on: each refresh token is good once. One that comes twice was stolen,
//! from its owner or by them, so its whole family ends.

use std::time::Duration;

use sqlx::{AnyConnection, Row};

use super::rows::{self, Known};
use crate::auth::{RefreshToken, Role, UserId};
use crate::storage::StorageError;

const TAKE: &str = "
    UPDATE refresh_tokens SET used_at_ms = $2
    WHERE hash = $1 AND used_at_ms IS NULL AND expires_at_ms > $2
    RETURNING family, user_id";

const KEEP: &str = "
    INSERT INTO refresh_tokens (hash, family, user_id, expires_at_ms) VALUES ($1, $2, $3, $4)";

const END_FAMILY: &str = "
    DELETE FROM refresh_tokens WHERE family =
        (SELECT family FROM refresh_tokens WHERE hash = $1 AND used_at_ms IS NOT NULL)";

const FORGET: &str = "DELETE FROM refresh_tokens WHERE user_id = $1 AND expires_at_ms <= $2";

/// Whose session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Continued {
    pub(super) user: UserId,
    pub(super) role: Role,
}

/// When something happens, and how long a token lives from then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetime {
    pub(super) now_ms: i64,
    pub(super) refresh: Duration,
}

impl Lifetime {
    fn end_ms(self) -> i64 {
        let refresh_ms = i64::try_from(self.refresh.as_millis()).unwrap_or(i64::MAX);
        self.now_ms.saturating_add(refresh_ms)
    }
}

/// Keeps the first token of a new family, and forgets what has expired.
pub(super) async fn begin(
    connection: &mut AnyConnection,
    user: UserId,
    token: &RefreshToken,
    lifetime: Lifetime,
) -> Result<(), StorageError> {
    let forget = sqlx::query(FORGET).bind(user.0).bind(lifetime.now_ms);
    forget.execute(&mut *connection).await?;
    keep(connection, crate::storage::new_id(), user, token, lifetime).await
}

/// Takes `old` and keeps `next` in its place. `None` if `old` is not good; its family ends then, if
/// it was good once.
pub(super) async fn go_on(
    connection: &mut AnyConnection,
    old: &RefreshToken,
    next: &RefreshToken,
    lifetime: Lifetime,
) -> Result<Option<Continued>, StorageError> {
    let taken = sqlx::query(TAKE)
        .bind(old.hash())
        .bind(lifetime.now_ms)
        .fetch_optional(&mut *connection)
        .await?;
    Ok(match taken {
        None => {
            sqlx::query(END_FAMILY).bind(old.hash()).execute(connection).await?;
            None
        }
        Some(row) => {
            let (family, user) = (row.try_get("family")?, UserId(row.try_get("user_id")?));
            keep(connection, family, user, next, lifetime).await?;
            let known = rows::known(connection, user).await?;
            known.map(|Known { id, role, .. }| Continued { user: id, role })
        }
    })
}

async fn keep(
    connection: &mut AnyConnection,
    family: i64,
    user: UserId,
    token: &RefreshToken,
    lifetime: Lifetime,
) -> Result<(), StorageError> {
    let statement = sqlx::query(KEEP).bind(token.hash()).bind(family).bind(user.0);
    statement.bind(lifetime.end_ms()).execute(connection).await?;
    Ok(())
}
