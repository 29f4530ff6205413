//! The SQL of what lies on boards. The caller holds the room's lock.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::{BoardAsset, Visibility, board_asset};
use crate::auth::UserId;
use crate::domains::rooms::input::BoardAssetChange;
use crate::storage::{StorageError, placeholders};

const COUNT: &str = "SELECT COUNT(*) FROM board_assets WHERE room_id = $1";

const PIECE: &str = "SELECT * FROM board_assets WHERE room_id = $1 AND id = $2";

/// What a user may put on the board of a room: what belongs to the room, and what belongs to no
/// room; of either what is public or their own.
const USABLE: &str = "
    SELECT COUNT(*) FROM assets
    WHERE id = $1 AND (room_id IS NULL OR room_id = $2) AND (public = 1 OR uploader_id = $3)";

const CHANGE: &str = "
    UPDATE board_assets SET
        x = COALESCE($3, x), y = COALESCE($4, y), rotation = COALESCE($5, rotation),
        scale = COALESCE($6, scale), stack = COALESCE($7, stack),
        visibility = COALESCE($8, visibility), locked = COALESCE($9, locked),
        flipped = COALESCE($10, flipped)
    WHERE room_id = $1 AND id = $2
    RETURNING *";

const REMOVE: &str = "DELETE FROM board_assets WHERE room_id = $1 AND id = $2";

/// Writes what lies on boards with one statement.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    pieces: &[(i64, &BoardAsset)],
) -> Result<(), StorageError> {
    let sql = format!(
        "INSERT INTO board_assets (id, room_id, asset_id, owner_id, x, y, rotation, scale, stack, \
         visibility, locked, flipped) VALUES {}",
        placeholders(pieces.len(), 12)
    );
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for (room, piece) in pieces {
        statement = statement
            .bind(piece.id)
            .bind(*room)
            .bind(piece.asset_id)
            .bind(piece.owner_id)
            .bind(piece.x)
            .bind(piece.y)
            .bind(piece.rotation)
            .bind(piece.scale)
            .bind(piece.order)
            .bind(piece.visibility.name())
            .bind(i64::from(piece.locked))
            .bind(i64::from(piece.flipped));
    }
    statement.execute(connection).await?;
    Ok(())
}

pub(in crate::domains::rooms) async fn count(
    connection: &mut AnyConnection,
    room: i64,
) -> Result<i64, StorageError> {
    Ok(sqlx::query_scalar(COUNT).bind(room).fetch_one(connection).await?)
}

/// Whether `user` may put this asset on the board of this room.
pub(in crate::domains::rooms) async fn is_usable(
    connection: &mut AnyConnection,
    asset: i64,
    room: i64,
    user: UserId,
) -> Result<bool, StorageError> {
    let usable: i64 =
        sqlx::query_scalar(USABLE).bind(asset).bind(room).bind(user.0).fetch_one(connection).await?;
    Ok(usable > 0)
}

pub(in crate::domains::rooms) async fn find(
    connection: &mut AnyConnection,
    room: i64,
    piece: i64,
) -> Result<Option<BoardAsset>, StorageError> {
    let row = sqlx::query(PIECE).bind(room).bind(piece).fetch_optional(connection).await?;
    Ok(row.as_ref().map(board_asset).transpose()?)
}

pub(in crate::domains::rooms) async fn change(
    connection: &mut AnyConnection,
    room: i64,
    piece: i64,
    change: BoardAssetChange,
) -> Result<BoardAsset, StorageError> {
    let row = sqlx::query(CHANGE)
        .bind(room)
        .bind(piece)
        .bind(change.x)
        .bind(change.y)
        .bind(change.rotation)
        .bind(change.scale)
        .bind(change.order)
        .bind(change.visibility.map(Visibility::name))
        .bind(change.locked.map(i64::from))
        .bind(change.flipped.map(i64::from))
        .fetch_one(connection)
        .await?;
    Ok(board_asset(&row)?)
}

pub(in crate::domains::rooms) async fn remove(
    connection: &mut AnyConnection,
    room: i64,
    piece: i64,
) -> Result<(), StorageError> {
    sqlx::query(REMOVE).bind(room).bind(piece).execute(connection).await?;
    Ok(())
}
