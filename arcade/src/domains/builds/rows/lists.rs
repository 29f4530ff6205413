//! Which builds a list shows, as numbers.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::BuildRows;
use crate::auth::UserId;
use crate::domains::builds::model::BuildList;
use crate::http::Slice;
use crate::storage::StorageError;

/// What narrows a list of builds. Private ones are in none that does not name their owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domains::builds) enum Listed {
    /// What everybody sees.
    Public {
        /// Of which class.
        class: Option<i64>,
        /// Whose.
        owner: Option<UserId>,
    },
    /// What one user made.
    Own {
        /// Who.
        owner: UserId,
        /// Of which class.
        class: Option<i64>,
        /// Only private ones, or only public ones.
        private: Option<bool>,
    },
}

impl BuildRows {
    /// The newest first. The total and the part come from one statement: two would each see the
    /// database at another moment.
    pub(in crate::domains::builds) async fn list(
        &self,
        listed: Listed,
        slice: Slice,
    ) -> Result<BuildList, StorageError> {
        let (class, owner, private) = match listed {
            Listed::Public { class, owner } => (class, owner, Some(false)),
            Listed::Own { owner, class, private } => (class, Some(owner), private),
        };
        let owner = owner.map(|owner| owner.0);
        let wanted = [("class_id", class), ("owner_id", owner), ("private", private.map(i64::from))];
        let wanted: Vec<(&str, i64)> =
            wanted.into_iter().filter_map(|(column, value)| Some((column, value?))).collect();
        let conditions = wanted.iter().enumerate();
        let conditions: Vec<String> =
            conditions.map(|(place, (column, _))| format!("{column} = ${}", place + 3)).collect();
        let of_these = format!("FROM builds WHERE {}", conditions.join(" AND "));
        let sql = format!(
            "SELECT counts.total, b.id FROM (SELECT COUNT(*) AS total {of_these}) AS counts \
             LEFT JOIN (SELECT id, created_at_ms {of_these} \
             ORDER BY created_at_ms DESC, id DESC LIMIT $1 OFFSET $2) AS b ON 1 = 1 \
             ORDER BY b.created_at_ms DESC, b.id DESC"
        );
        let statement = sqlx::query(AssertSqlSafe(sql))
            .bind(i64::from(slice.limit))
            .bind(i64::from(slice.offset));
        let statement = wanted.iter().fold(statement, |all, (_, value)| all.bind(*value));
        list(&statement.fetch_all(self.store.pool()).await?)
    }

    /// What this user likes and may see, the last liked first.
    pub(in crate::domains::builds) async fn liked(
        &self,
        user: UserId,
        slice: Slice,
    ) -> Result<BuildList, StorageError> {
        let rows = sqlx::query(LIKED)
            .bind(i64::from(slice.limit))
            .bind(i64::from(slice.offset))
            .bind(user.0)
            .fetch_all(self.store.pool())
            .await?;
        list(&rows)
    }

    /// The public builds that most users like; of equal ones the older first.
    pub(in crate::domains::builds) async fn most_liked(
        &self,
        class: Option<i64>,
        limit: u32,
    ) -> Result<BuildList, StorageError> {
        let sql = if class.is_some() { MOST_LIKED_OF_CLASS } else { MOST_LIKED };
        let statement = sqlx::query(sql).bind(i64::from(limit));
        let statement = class.into_iter().fold(statement, |all, class| all.bind(class));
        let rows = statement.fetch_all(self.store.pool()).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
        Ok(BuildList { total: ids.len() as u64, ids })
    }
}

const LIKED: &str = "
    SELECT counts.total, l.build_id AS id FROM (
        SELECT COUNT(*) AS total FROM build_likes
        JOIN builds ON builds.id = build_likes.build_id
        WHERE user_id = $3 AND (private = 0 OR owner_id = $3)
    ) AS counts LEFT JOIN (
        SELECT build_id, build_likes.created_at_ms FROM build_likes
        JOIN builds ON builds.id = build_likes.build_id
        WHERE user_id = $3 AND (private = 0 OR owner_id = $3)
        ORDER BY build_likes.created_at_ms DESC, build_id DESC LIMIT $1 OFFSET $2
    ) AS l ON 1 = 1
    ORDER BY l.created_at_ms DESC, l.build_id DESC";

const MOST_LIKED: &str = "
    SELECT id FROM builds WHERE private = 0 AND likes > 0
    ORDER BY likes DESC, created_at_ms, id LIMIT $1";

const MOST_LIKED_OF_CLASS: &str = "
    SELECT id FROM builds WHERE class_id = $2 AND private = 0 AND likes > 0
    ORDER BY likes DESC, created_at_ms, id LIMIT $1";

/// An empty part is one row without an id.
fn list(rows: &[AnyRow]) -> Result<BuildList, StorageError> {
    let total = rows.first().map(|row| row.try_get::<i64, _>("total")).transpose()?;
    let ids: Vec<Option<i64>> = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    let ids = ids.into_iter().flatten().collect();
    Ok(BuildList { ids, total: total.unwrap_or(0).unsigned_abs() })
}
