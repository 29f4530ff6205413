//! Decides who may change what of a room, and what a change does: first the database, then the
//! cache, and never one without the other.

use std::sync::Arc;

use larder::Rule;
use sqlx::AnyConnection;

use super::cache::RoomCaches;
use super::input::{BoardChange, NewRoom, RoomChange};
use super::model::{RoomPlayer, RoomState, RoomView};
use super::rows::{self, players, written};
use crate::auth::{CurrentUser, Role, UserId};
use crate::bundles::{self, Bundle};
use crate::http::ApiError;
use crate::storage::{StorageError, new_id};
use crate::tabletop::{Fault, LockedRoom, Seat, attempted};
use crate::wall;
use crate::writes::Writes;

/// Rooms: reads through the cache, changes through its verbs. Clones share everything.
///
/// # Cancel safety
/// Once polled, a change and its invalidation run to their end even if the future is dropped: a
/// caller that hangs up between the two must not leave an old entry behind.
#[derive(Debug, Clone)]
pub struct Rooms {
    pub(super) caches: Arc<RoomCaches>,
    pub(super) writes: Writes,
}

impl Rooms {
    /// Every change goes through `writes`.
    pub fn new(caches: RoomCaches, writes: Writes) -> Self {
        Rooms { caches: Arc::new(caches), writes }
    }

    pub(super) fn caches(&self) -> &RoomCaches {
        &self.caches
    }

    /// The rule by which this domain drops a bundle.
    pub fn rule(&self) -> Rule<Bundle> {
        bundles::rule(&self.caches)
    }

    /// Makes a room, in which its owner is an admin.
    pub(super) async fn create(
        &self,
        owner: CurrentUser,
        new: NewRoom,
    ) -> Result<RoomView, ApiError> {
        let Rooms { caches, writes } = self.clone();
        let room = empty_room(owner.id, new);
        let create = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let rooms = std::slice::from_ref(&room);
                written::insert(&mut change, rooms).await.map_err(unwritten)?;
                let seated = seated(owner.id, Seat::Admin, room.created_at_ms);
                players::insert(&mut change, &[(room.id, &seated)]).await?;
                let view = view(&mut change, room.id, owner).await?;
                change.drops(caches.made(room.id, &room.name, owner.id));
                change.commit().await?;
                Ok(view)
            })
            .await
        };
        self.writes.to_its_end(create).await
    }

    /// Changes the room itself: a matter of its admins.
    pub(super) async fn change(
        &self,
        room: i64,
        user: CurrentUser,
        wish: RoomChange,
    ) -> Result<RoomView, ApiError> {
        let Rooms { caches, writes } = self.clone();
        let changed = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let entered = LockedRoom::entered(&mut change, room, user, wall::now_ms()).await?;
                let (before, seat) = entered;
                seat.must_manage()?;
                if let Some(players_max) = wish.players_max {
                    let playing = players::count(&mut change, room, Seat::Player).await?;
                    has_room(playing <= players_max)?;
                }
                written::change(&mut change, room, &wish).await.map_err(unwritten)?;
                let view = view(&mut change, room, user).await?;
                let members = rows::members(&mut change, room).await?;
                change.drops(if view.name != before.name {
                    caches.renamed(room, [&before.name, &view.name], &members)
                } else if view.active != before.active {
                    caches.listed(room, &members)
                } else {
                    caches.board_changed(room)
                });
                change.commit().await?;
                Ok(view)
            })
            .await
        };
        self.writes.to_its_end(changed).await
    }

    /// Changes the board or the state of the game: a matter of those who lead it.
    pub(super) async fn change_board(
        &self,
        room: i64,
        user: CurrentUser,
        wish: BoardChange,
    ) -> Result<RoomView, ApiError> {
        let Rooms { caches, writes } = self.clone();
        let changed = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let entered = LockedRoom::entered(&mut change, room, user, wall::now_ms()).await?;
                let (locked, seat) = entered;
                seat.must_lead()?;
                // The lock has counted this change already.
                if wish.version.is_some_and(|expected| expected != locked.version - 1) {
                    return Err(ApiError::Conflict("the room has changed meanwhile").into());
                }
                written::change_board(&mut change, room, &wish).await?;
                let view = view(&mut change, room, user).await?;
                change.drops(caches.board_changed(room));
                change.commit().await?;
                Ok(view)
            })
            .await
        };
        self.writes.to_its_end(changed).await
    }

    /// Removes a room with all that is in it: a matter of its owner.
    pub(super) async fn remove(&self, room: i64, user: CurrentUser) -> Result<(), ApiError> {
        let Rooms { caches, writes } = self.clone();
        let removed = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let entered = LockedRoom::entered(&mut change, room, user, wall::now_ms()).await?;
                let (locked, _) = entered;
                if user.role != Role::Admin && user.id != locked.owner {
                    return Err(ApiError::NotAllowed("only its owner removes a room").into());
                }
                let members = rows::members(&mut change, room).await?;
                written::remove(&mut change, room).await?;
                change.drops(caches.removed(room, &locked.name, &members));
                change.commit().await?;
                Ok(())
            })
            .await
        };
        self.writes.to_its_end(removed).await
    }
}

fn empty_room(owner: UserId, new: NewRoom) -> RoomState {
    let NewRoom { name, players_max, board, game_state } = new;
    let now_ms = wall::now_ms();
    RoomState {
        id: new_id(),
        name,
        owner_id: owner.0,
        active: true,
        players_max,
        system_id: None,
        board,
        game_state,
        players: Vec::new(),
        board_assets: Vec::new(),
        version: 1,
        created_at_ms: now_ms,
        changed_at_ms: now_ms,
    }
}

/// Somebody who has just sat down. The name is that of the user, wherever it is read.
pub(super) fn seated(user: UserId, role: Seat, joined_at_ms: i64) -> RoomPlayer {
    RoomPlayer { user_id: user.0, name: String::new(), role, online: false, score: 0, joined_at_ms }
}

/// The room as the transaction sees it.
async fn view(
    connection: &mut AnyConnection,
    room: i64,
    user: CurrentUser,
) -> Result<RoomView, Fault> {
    let state = rows::states(connection, &[room]).await?.remove(&room);
    Ok(RoomView::of(&state.ok_or(ApiError::NotFound("room"))?, user))
}

/// Fewer places than players would leave somebody without one.
pub(super) fn has_room(fits: bool) -> Result<(), ApiError> {
    match fits {
        true => Ok(()),
        false => Err(ApiError::Conflict("the room is full")),
    }
}

/// Why a room, or somebody in it, could not be written.
pub(super) fn unwritten(fault: StorageError) -> Fault {
    if fault.is_duplicate() {
        return ApiError::Conflict("this name has a room already").into();
    }
    // A good token outlives its user.
    if fault.is_dangling() {
        return ApiError::NotFound("user").into();
    }
    fault.into()
}
