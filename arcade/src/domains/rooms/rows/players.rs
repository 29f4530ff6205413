//! The SQL of those who sit in rooms: what is written. The caller holds the room's lock.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::RoomPlayer;
use crate::auth::UserId;
use crate::domains::rooms::input::PlayerChange;
use crate::storage::{StorageError, placeholders};
use crate::tabletop::Seat;

const COUNT_PLAYING: &str =
    "SELECT COUNT(*) FROM room_players WHERE room_id = $1 AND seat <> 'observer'";

const COUNT_OBSERVING: &str =
    "SELECT COUNT(*) FROM room_players WHERE room_id = $1 AND seat = 'observer'";

const CHANGE: &str = "
    UPDATE room_players SET
        seat = COALESCE($3, seat), score = COALESCE($4, score), online = COALESCE($5, online)
    WHERE room_id = $1 AND user_id = $2";

const REMOVE: &str = "DELETE FROM room_players WHERE room_id = $1 AND user_id = $2";

/// Writes who sits in which room with one statement. Names are those of the users.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    seated: &[(i64, &RoomPlayer)],
) -> Result<(), StorageError> {
    let sql = format!(
        "INSERT INTO room_players (room_id, user_id, seat, online, score, joined_at_ms) VALUES {}",
        placeholders(seated.len(), 6)
    );
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for (room, player) in seated {
        statement = statement
            .bind(*room)
            .bind(player.user_id)
            .bind(player.role.name())
            .bind(i64::from(player.online))
            .bind(player.score)
            .bind(player.joined_at_ms);
    }
    statement.execute(connection).await?;
    Ok(())
}

/// How many sit in a room as `seat` does: who plays, or who looks on.
pub(in crate::domains::rooms) async fn count(
    connection: &mut AnyConnection,
    room: i64,
    seat: Seat,
) -> Result<i64, StorageError> {
    let sql = if seat.plays() { COUNT_PLAYING } else { COUNT_OBSERVING };
    Ok(sqlx::query_scalar(sql).bind(room).fetch_one(connection).await?)
}

pub(in crate::domains::rooms) async fn change(
    connection: &mut AnyConnection,
    room: i64,
    user: UserId,
    change: PlayerChange,
) -> Result<(), StorageError> {
    sqlx::query(CHANGE)
        .bind(room)
        .bind(user.0)
        .bind(change.role.map(Seat::name))
        .bind(change.score)
        .bind(change.online.map(i64::from))
        .execute(connection)
        .await?;
    Ok(())
}

pub(in crate::domains::rooms) async fn remove(
    connection: &mut AnyConnection,
    room: i64,
    user: UserId,
) -> Result<(), StorageError> {
    sqlx::query(REMOVE).bind(room).bind(user.0).execute(connection).await?;
    Ok(())
}
