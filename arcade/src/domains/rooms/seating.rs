//! Decides who comes into a room, who must go, and who may be what in it.

use super::changes::{Rooms, has_room, seated, unwritten};
use super::input::PlayerChange;
use super::model::RoomPlayer;
use super::rows::{self, players};
use crate::auth::{CurrentUser, UserId};
use crate::http::ApiError;
use crate::storage::StorageError;
use crate::tabletop::{Fault, LockedRoom, Seat, attempted, taken_seat};
use crate::wall;
use crate::writes::Change;

/// How many may look on in a room.
const OBSERVERS_MAX: i64 = 64;

impl Rooms {
    /// Lets a user in, to play or to look on.
    pub(super) async fn join(
        &self,
        room: i64,
        user: CurrentUser,
        seat: Seat,
    ) -> Result<RoomPlayer, ApiError> {
        let Rooms { caches, writes } = self.clone();
        let joined = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let now_ms = wall::now_ms();
                let locked = LockedRoom::of(&mut change, room, now_ms).await?;
                if taken_seat(&mut change, room, user.id).await?.is_some() {
                    return Err(ApiError::Conflict("you are in this room already").into());
                }
                if !locked.active {
                    return Err(ApiError::Conflict("the room takes nobody at the moment").into());
                }
                one_more(&mut change, &locked, seat).await?;
                let seated = seated(user.id, seat, now_ms);
                let seated = [(room, &seated)];
                players::insert(&mut change, &seated).await.map_err(unwritten)?;
                let player = player(&mut change, room, user.id).await?;
                change.drops(caches.seat_changed(room, user.id));
                change.commit().await?;
                Ok(player)
            })
            .await
        };
        self.writes.to_its_end(joined).await
    }

    /// Changes what somebody is in a room: roles are a matter of its admins, points of those who
    /// lead the game, and whether somebody is there of that user.
    pub(super) async fn change_player(
        &self,
        room: i64,
        user: CurrentUser,
        target: UserId,
        wish: PlayerChange,
    ) -> Result<RoomPlayer, ApiError> {
        let Rooms { caches, writes } = self.clone();
        let changed = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let entered = LockedRoom::entered(&mut change, room, user, wall::now_ms()).await?;
                let (locked, seat) = entered;
                let before = taken_seat(&mut change, room, target).await?;
                let before = before.ok_or(ApiError::NotFound("player"))?;
                may_change(seat, user.id == target, wish)?;
                if let Some(role) = wish.role {
                    stays(&locked, target, role == Seat::Admin)?;
                    if role.plays() != before.plays() {
                        one_more(&mut change, &locked, role).await?;
                    }
                }
                players::change(&mut change, room, target, wish).await?;
                let player = player(&mut change, room, target).await?;
                change.drops(match wish.role {
                    Some(_) => caches.seat_changed(room, target),
                    None => caches.player_changed(room),
                });
                change.commit().await?;
                Ok(player)
            })
            .await
        };
        self.writes.to_its_end(changed).await
    }

    /// Takes somebody out of a room: everybody themselves, those who lead the game the others, and
    /// its admins those who lead.
    pub(super) async fn remove_player(
        &self,
        room: i64,
        user: CurrentUser,
        target: UserId,
    ) -> Result<(), ApiError> {
        let Rooms { caches, writes } = self.clone();
        let removed = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let entered = LockedRoom::entered(&mut change, room, user, wall::now_ms()).await?;
                let (locked, seat) = entered;
                let taken = taken_seat(&mut change, room, target).await?;
                let taken = taken.ok_or(ApiError::NotFound("player"))?;
                match (user.id == target, taken.leads()) {
                    (true, _) => {}
                    (false, true) => seat.must_manage()?,
                    (false, false) => seat.must_lead()?,
                }
                stays(&locked, target, false)?;
                players::remove(&mut change, room, target).await?;
                change.drops(caches.seat_changed(room, target));
                change.commit().await?;
                Ok(())
            })
            .await
        };
        self.writes.to_its_end(removed).await
    }
}

fn may_change(seat: Seat, is_self: bool, wish: PlayerChange) -> Result<(), ApiError> {
    if wish.role.is_some() || (wish.online.is_some() && !is_self) {
        seat.must_manage()?;
    }
    if wish.score.is_some() {
        seat.must_lead()?;
    }
    Ok(())
}

/// A room without its owner would have nobody to answer for it.
fn stays(room: &LockedRoom, target: UserId, as_admin: bool) -> Result<(), ApiError> {
    match room.owner == target && !as_admin {
        true => Err(ApiError::Conflict("the owner stays in the room, as its admin")),
        false => Ok(()),
    }
}

/// There is a place for one more of this kind.
async fn one_more(change: &mut Change, room: &LockedRoom, seat: Seat) -> Result<(), Fault> {
    let places = if seat.plays() { room.players_max } else { OBSERVERS_MAX };
    let taken = players::count(change, room.id, seat).await?;
    Ok(has_room(taken < places)?)
}

async fn player(change: &mut Change, room: i64, user: UserId) -> Result<RoomPlayer, Fault> {
    let state = rows::states(change, &[room]).await?.remove(&room);
    let seated = state.into_iter().flat_map(|room| room.players);
    let found = seated.into_iter().find(|player| player.user_id == user.0);
    found.ok_or_else(|| StorageError::from(sqlx::Error::RowNotFound).into())
}
