//! The SQL of rooms: what is read. Every statement names its rooms.

pub(super) mod pieces;
pub(super) mod players;
pub(super) mod written;

use std::collections::HashMap;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::model::{BoardAsset, OwnRoom, OwnRoomPage, PlayerList, RoomPlayer, RoomState, Visibility};
use crate::auth::UserId;
use crate::http::Page;
use crate::storage::{StorageError, Store, from_json, placeholders};
use crate::tabletop::{Seat, word};

const BY_NAME: &str = "SELECT id FROM rooms WHERE name = $1";

const MEMBERS: &str = "SELECT user_id FROM room_players WHERE room_id = $1";

/// Rooms that are played in, the fullest first, of equal ones that which changed last.
const POPULAR: &str = "
    SELECT r.id FROM rooms r
    LEFT JOIN (SELECT room_id, COUNT(*) AS seats FROM room_players GROUP BY room_id) AS p
        ON p.room_id = r.id
    WHERE r.active = 1
    ORDER BY COALESCE(p.seats, 0) DESC, r.changed_at_ms DESC, r.id DESC LIMIT $1";

/// The total and the page come from one statement: two would each see the database at another
/// moment.
const OF_USER: &str = "
    SELECT counts.total, i.*
    FROM (SELECT COUNT(*) AS total FROM room_players WHERE user_id = $1) AS counts
    LEFT JOIN (SELECT r.id, r.name, r.owner_id, r.active, p.seat, p.joined_at_ms
               FROM room_players p JOIN rooms r ON r.id = p.room_id
               WHERE p.user_id = $1
               ORDER BY p.joined_at_ms DESC, p.room_id DESC LIMIT $2 OFFSET $3) AS i ON 1 = 1
    ORDER BY i.joined_at_ms DESC, i.id DESC";

/// Rooms in the database.
#[derive(Debug, Clone)]
pub struct RoomRows {
    store: Store,
}

impl RoomRows {
    /// The rooms in `store`.
    pub fn new(store: Store) -> Self {
        RoomRows { store }
    }

    pub(super) async fn states(&self, ids: &[i64]) -> Result<HashMap<i64, RoomState>, StorageError> {
        let mut connection = self.store.pool().acquire().await?;
        states(&mut connection, ids).await
    }

    pub(super) async fn by_name(&self, name: &str) -> Result<Option<i64>, StorageError> {
        let id = sqlx::query_scalar(BY_NAME).bind(name).fetch_optional(self.store.pool());
        Ok(id.await?)
    }

    /// The rooms in which most users sit.
    pub(super) async fn popular(&self, limit: u32) -> Result<Vec<i64>, StorageError> {
        let ids = sqlx::query_scalar(POPULAR).bind(i64::from(limit)).fetch_all(self.store.pool());
        Ok(ids.await?)
    }

    /// `None` if there is no such room: one that exists has its owner in it.
    pub(super) async fn players(&self, room: i64) -> Result<Option<PlayerList>, StorageError> {
        let mut connection = self.store.pool().acquire().await?;
        let items = players(&mut connection, &[room]).await?.remove(&room);
        Ok(items.map(|items| PlayerList { total: items.len(), items }))
    }

    pub(super) async fn of_user(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<OwnRoomPage, StorageError> {
        let rows = sqlx::query(OF_USER)
            .bind(user.0)
            .bind(i64::from(page.limit))
            .bind(page.skipped())
            .fetch_all(self.store.pool())
            .await?;
        let total = rows.first().map(|row| row.try_get::<i64, _>("total")).transpose()?;
        let total = total.unwrap_or(0).unsigned_abs();
        // An empty page is one row without an id.
        let on_page =
            rows.iter().filter(|row| !matches!(row.try_get::<Option<i64>, _>("id"), Ok(None)));
        let items = on_page.map(own_room).collect::<Result<_, _>>()?;
        let Page { number, limit } = page;
        Ok(OwnRoomPage { items, total, page: number, limit, pages: total.div_ceil(limit.into()) })
    }
}

/// Those of these rooms that exist. A change between the statements names each room whose parts
/// would not fit together, so what is made of them is not kept.
pub(super) async fn states(
    connection: &mut AnyConnection,
    ids: &[i64],
) -> Result<HashMap<i64, RoomState>, StorageError> {
    let rows = select(connection, "SELECT * FROM rooms WHERE id IN ", "", ids).await?;
    let mut players = players(connection, ids).await?;
    let pieces = "SELECT * FROM board_assets WHERE room_id IN ";
    let pieces = select(connection, pieces, " ORDER BY stack, id", ids).await?;
    let mut pieces = by_room(&pieces, board_asset)?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        let mut room = room(row)?;
        room.players = players.remove(&room.id).unwrap_or_default();
        room.board_assets = pieces.remove(&room.id).unwrap_or_default();
        found.insert(room.id, room);
    }
    Ok(found)
}

/// Everybody who sits in a room.
pub(super) async fn members(
    connection: &mut AnyConnection,
    room: i64,
) -> Result<Vec<UserId>, StorageError> {
    let ids: Vec<i64> = sqlx::query_scalar(MEMBERS).bind(room).fetch_all(connection).await?;
    Ok(ids.into_iter().map(UserId).collect())
}

async fn players(
    connection: &mut AnyConnection,
    rooms: &[i64],
) -> Result<HashMap<i64, Vec<RoomPlayer>>, StorageError> {
    let select_from = "
        SELECT p.room_id, p.user_id, u.name, p.seat, p.online, p.score, p.joined_at_ms
        FROM room_players p JOIN users u ON u.id = p.user_id WHERE p.room_id IN ";
    let ordered = " ORDER BY p.joined_at_ms, p.user_id";
    let rows = select(connection, select_from, ordered, rooms).await?;
    Ok(by_room(&rows, player)?)
}

/// The rows of a statement that ends with a list of ids, and then its order.
async fn select(
    connection: &mut AnyConnection,
    select_in: &str,
    ordered: &str,
    ids: &[i64],
) -> Result<Vec<AnyRow>, StorageError> {
    let sql = AssertSqlSafe(format!("{select_in}{}{ordered}", placeholders(1, ids.len())));
    let statement = ids.iter().fold(sqlx::query(sql), |statement, id| statement.bind(*id));
    Ok(statement.fetch_all(connection).await?)
}

fn by_room<T>(
    rows: &[AnyRow],
    part: fn(&AnyRow) -> Result<T, sqlx::Error>,
) -> Result<HashMap<i64, Vec<T>>, sqlx::Error> {
    let mut found: HashMap<i64, Vec<T>> = HashMap::new();
    for row in rows {
        found.entry(row.try_get("room_id")?).or_default().push(part(row)?);
    }
    Ok(found)
}

fn room(row: &AnyRow) -> Result<RoomState, sqlx::Error> {
    Ok(RoomState {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        owner_id: row.try_get("owner_id")?,
        active: row.try_get::<i64, _>("active")? != 0,
        players_max: row.try_get("players_max")?,
        system_id: row.try_get("system_id")?,
        board: from_json(row, "board")?,
        game_state: from_json(row, "game_state")?,
        players: Vec::new(),
        board_assets: Vec::new(),
        version: row.try_get("version")?,
        created_at_ms: row.try_get("created_at_ms")?,
        changed_at_ms: row.try_get("changed_at_ms")?,
    })
}

fn player(row: &AnyRow) -> Result<RoomPlayer, sqlx::Error> {
    Ok(RoomPlayer {
        user_id: row.try_get("user_id")?,
        name: row.try_get("name")?,
        role: word(row, "seat", Seat::ALL)?,
        online: row.try_get::<i64, _>("online")? != 0,
        score: row.try_get("score")?,
        joined_at_ms: row.try_get("joined_at_ms")?,
    })
}

fn board_asset(row: &AnyRow) -> Result<BoardAsset, sqlx::Error> {
    Ok(BoardAsset {
        id: row.try_get("id")?,
        asset_id: row.try_get("asset_id")?,
        owner_id: row.try_get("owner_id")?,
        x: row.try_get("x")?,
        y: row.try_get("y")?,
        rotation: row.try_get("rotation")?,
        scale: row.try_get("scale")?,
        order: row.try_get("stack")?,
        visibility: word(row, "visibility", Visibility::ALL)?,
        locked: row.try_get::<i64, _>("locked")? != 0,
        flipped: row.try_get::<i64, _>("flipped")? != 0,
    })
}

fn own_room(row: &AnyRow) -> Result<OwnRoom, sqlx::Error> {
    Ok(OwnRoom {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        owner_id: row.try_get("owner_id")?,
        active: row.try_get::<i64, _>("active")? != 0,
        role: word(row, "seat", Seat::ALL)?,
        joined_at_ms: row.try_get("joined_at_ms")?,
    })
}
