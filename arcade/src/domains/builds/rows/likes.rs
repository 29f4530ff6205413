//! Likes: one for each user and build, and their number beside the build, where a leaderboard finds
//! it in an index. Both change in one transaction that holds the build's row.

use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::BuildRows;
use crate::auth::UserId;
use crate::storage::{StorageError, placeholders};

const UNLIKE: &str = "DELETE FROM build_likes WHERE build_id = $1 AND user_id = $2";

const LIKE: &str = "INSERT INTO build_likes (build_id, user_id, created_at_ms) VALUES ($1, $2, $3)";

const COUNTED: &str = "UPDATE builds SET likes = likes + $2 WHERE id = $1";

const LIKERS: &str = "SELECT user_id FROM build_likes WHERE build_id = $1 ORDER BY user_id LIMIT $2";

const IS_USER: &str = "SELECT id FROM users WHERE id = $1";

/// Every count out of the likes that were written past it.
const SETTLE: &str = "
    UPDATE builds SET likes = (SELECT COUNT(*) FROM build_likes WHERE build_id = builds.id)";

impl BuildRows {
    /// How many like each of these builds.
    pub(in crate::domains::builds) async fn likes(
        &self,
        ids: &[i64],
    ) -> Result<Vec<(i64, u64)>, StorageError> {
        let sql = format!("SELECT id, likes FROM builds WHERE id IN {}", placeholders(1, ids.len()));
        let statement = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |all, id| all.bind(*id));
        let rows = statement.fetch_all(self.store.pool()).await?;
        let counted = rows.iter().map(|row| {
            let likes: i64 = row.try_get("likes")?;
            Ok((row.try_get("id")?, likes.unsigned_abs()))
        });
        Ok(counted.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Likes a build, or no longer, and tells which. The caller holds its row.
    pub(in crate::domains::builds) async fn toggle(
        connection: &mut AnyConnection,
        build: i64,
        user: UserId,
        now_ms: i64,
    ) -> Result<bool, StorageError> {
        let gone = sqlx::query(UNLIKE).bind(build).bind(user.0).execute(&mut *connection).await?;
        let liked = gone.rows_affected() == 0;
        if liked {
            sqlx::query(LIKE).bind(build).bind(user.0).bind(now_ms).execute(&mut *connection).await?;
        }
        let gained: i64 = if liked { 1 } else { -1 };
        sqlx::query(COUNTED).bind(build).bind(gained).execute(connection).await?;
        Ok(liked)
    }

    /// Who likes a build, up to `most`.
    pub(in crate::domains::builds) async fn likers(
        connection: &mut AnyConnection,
        build: i64,
        most: usize,
    ) -> Result<Vec<UserId>, StorageError> {
        let statement = sqlx::query_scalar(LIKERS).bind(build).bind(most as i64);
        let users: Vec<i64> = statement.fetch_all(connection).await?;
        Ok(users.into_iter().map(UserId).collect())
    }

    /// Whether there is such a user. A token outlives its user.
    pub(in crate::domains::builds) async fn is_user(
        connection: &mut AnyConnection,
        user: UserId,
    ) -> Result<bool, StorageError> {
        let found = sqlx::query(IS_USER).bind(user.0).fetch_optional(connection).await?;
        Ok(found.is_some())
    }

    /// Writes likes of a world that is being made, with one statement.
    pub(crate) async fn insert_likes(
        connection: &mut AnyConnection,
        likes: &[(i64, UserId, i64)],
    ) -> Result<(), StorageError> {
        let values = placeholders(likes.len(), 3);
        let sql =
            format!("INSERT INTO build_likes (build_id, user_id, created_at_ms) VALUES {values}");
        let statement =
            likes.iter().fold(sqlx::query(AssertSqlSafe(sql)), |statement, (build, user, at_ms)| {
                statement.bind(*build).bind(user.0).bind(*at_ms)
            });
        statement.execute(connection).await?;
        Ok(())
    }

    /// Counts the likes that were written past the counts.
    pub(crate) async fn settle_likes(connection: &mut AnyConnection) -> Result<(), StorageError> {
        sqlx::query(SETTLE).execute(connection).await?;
        Ok(())
    }
}
