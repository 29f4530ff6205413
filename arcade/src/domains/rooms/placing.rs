//! Decides who may put what on a board, move it and take it away.

use super::changes::Rooms;
use super::input::{BoardAssetChange, NewBoardAsset};
use super::model::{BoardAsset, Visibility};
use super::rows::pieces;
use crate::auth::CurrentUser;
use crate::http::ApiError;
use crate::storage::{StorageError, new_id};
use crate::tabletop::{Fault, LockedRoom, Seat, attempted};
use crate::wall;
use crate::writes::Change;

/// How much lies on a board at most: all of it is one entry of the cache.
const PIECES_MAX: i64 = 500;

impl Rooms {
    /// Puts an asset on the board.
    pub(super) async fn place(
        &self,
        room: i64,
        user: CurrentUser,
        new: NewBoardAsset,
    ) -> Result<BoardAsset, ApiError> {
        let Rooms { caches, writes } = self.clone();
        let piece = new.numbered(new_id(), user.id);
        let placed = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let entered = LockedRoom::entered(&mut change, room, user, wall::now_ms()).await?;
                let (_, seat) = entered;
                seat.must_play()?;
                if new.locked {
                    seat.must_lead()?;
                }
                if !pieces::is_usable(&mut change, piece.asset_id, room, user.id).await? {
                    return Err(ApiError::NotFound("asset").into());
                }
                if pieces::count(&mut change, room).await? >= PIECES_MAX {
                    return Err(ApiError::Conflict("the board is full").into());
                }
                pieces::insert(&mut change, &[(room, &piece)]).await.map_err(unplaced)?;
                change.drops(caches.board_changed(room));
                change.commit().await?;
                Ok(piece.clone())
            })
            .await
        };
        self.writes.to_its_end(placed).await
    }

    /// Changes a piece on the board.
    pub(super) async fn change_piece(
        &self,
        room: i64,
        user: CurrentUser,
        piece: i64,
        wish: BoardAssetChange,
    ) -> Result<BoardAsset, ApiError> {
        let Rooms { caches, writes } = self.clone();
        let changed = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let seat = movable(&mut change, room, user, piece).await?;
                if wish.locked.is_some() {
                    seat.must_lead()?;
                }
                let piece = pieces::change(&mut change, room, piece, wish).await?;
                change.drops(caches.board_changed(room));
                change.commit().await?;
                Ok(piece)
            })
            .await
        };
        self.writes.to_its_end(changed).await
    }

    /// Takes a piece off the board.
    pub(super) async fn take_away(
        &self,
        room: i64,
        user: CurrentUser,
        piece: i64,
    ) -> Result<(), ApiError> {
        let Rooms { caches, writes } = self.clone();
        let removed = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                movable(&mut change, room, user, piece).await?;
                pieces::remove(&mut change, room, piece).await?;
                change.drops(caches.board_changed(room));
                change.commit().await?;
                Ok(())
            })
            .await
        };
        self.writes.to_its_end(removed).await
    }
}

/// The seat of a user who may move this piece: those who lead the game may move every one, others
/// what they put there themselves, unless it is locked.
async fn movable(
    change: &mut Change,
    room: i64,
    user: CurrentUser,
    piece: i64,
) -> Result<Seat, Fault> {
    let (_, seat) = LockedRoom::entered(change, room, user, wall::now_ms()).await?;
    let found = pieces::find(change, room, piece).await?;
    let found = found.ok_or(ApiError::NotFound("board asset"))?;
    if seat.leads() {
        return Ok(seat);
    }
    let is_own = found.owner_id == user.id.0;
    match found.visibility {
        // Whoever cannot see it must not learn that it is there.
        Visibility::Gm => return Err(ApiError::NotFound("board asset").into()),
        Visibility::Owner if !is_own => return Err(ApiError::NotFound("board asset").into()),
        Visibility::Owner | Visibility::Everyone => {}
    }
    seat.must_play()?;
    if !is_own {
        return Err(ApiError::NotAllowed("only who put it there moves it").into());
    }
    if found.locked {
        return Err(ApiError::NotAllowed("the piece is locked").into());
    }
    Ok(seat)
}

/// An asset may be deleted, and an admin may be nobody, between the look and the write.
fn unplaced(fault: StorageError) -> Fault {
    match fault.is_dangling() {
        true => ApiError::NotFound("asset or user").into(),
        false => fault.into(),
    }
}
