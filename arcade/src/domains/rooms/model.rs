//! What rooms look like in an answer and in the cache, and who of a room sees what.

use larder::Entry;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::auth::{CurrentUser, Role};
use crate::tabletop::{Board, Seat, words};

words! {
    /// Who sees a piece on the board, besides those who lead the game.
    Visibility {
        /// Everybody.
        Everyone = "everyone",
        /// Whoever put it there.
        Owner = "owner",
        /// Nobody.
        Gm = "gm",
    }
}

/// Somebody who sits in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct RoomPlayer {
    /// The user's number.
    pub user_id: i64,
    /// What others call the user.
    pub name: String,
    /// What the user may do here.
    pub role: Seat,
    /// Whether the user says to be there.
    pub online: bool,
    /// The points that the user has.
    pub score: i64,
    /// Since when, in milliseconds since 1970 UTC.
    pub joined_at_ms: i64,
}

/// An asset as it lies on a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct BoardAsset {
    /// Its number.
    pub id: i64,
    /// Which asset.
    pub asset_id: i64,
    /// Who put it there.
    pub owner_id: i64,
    /// From the left, in pixels.
    pub x: i64,
    /// From the top, in pixels.
    pub y: i64,
    /// In degrees, clockwise.
    pub rotation: i64,
    /// In percent.
    pub scale: i64,
    /// What has a higher number lies above.
    pub order: i64,
    /// Who sees it.
    pub visibility: Visibility,
    /// Whether only those who lead the game may move it.
    pub locked: bool,
    /// Whether it shows its back.
    pub flipped: bool,
}

/// Everything about a room, for nobody's eyes in particular.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct RoomState {
    /// Its number.
    pub id: i64,
    /// What it is called; no other room is.
    pub name: String,
    /// Whose it is.
    pub owner_id: i64,
    /// Whether it takes players.
    pub active: bool,
    /// How many may play; observers are not counted.
    pub players_max: i64,
    /// The game system or template that it was set up with last.
    pub system_id: Option<i64>,
    /// What the pieces lie on.
    pub board: Board,
    /// What only the clients understand.
    pub game_state: Value,
    /// Those who sit in it, in the order in which they came.
    pub players: Vec<RoomPlayer>,
    /// What lies on the board, lowest first.
    pub board_assets: Vec<BoardAsset>,
    /// How often it was changed.
    pub version: i64,
    /// Since when it is there, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
    /// When it was changed last, in milliseconds since 1970 UTC.
    pub changed_at_ms: i64,
}

impl RoomState {
    /// What `viewer` is here.
    pub(super) fn seat_of(&self, viewer: CurrentUser) -> Option<Seat> {
        let sits = |player: &&RoomPlayer| player.user_id == viewer.id.0;
        match viewer.role {
            Role::Admin => Some(Seat::Admin),
            Role::Player => self.players.iter().find(sits).map(|player| player.role),
        }
    }

    /// The pieces that `viewer` sees.
    pub(super) fn shown_to(&self, viewer: CurrentUser) -> Vec<BoardAsset> {
        let leads = self.seat_of(viewer).is_some_and(Seat::leads);
        let shown = |piece: &&BoardAsset| match piece.visibility {
            Visibility::Everyone => true,
            Visibility::Owner => leads || piece.owner_id == viewer.id.0,
            Visibility::Gm => leads,
        };
        self.board_assets.iter().filter(shown).cloned().collect()
    }
}

/// A room, as one user sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomView {
    /// Its number.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub owner_id: i64,
    /// Whether it takes players.
    pub active: bool,
    /// How many may play.
    pub players_max: i64,
    /// The game system or template that it was set up with last.
    pub system_id: Option<i64>,
    /// What you are here; `null` where you do not sit in it.
    pub your_role: Option<Seat>,
    /// What the pieces lie on.
    pub board: Board,
    /// What only the clients understand.
    pub game_state: Value,
    /// Those who sit in it.
    pub players: Vec<RoomPlayer>,
    /// What you see on the board.
    pub board_assets: Vec<BoardAsset>,
    /// How often it was changed.
    pub version: i64,
    /// Since when it is there, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
    /// When it was changed last, in milliseconds since 1970 UTC.
    pub changed_at_ms: i64,
}

impl RoomView {
    pub(super) fn of(room: &RoomState, viewer: CurrentUser) -> Self {
        RoomView {
            id: room.id,
            name: room.name.clone(),
            owner_id: room.owner_id,
            active: room.active,
            players_max: room.players_max,
            system_id: room.system_id,
            your_role: room.seat_of(viewer),
            board: room.board.clone(),
            game_state: room.game_state.clone(),
            players: room.players.clone(),
            board_assets: room.shown_to(viewer),
            version: room.version,
            created_at_ms: room.created_at_ms,
            changed_at_ms: room.changed_at_ms,
        }
    }
}

/// A room in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomCard {
    /// Its number.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub owner_id: i64,
    /// Whether it takes players.
    pub active: bool,
    /// How many play.
    pub players: usize,
    /// How many may.
    pub players_max: i64,
    /// The game system or template that it was set up with last.
    pub system_id: Option<i64>,
    /// How often it was changed.
    pub version: i64,
}

impl RoomCard {
    pub(super) fn of(room: &RoomState) -> Self {
        RoomCard {
            id: room.id,
            name: room.name.clone(),
            owner_id: room.owner_id,
            active: room.active,
            players: room.players.iter().filter(|player| player.role.plays()).count(),
            players_max: room.players_max,
            system_id: room.system_id,
            version: room.version,
        }
    }
}

/// Rooms that were asked for by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoomCards {
    /// Those that exist, in the order of the question.
    pub items: Vec<RoomCard>,
    /// The numbers of those that do not.
    pub missing: Vec<i64>,
}

/// Those who sit in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct PlayerList {
    /// They, in the order in which they came.
    pub items: Vec<RoomPlayer>,
    /// How many.
    pub total: usize,
}

/// What you see on a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BoardAssetList {
    /// The pieces, lowest first.
    pub items: Vec<BoardAsset>,
    /// How many.
    pub total: usize,
}

/// A room in the list of somebody who sits in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct OwnRoom {
    /// Its number.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub owner_id: i64,
    /// Whether it takes players.
    pub active: bool,
    /// What the user is in it.
    pub role: Seat,
    /// Since when, in milliseconds since 1970 UTC.
    pub joined_at_ms: i64,
}

/// A page of the rooms that a user sits in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct OwnRoomPage {
    /// The rooms on the page, the one entered last first.
    pub items: Vec<OwnRoom>,
    /// How many there are.
    pub total: u64,
    /// The page's number; the first is 1.
    pub page: u32,
    /// The most rooms on a page.
    pub limit: u32,
    /// How many pages there are.
    pub pages: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::UserId;

    fn piece(id: i64, owner_id: i64, visibility: Visibility) -> BoardAsset {
        BoardAsset {
            id,
            asset_id: 1,
            owner_id,
            x: 0,
            y: 0,
            rotation: 0,
            scale: 100,
            order: 0,
            visibility,
            locked: false,
            flipped: false,
        }
    }

    fn player(user_id: i64, role: Seat) -> RoomPlayer {
        RoomPlayer { user_id, name: String::new(), role, online: false, score: 0, joined_at_ms: 0 }
    }

    #[test]
    fn who_leads_sees_every_piece_and_the_others_what_is_shown_or_their_own() {
        let room = RoomState {
            id: 1,
            name: "Room".to_owned(),
            owner_id: 1,
            active: true,
            players_max: 8,
            system_id: None,
            board: Board::default(),
            game_state: Value::Null,
            players: vec![player(1, Seat::Gm), player(2, Seat::Player), player(3, Seat::Observer)],
            board_assets: vec![
                piece(1, 2, Visibility::Everyone),
                piece(2, 2, Visibility::Owner),
                piece(3, 1, Visibility::Owner),
                piece(4, 2, Visibility::Gm),
            ],
            version: 1,
            created_at_ms: 0,
            changed_at_ms: 0,
        };
        let seen = |id, role| {
            let viewer = CurrentUser { id: UserId(id), role, session: None };
            room.shown_to(viewer).iter().map(|piece| piece.id).collect::<Vec<_>>()
        };
        assert_eq!(seen(1, Role::Player), [1, 2, 3, 4]);
        assert_eq!(seen(2, Role::Player), [1, 2]);
        assert_eq!(seen(3, Role::Player), [1]);
        assert_eq!(seen(4, Role::Player), [1]);
        assert_eq!(seen(9, Role::Admin), [1, 2, 3, 4]);
    }
}
