//! The SQL of game systems and templates, and of rooms as far as one is applied to or saved from
//! them.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::model::{Category, Complexity, Content, Rating, Shelf, System, SystemCard, SystemPage};
use crate::auth::UserId;
use crate::http::Page;
use crate::storage::{StorageError, Store, as_json, from_json, placeholders};
use crate::tabletop::word;

/// The total and the page come from one statement: two would each see the database at another
/// moment. What a list does not show is not read.
macro_rules! page_where {
    ($filter:literal) => {
        concat!(
            "SELECT counts.total, i.* FROM (SELECT COUNT(*) AS total FROM game_systems
             WHERE shelf = $1 AND ",
            $filter,
            ") AS counts LEFT JOIN (
                SELECT id, owner_id, name, description, category, complexity, version, official,
                       public, players_min, players_max, minutes, tags, created_at_ms
                FROM game_systems WHERE shelf = $1 AND ",
            $filter,
            " ORDER BY created_at_ms DESC, id DESC LIMIT $2 OFFSET $3) AS i ON 1 = 1
            ORDER BY i.created_at_ms DESC, i.id DESC"
        )
    };
}

const PAGE: &str = page_where!("public = 1");
const PAGE_OF_CATEGORY: &str = page_where!("public = 1 AND category = $4");
const PAGE_OF_OWNER: &str = page_where!("owner_id = $4");
const PAGE_OF_OWNER_AND_CATEGORY: &str = page_where!("owner_id = $4 AND category = $5");

const SYSTEM: &str = "SELECT * FROM game_systems WHERE id = $1";

/// Public ones, the most used first.
const MOST_USED: &str = "
    SELECT id FROM game_systems WHERE public = 1 ORDER BY downloads DESC, id DESC LIMIT $1";

/// Locks the row until the commit.
const LOCK: &str = "UPDATE game_systems SET shelf = shelf WHERE id = $1 RETURNING *";

const CHANGE: &str = "
    UPDATE game_systems SET
        name = $2, description = $3, category = $4, complexity = $5, version = $6, official = $7,
        public = $8, players_min = $9, players_max = $10, minutes = $11, tags = $12, content = $13,
        changed_at_ms = $14
    WHERE id = $1";

const COUNT_USE: &str = "UPDATE game_systems SET downloads = downloads + 1 WHERE id = $1";

const REMOVE: &str = "DELETE FROM game_systems WHERE id = $1";

const SET_UP_ROOM: &str =
    "UPDATE rooms SET system_id = $2, board = $3, game_state = $4 WHERE id = $1";

const ROOM: &str = "SELECT board, game_state FROM rooms WHERE id = $1";

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) shelf: Shelf,
    /// Those of one user, also private ones; `None` are the public ones of all.
    pub(super) owner: Option<UserId>,
    pub(super) category: Option<Category>,
}

/// Game systems and templates in the database.
#[derive(Debug, Clone)]
pub struct SystemRows {
    store: Store,
}

impl SystemRows {
    /// Those in `store`.
    pub fn new(store: Store) -> Self {
        SystemRows { store }
    }

    pub(super) async fn page(&self, listed: Listed, page: Page) -> Result<SystemPage, StorageError> {
        let sql = match (listed.owner, listed.category) {
            (None, None) => PAGE,
            (None, Some(_)) => PAGE_OF_CATEGORY,
            (Some(_), None) => PAGE_OF_OWNER,
            (Some(_), Some(_)) => PAGE_OF_OWNER_AND_CATEGORY,
        };
        let statement = sqlx::query(sql).bind(listed.shelf.name()).bind(i64::from(page.limit));
        let statement = statement.bind(page.skipped());
        let owned = listed.owner.iter().fold(statement, |owned, owner| owned.bind(owner.0));
        let narrowed =
            listed.category.iter().fold(owned, |narrow, category| narrow.bind(category.name()));
        let rows = narrowed.fetch_all(self.store.pool()).await?;
        let total = rows.first().map(|row| row.try_get::<i64, _>("total")).transpose()?;
        let total = total.unwrap_or(0).unsigned_abs();
        // An empty page is one row without an id.
        let on_page =
            rows.iter().filter(|row| !matches!(row.try_get::<Option<i64>, _>("id"), Ok(None)));
        let items = on_page.map(card).collect::<Result<_, _>>()?;
        let Page { number, limit } = page;
        Ok(SystemPage { items, total, page: number, limit, pages: total.div_ceil(limit.into()) })
    }

    pub(super) async fn system(&self, id: i64) -> Result<Option<System>, StorageError> {
        let row = sqlx::query(SYSTEM).bind(id).fetch_optional(self.store.pool()).await?;
        Ok(row.as_ref().map(system).transpose()?)
    }

    /// The public systems and templates that were set up most often.
    pub(super) async fn most_used(&self, limit: u32) -> Result<Vec<i64>, StorageError> {
        let ids = sqlx::query_scalar(MOST_USED).bind(i64::from(limit)).fetch_all(self.store.pool());
        Ok(ids.await?)
    }

    /// A system that stays as it is until the end of the transaction. `None` if there is none.
    pub(super) async fn locked(
        connection: &mut AnyConnection,
        id: i64,
    ) -> Result<Option<System>, StorageError> {
        let row = sqlx::query(LOCK).bind(id).fetch_optional(connection).await?;
        Ok(row.as_ref().map(system).transpose()?)
    }

    /// Writes what may change of a system.
    pub(super) async fn change(
        connection: &mut AnyConnection,
        system: &System,
    ) -> Result<(), StorageError> {
        sqlx::query(CHANGE)
            .bind(system.id)
            .bind(system.name.as_str())
            .bind(system.description.as_str())
            .bind(system.category.name())
            .bind(system.complexity.name())
            .bind(system.version.as_str())
            .bind(i64::from(system.official))
            .bind(i64::from(system.public))
            .bind(system.players_min)
            .bind(system.players_max)
            .bind(system.minutes)
            .bind(as_json(&system.tags)?)
            .bind(as_json(&system.content)?)
            .bind(system.changed_at_ms)
            .execute(connection)
            .await?;
        Ok(())
    }

    pub(super) async fn remove(connection: &mut AnyConnection, id: i64) -> Result<(), StorageError> {
        sqlx::query(REMOVE).bind(id).execute(connection).await?;
        Ok(())
    }

    /// Sets a locked room up with a system, and counts that.
    pub(super) async fn apply(
        connection: &mut AnyConnection,
        system: &System,
        room: i64,
    ) -> Result<(), StorageError> {
        sqlx::query(SET_UP_ROOM)
            .bind(room)
            .bind(system.id)
            .bind(as_json(&system.content.board)?)
            .bind(as_json(&system.content.setup)?)
            .execute(&mut *connection)
            .await?;
        sqlx::query(COUNT_USE).bind(system.id).execute(connection).await?;
        Ok(())
    }

    /// What a room would bring into another one. `None` if there is no such room.
    pub(super) async fn content_of_room(
        connection: &mut AnyConnection,
        room: i64,
    ) -> Result<Option<Content>, StorageError> {
        let row = sqlx::query(ROOM).bind(room).fetch_optional(connection).await?;
        let Some(row) = row else { return Ok(None) };
        let (board, setup) = (from_json(&row, "board")?, from_json(&row, "game_state")?);
        Ok(Some(Content { board, setup, ..Content::empty() }))
    }

    /// Writes game systems and templates with one statement.
    pub(crate) async fn insert(
        connection: &mut AnyConnection,
        systems: &[System],
    ) -> Result<(), StorageError> {
        let sql = format!(
            "INSERT INTO game_systems (id, shelf, owner_id, name, description, category, complexity, \
             version, official, public, downloads, players_min, players_max, minutes, tags, content, \
             created_at_ms, changed_at_ms) VALUES {}",
            placeholders(systems.len(), 18)
        );
        let mut statement = sqlx::query(AssertSqlSafe(sql));
        for system in systems {
            statement = statement
                .bind(system.id)
                .bind(system.shelf.name())
                .bind(system.owner_id)
                .bind(system.name.as_str())
                .bind(system.description.as_str())
                .bind(system.category.name())
                .bind(system.complexity.name())
                .bind(system.version.as_str())
                .bind(i64::from(system.official))
                .bind(i64::from(system.public))
                .bind(system.downloads)
                .bind(system.players_min)
                .bind(system.players_max)
                .bind(system.minutes)
                .bind(as_json(&system.tags)?)
                .bind(as_json(&system.content)?)
                .bind(system.created_at_ms)
                .bind(system.changed_at_ms);
        }
        statement.execute(connection).await?;
        Ok(())
    }
}

fn card(row: &AnyRow) -> Result<SystemCard, sqlx::Error> {
    Ok(SystemCard {
        id: row.try_get("id")?,
        owner_id: row.try_get("owner_id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        category: word(row, "category", Category::ALL)?,
        complexity: word(row, "complexity", Complexity::ALL)?,
        version: row.try_get("version")?,
        official: row.try_get::<i64, _>("official")? != 0,
        public: row.try_get::<i64, _>("public")? != 0,
        players_min: row.try_get("players_min")?,
        players_max: row.try_get("players_max")?,
        minutes: row.try_get("minutes")?,
        tags: from_json(row, "tags")?,
        created_at_ms: row.try_get("created_at_ms")?,
    })
}

fn system(row: &AnyRow) -> Result<System, sqlx::Error> {
    Ok(System {
        id: row.try_get("id")?,
        shelf: word(row, "shelf", Shelf::ALL)?,
        owner_id: row.try_get("owner_id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        category: word(row, "category", Category::ALL)?,
        complexity: word(row, "complexity", Complexity::ALL)?,
        version: row.try_get("version")?,
        official: row.try_get::<i64, _>("official")? != 0,
        public: row.try_get::<i64, _>("public")? != 0,
        downloads: row.try_get("downloads")?,
        rating: Rating::of(row.try_get("stars")?, row.try_get("ratings")?),
        players_min: row.try_get("players_min")?,
        players_max: row.try_get("players_max")?,
        minutes: row.try_get("minutes")?,
        tags: from_json(row, "tags")?,
        content: from_json(row, "content")?,
        created_at_ms: row.try_get("created_at_ms")?,
        changed_at_ms: row.try_get("changed_at_ms")?,
    })
}
