//! Decides what a user may do in a room, and makes the changes of one room wait for each other.

use sqlx::{AnyConnection, Row};

use super::fault::Fault;
use super::words::{word, words};
use crate::auth::{CurrentUser, Role, UserId};
use crate::http::ApiError;
use crate::storage::StorageError;

/// The row's lock makes two changes of a room wait for each other; each counts.
const LOCK: &str = "
    UPDATE rooms SET version = version + 1, changed_at_ms = $2 WHERE id = $1
    RETURNING name, owner_id, active, players_max, version";

const SEAT: &str = "SELECT seat FROM room_players WHERE room_id = $1 AND user_id = $2";

words! {
    /// What a user is in a room. Each may do what the next may do, and more.
    Seat {
        /// Changes the room itself and who may do what in it.
        Admin = "admin",
        /// Leads the game: changes the board and everything on it.
        Gm = "gm",
        /// Plays: puts things on the board and moves them.
        Player = "player",
        /// Looks on.
        Observer = "observer",
    }
}

impl Seat {
    /// Whether it sees and moves everything.
    pub const fn leads(self) -> bool {
        matches!(self, Seat::Admin | Seat::Gm)
    }

    /// Whether it takes one of the places that a room has for players.
    pub const fn plays(self) -> bool {
        !matches!(self, Seat::Observer)
    }

    /// Only an admin of the room goes on.
    ///
    /// # Errors
    /// It is another seat.
    pub const fn must_manage(self) -> Result<(), ApiError> {
        match self {
            Seat::Admin => Ok(()),
            _ => Err(ApiError::NotAllowed("this needs the role admin in the room")),
        }
    }

    /// Only who leads goes on.
    ///
    /// # Errors
    /// It is another seat.
    pub const fn must_lead(self) -> Result<(), ApiError> {
        match self.leads() {
            true => Ok(()),
            false => Err(ApiError::NotAllowed("this needs the role admin or gm in the room")),
        }
    }

    /// Only who plays goes on.
    ///
    /// # Errors
    /// It is an observer's seat.
    pub const fn must_play(self) -> Result<(), ApiError> {
        match self.plays() {
            true => Ok(()),
            false => Err(ApiError::NotAllowed("observers change nothing")),
        }
    }
}

/// A room while it is being changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedRoom {
    /// Its number.
    pub id: i64,
    /// What it is called before the change.
    pub name: String,
    /// Whose it is.
    pub owner: UserId,
    /// Whether it takes players.
    pub active: bool,
    /// How many may play.
    pub players_max: i64,
    /// The number of this change.
    pub version: i64,
}

impl LockedRoom {
    /// Locks a room until the end of the transaction, and counts the change.
    ///
    /// # Errors
    /// There is no such room, or the database refuses.
    pub async fn of(
        connection: &mut AnyConnection,
        id: i64,
        now_ms: i64,
    ) -> Result<LockedRoom, Fault> {
        let row = sqlx::query(LOCK).bind(id).bind(now_ms).fetch_optional(connection).await?;
        let row = row.ok_or(ApiError::NotFound("room"))?;
        Ok(LockedRoom {
            id,
            name: row.try_get("name")?,
            owner: UserId(row.try_get("owner_id")?),
            active: row.try_get::<i64, _>("active")? != 0,
            players_max: row.try_get("players_max")?,
            version: row.try_get("version")?,
        })
    }

    /// The same for a user who sits in it, with their seat.
    ///
    /// # Errors
    /// There is no such room, or it is nothing of this user's, which is the same answer; or the
    /// database refuses.
    pub async fn entered(
        connection: &mut AnyConnection,
        id: i64,
        user: CurrentUser,
        now_ms: i64,
    ) -> Result<(LockedRoom, Seat), Fault> {
        let room = LockedRoom::of(connection, id, now_ms).await?;
        let seat = seat_of(connection, id, user).await?.ok_or(ApiError::NotFound("room"))?;
        Ok((room, seat))
    }
}

/// What a user is in a room; who may see the inside of the server is an admin of every room.
///
/// # Errors
/// The database refuses.
pub async fn seat_of(
    connection: &mut AnyConnection,
    room: i64,
    user: CurrentUser,
) -> Result<Option<Seat>, StorageError> {
    if user.role == Role::Admin {
        return Ok(Some(Seat::Admin));
    }
    taken_seat(connection, room, user.id).await
}

/// The seat that a user has taken, whatever they are elsewhere.
///
/// # Errors
/// The database refuses.
pub async fn taken_seat(
    connection: &mut AnyConnection,
    room: i64,
    user: UserId,
) -> Result<Option<Seat>, StorageError> {
    let row = sqlx::query(SEAT).bind(room).bind(user.0).fetch_optional(connection).await?;
    Ok(row.as_ref().map(|row| word(row, "seat", Seat::ALL)).transpose()?)
}
