//! The SQL of assets.

use std::collections::HashMap;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::model::{Asset, AssetKind, AssetNumbers};
use crate::auth::{CurrentUser, Role, UserId};
use crate::http::Page;
use crate::storage::{StorageError, Store, as_json, from_json, placeholders};
use crate::tabletop::word;

/// The total and the page come from one statement: two would each see the database at another
/// moment.
macro_rules! page_of_room {
    ($shown:literal) => {
        concat!(
            "SELECT counts.total, i.id
             FROM (SELECT COUNT(*) AS total FROM assets WHERE room_id = $1",
            $shown,
            ") AS counts
             LEFT JOIN (SELECT id, created_at_ms FROM assets WHERE room_id = $1",
            $shown,
            " ORDER BY created_at_ms DESC, id DESC LIMIT $2 OFFSET $3) AS i ON 1 = 1
             ORDER BY i.created_at_ms DESC, i.id DESC"
        )
    };
}

const PAGE: &str = page_of_room!("");

const PAGE_SHOWN: &str = page_of_room!(" AND (public = 1 OR uploader_id = $4)");

const ROOM: &str = "SELECT id FROM rooms WHERE id = $1";

const RECENT: &str = "SELECT id FROM assets ORDER BY created_at_ms DESC, id DESC LIMIT $1";

const SYSTEM_OWNER: &str = "SELECT owner_id FROM game_systems WHERE id = $1";

/// Whose it is comes first: that it lies on a board would tell that it exists.
const TAKE: &str = "DELETE FROM assets WHERE id = $1 AND (uploader_id = $2 OR $3 = 1) RETURNING *";

/// Assets in the database.
#[derive(Debug, Clone)]
pub struct AssetRows {
    store: Store,
}

impl AssetRows {
    /// The assets in `store`.
    pub fn new(store: Store) -> Self {
        AssetRows { store }
    }

    /// Those of these assets that exist.
    pub(super) async fn assets(&self, ids: &[i64]) -> Result<HashMap<i64, Asset>, StorageError> {
        let sql = format!("SELECT * FROM assets WHERE id IN {}", placeholders(1, ids.len()));
        let statement = sqlx::query(AssertSqlSafe(sql));
        let statement = ids.iter().fold(statement, |statement, id| statement.bind(*id));
        let rows = statement.fetch_all(self.store.pool()).await?;
        let found = rows.iter().map(|row| asset(row).map(|asset| (asset.id, asset)));
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The newest assets.
    pub(super) async fn recent(&self, limit: u32) -> Result<Vec<i64>, StorageError> {
        let ids = sqlx::query_scalar(RECENT).bind(i64::from(limit)).fetch_all(self.store.pool());
        Ok(ids.await?)
    }

    /// The numbers of a page of a room's assets: of all of them, or of those that one user sees.
    /// `None` if there is no such room.
    pub(super) async fn of_room(
        &self,
        room: i64,
        viewer: Option<UserId>,
        page: Page,
    ) -> Result<Option<AssetNumbers>, StorageError> {
        let sql = if viewer.is_some() { PAGE_SHOWN } else { PAGE };
        let statement = sqlx::query(sql).bind(room).bind(i64::from(page.limit)).bind(page.skipped());
        let statement = viewer.iter().fold(statement, |statement, user| statement.bind(user.0));
        let rows = statement.fetch_all(self.store.pool()).await?;
        let total = rows.first().map(|row| row.try_get::<i64, _>("total")).transpose()?;
        let total = total.unwrap_or(0).unsigned_abs();
        // An empty page is one row without an id.
        let ids = rows.iter().map(|row| row.try_get::<Option<i64>, _>("id"));
        let ids: Vec<i64> = ids.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        if total == 0 {
            let room = sqlx::query(ROOM).bind(room).fetch_optional(self.store.pool()).await?;
            return Ok(room.map(|_| AssetNumbers { ids, total }));
        }
        Ok(Some(AssetNumbers { ids, total }))
    }

    /// Writes assets with one statement.
    pub(crate) async fn insert(
        connection: &mut AnyConnection,
        assets: &[Asset],
    ) -> Result<(), StorageError> {
        let sql = format!(
            "INSERT INTO assets (id, room_id, system_id, uploader_id, name, kind, path, file_name, \
             size_bytes, mime_type, width, height, public, tags, metadata, created_at_ms) VALUES {}",
            placeholders(assets.len(), 16)
        );
        let mut statement = sqlx::query(AssertSqlSafe(sql));
        for asset in assets {
            statement = statement
                .bind(asset.id)
                .bind(asset.room_id)
                .bind(asset.system_id)
                .bind(asset.uploader_id)
                .bind(asset.name.as_str())
                .bind(asset.kind.name())
                .bind(asset.path.as_str())
                .bind(asset.file_name.as_str())
                .bind(asset.size_bytes)
                .bind(asset.mime_type.as_str())
                .bind(asset.width)
                .bind(asset.height)
                .bind(i64::from(asset.public))
                .bind(as_json(&asset.tags)?)
                .bind(as_json(&asset.metadata)?)
                .bind(asset.created_at_ms);
        }
        statement.execute(connection).await?;
        Ok(())
    }

    /// Whether a game system or template is this user's own, so that they may add to it.
    pub(super) async fn owns_system(
        connection: &mut AnyConnection,
        system: i64,
        user: CurrentUser,
    ) -> Result<bool, StorageError> {
        let owner = sqlx::query_scalar(SYSTEM_OWNER).bind(system).fetch_optional(connection);
        let owner: Option<i64> = owner.await?;
        Ok(owner.is_some_and(|owner| user.role == Role::Admin || owner == user.id.0))
    }

    /// Takes an asset away and gives what it was. `None` if there is no such asset of this user's.
    pub(super) async fn remove(
        connection: &mut AnyConnection,
        id: i64,
        user: CurrentUser,
    ) -> Result<Option<Asset>, StorageError> {
        let statement = sqlx::query(TAKE).bind(id).bind(user.id.0);
        let statement = statement.bind(i64::from(user.role == Role::Admin));
        let row = statement.fetch_optional(connection).await?;
        Ok(row.as_ref().map(asset).transpose()?)
    }
}

fn asset(row: &AnyRow) -> Result<Asset, sqlx::Error> {
    Ok(Asset {
        id: row.try_get("id")?,
        room_id: row.try_get("room_id")?,
        system_id: row.try_get("system_id")?,
        uploader_id: row.try_get("uploader_id")?,
        name: row.try_get("name")?,
        kind: word(row, "kind", AssetKind::ALL)?,
        path: row.try_get("path")?,
        file_name: row.try_get("file_name")?,
        size_bytes: row.try_get("size_bytes")?,
        mime_type: row.try_get("mime_type")?,
        width: row.try_get("width")?,
        height: row.try_get("height")?,
        public: row.try_get::<i64, _>("public")? != 0,
        tags: from_json(row, "tags")?,
        metadata: from_json(row, "metadata")?,
        created_at_ms: row.try_get("created_at_ms")?,
    })
}
