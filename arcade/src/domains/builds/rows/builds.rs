//! Builds one by one and many by their numbers. Which of them a reader may see is part of the
//! statement, so no private build leaves the database for somebody else.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::BuildRows;
use crate::auth::{CurrentUser, Role, UserId};
use crate::domains::builds::model::{Build, BuildHead};
use crate::storage::{StorageError, as_json, from_json, placeholders};

const COLUMNS: &str = "id, name, class_id, owner_id, private, base_sp, extra_sp, base_stp, \
    extra_stp, graph, created_at_ms, updated_at_ms";

/// Locks the row, so that what it tells stays true until the commit.
const LOCK: &str = "
    UPDATE builds SET likes = likes WHERE id = $1
    RETURNING id, name, class_id, owner_id, private, base_sp, extra_sp, base_stp, extra_stp, graph,
        created_at_ms, updated_at_ms, likes";

const CHANGE: &str = "
    UPDATE builds SET name = $2, class_id = $3, private = $4, base_sp = $5, extra_sp = $6,
        base_stp = $7, extra_stp = $8, graph = $9, updated_at_ms = $10
    WHERE id = $1";

const REMOVE: &str = "DELETE FROM builds WHERE id = $1";

/// A build that no other transaction changes meanwhile.
#[derive(Debug, Clone)]
pub(in crate::domains::builds) struct Locked {
    pub(in crate::domains::builds) build: Build,
    pub(in crate::domains::builds) likes: u64,
}

impl BuildRows {
    /// Those of these builds that everybody may see.
    pub(in crate::domains::builds) async fn public(
        &self,
        ids: &[i64],
    ) -> Result<Vec<Build>, StorageError> {
        self.of_ids(ids, "private = 0", None).await
    }

    /// Those of these builds that this user may see as owner or admin.
    pub(in crate::domains::builds) async fn trusted(
        &self,
        ids: &[i64],
        user: CurrentUser,
    ) -> Result<Vec<Build>, StorageError> {
        match user.role {
            Role::Admin => self.of_ids(ids, "1 = 1", None).await,
            Role::Player => {
                let own = format!("owner_id = ${}", ids.len() + 1);
                self.of_ids(ids, &own, Some(user.id)).await
            }
        }
    }

    async fn of_ids(
        &self,
        ids: &[i64],
        condition: &str,
        owner: Option<UserId>,
    ) -> Result<Vec<Build>, StorageError> {
        let wanted = placeholders(1, ids.len());
        let sql = format!("SELECT {COLUMNS} FROM builds WHERE id IN {wanted} AND {condition}");
        let statement = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |all, id| all.bind(*id));
        let statement = owner.into_iter().fold(statement, |all, owner| all.bind(owner.0));
        let rows = statement.fetch_all(self.store.pool()).await?;
        Ok(rows.iter().map(build).collect::<Result<_, _>>()?)
    }

    /// The build of this number. `None` if there is no such build.
    pub(in crate::domains::builds) async fn lock(
        connection: &mut AnyConnection,
        id: i64,
    ) -> Result<Option<Locked>, StorageError> {
        let row = sqlx::query(LOCK).bind(id).fetch_optional(connection).await?;
        let locked = |row: AnyRow| {
            let likes: i64 = row.try_get("likes")?;
            Ok::<_, sqlx::Error>(Locked { build: build(&row)?, likes: likes.unsigned_abs() })
        };
        Ok(row.map(locked).transpose()?)
    }

    /// Writes what has become of a build.
    pub(in crate::domains::builds) async fn change(
        connection: &mut AnyConnection,
        Build { head, graph }: &Build,
    ) -> Result<(), StorageError> {
        sqlx::query(CHANGE)
            .bind(head.id)
            .bind(head.name.as_str())
            .bind(head.class_id)
            .bind(i64::from(head.private))
            .bind(head.base_sp)
            .bind(head.extra_sp)
            .bind(head.base_stp)
            .bind(head.extra_stp)
            .bind(as_json(graph)?)
            .bind(head.updated_at_ms)
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Removes a build with its likes.
    pub(in crate::domains::builds) async fn remove(
        connection: &mut AnyConnection,
        id: i64,
    ) -> Result<(), StorageError> {
        sqlx::query(REMOVE).bind(id).execute(connection).await?;
        Ok(())
    }

    /// Writes builds that nobody likes yet with one statement.
    pub(crate) async fn insert(
        connection: &mut AnyConnection,
        builds: &[Build],
    ) -> Result<(), StorageError> {
        let values = placeholders(builds.len(), 13);
        let sql = format!("INSERT INTO builds ({COLUMNS}, likes) VALUES {values}");
        let mut statement = sqlx::query(AssertSqlSafe(sql));
        for Build { head, graph } in builds {
            statement = statement
                .bind(head.id)
                .bind(head.name.as_str())
                .bind(head.class_id)
                .bind(head.user_id)
                .bind(i64::from(head.private))
                .bind(head.base_sp)
                .bind(head.extra_sp)
                .bind(head.base_stp)
                .bind(head.extra_stp)
                .bind(as_json(graph)?)
                .bind(head.created_at_ms)
                .bind(head.updated_at_ms)
                .bind(0_i64);
        }
        statement.execute(connection).await?;
        Ok(())
    }
}

fn build(row: &AnyRow) -> Result<Build, sqlx::Error> {
    let head = BuildHead {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        class_id: row.try_get("class_id")?,
        user_id: row.try_get("owner_id")?,
        private: row.try_get::<i64, _>("private")? != 0,
        base_sp: row.try_get("base_sp")?,
        extra_sp: row.try_get("extra_sp")?,
        base_stp: row.try_get("base_stp")?,
        extra_stp: row.try_get("extra_stp")?,
        created_at_ms: row.try_get("created_at_ms")?,
        updated_at_ms: row.try_get("updated_at_ms")?,
    };
    Ok(Build { head, graph: from_json(row, "graph")? })
}
