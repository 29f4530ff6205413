//! The SQL of rooms: what is written of the rooms themselves. The caller holds their lock.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::RoomState;
use crate::domains::rooms::input::{BoardChange, RoomChange};
use crate::storage::{StorageError, as_json, placeholders};

const CHANGE: &str = "
    UPDATE rooms SET
        name = COALESCE($2, name), active = COALESCE($3, active),
        players_max = COALESCE($4, players_max)
    WHERE id = $1";

const CHANGE_BOARD: &str = "
    UPDATE rooms SET board = COALESCE($2, board), game_state = COALESCE($3, game_state)
    WHERE id = $1";

const CLEAR: &str = "DELETE FROM board_assets WHERE room_id = $1";

const REMOVE: &str = "DELETE FROM rooms WHERE id = $1";

/// Writes rooms, without those who sit in them, with one statement.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    rooms: &[RoomState],
) -> Result<(), StorageError> {
    let sql = format!(
        "INSERT INTO rooms (id, name, owner_id, active, players_max, system_id, board, game_state, \
         version, created_at_ms, changed_at_ms) VALUES {}",
        placeholders(rooms.len(), 11)
    );
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for room in rooms {
        statement = statement
            .bind(room.id)
            .bind(room.name.as_str())
            .bind(room.owner_id)
            .bind(i64::from(room.active))
            .bind(room.players_max)
            .bind(room.system_id)
            .bind(as_json(&room.board)?)
            .bind(as_json(&room.game_state)?)
            .bind(room.version)
            .bind(room.created_at_ms)
            .bind(room.changed_at_ms);
    }
    statement.execute(connection).await?;
    Ok(())
}

pub(in crate::domains::rooms) async fn change(
    connection: &mut AnyConnection,
    room: i64,
    change: &RoomChange,
) -> Result<(), StorageError> {
    sqlx::query(CHANGE)
        .bind(room)
        .bind(change.name.as_deref())
        .bind(change.active.map(i64::from))
        .bind(change.players_max)
        .execute(connection)
        .await?;
    Ok(())
}

pub(in crate::domains::rooms) async fn change_board(
    connection: &mut AnyConnection,
    room: i64,
    change: &BoardChange,
) -> Result<(), StorageError> {
    sqlx::query(CHANGE_BOARD)
        .bind(room)
        .bind(change.board.as_ref().map(as_json).transpose()?)
        .bind(change.game_state.as_ref().map(as_json).transpose()?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a room with all that is in it. The board is cleared first: what lies on one cannot go.
pub(in crate::domains::rooms) async fn remove(
    connection: &mut AnyConnection,
    room: i64,
) -> Result<(), StorageError> {
    sqlx::query(CLEAR).bind(room).execute(&mut *connection).await?;
    sqlx::query(REMOVE).bind(room).execute(connection).await?;
    Ok(())
}
