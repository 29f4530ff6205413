//! Decides what callers may ask of a room, and within which limits.

use std::ops::RangeInclusive;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use serde_json::{Value, json};

use super::model::{BoardAsset, Visibility};
use crate::auth::UserId;
use crate::http::{
    ApiError, Asked, Described, Detail, Fields, Format, Given, Input, LIMIT_MAX, Takes, choice, flag,
    id, ids, integer, line, object,
};
use crate::tabletop::{Board, Seat, board};

const NAME_CHARS: RangeInclusive<usize> = 3..=60;
const PLAYERS: RangeInclusive<i64> = 1..=32;
const PLAYERS_DEFAULT: i64 = 8;
const GAME_STATE_BYTES_MAX: usize = 48 << 10;
const SCORE: RangeInclusive<i64> = -1_000_000_000..=1_000_000_000;
const PLACE: RangeInclusive<i64> = -20_000..=20_000;
const ROTATION: RangeInclusive<i64> = 0..=359;
const SCALE: RangeInclusive<i64> = 10..=1_000;
const SCALE_DEFAULT: i64 = 100;
const ORDER: RangeInclusive<i64> = -10_000..=10_000;

/// The name of a room: one that is a number would be that of another room.
#[derive(Debug, Clone, Copy)]
struct RoomName;

impl Format for RoomName {
    type Value = String;

    fn read(&self, given: Given<'_>) -> Option<String> {
        let name = line(NAME_CHARS).read(given)?;
        name.chars().any(|char| !char.is_ascii_digit()).then_some(name)
    }

    fn demand(&self) -> &'static str {
        "be one line of text without spaces around it, and no number"
    }

    fn limit(&self) -> String {
        line(NAME_CHARS).limit()
    }

    fn schema(&self) -> Value {
        let mut schema = line(NAME_CHARS).schema();
        schema["pattern"] = "[^0-9]".into();
        schema
    }
}

/// What the path calls it.
const PARAMETER: &str = "id";

/// How a path names a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RoomPath {
    /// By its number.
    Id(i64),
    /// By its name.
    Name(String),
}

impl<S: Send + Sync> FromRequestParts<S> for RoomPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let raw = RawPathParams::from_request_parts(parts, state).await;
        let given = raw.ok().and_then(|raw| raw.iter().next().map(|(_, text)| text.to_owned()));
        let given = given.as_deref().map(Given::Query);
        let number = given.and_then(|given| id().read(given)).map(RoomPath::Id);
        let named = || given.and_then(|given| RoomName.read(given)).map(RoomPath::Name);
        number.or_else(named).ok_or_else(|| {
            let message = format!("must {} or {}", id().demand(), RoomName.demand());
            let limit = format!("{} or {}", id().limit(), RoomName.limit());
            ApiError::BadInput(vec![Detail { path: PARAMETER.to_owned(), message, limit }])
        })
    }
}

impl Described for RoomPath {
    fn describe(takes: &mut Takes) {
        let schema = json!({ "oneOf": [id().schema(), RoomName.schema()] });
        takes.path.push(Asked { name: PARAMETER, required: true, schema });
    }
}

/// Which rooms.
#[derive(Debug, Clone)]
pub(super) struct RoomsQuery(pub(super) Vec<i64>);

impl Input for RoomsQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.required("ids", ids(LIMIT_MAX as usize)).map(RoomsQuery)
    }
}

/// What the owner says of a new room.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NewRoom {
    pub(super) name: String,
    pub(super) players_max: i64,
    pub(super) board: Board,
    pub(super) game_state: Value,
}

impl Input for NewRoom {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", RoomName);
        let players_max = fields.or("playersMax", PLAYERS_DEFAULT, integer(PLAYERS));
        let board = fields.optional("board", board());
        let game_state = fields.optional("gameState", object(GAME_STATE_BYTES_MAX));
        Some(NewRoom {
            name: name?,
            players_max: players_max?,
            board: board?.unwrap_or_default(),
            game_state: game_state?.unwrap_or_else(|| Value::Object(Default::default())),
        })
    }
}

/// What an admin of the room changes of it, where it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RoomChange {
    pub(super) name: Option<String>,
    pub(super) active: Option<bool>,
    pub(super) players_max: Option<i64>,
}

impl Input for RoomChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", RoomName);
        let active = fields.optional("active", flag());
        let players_max = fields.optional("playersMax", integer(PLAYERS));
        let change = RoomChange { name: name?, active: active?, players_max: players_max? };
        fields.changing(change)
    }
}

/// What is changed of the board, where it is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct BoardChange {
    pub(super) board: Option<Board>,
    pub(super) game_state: Option<Value>,
    /// The change happens only if the room is still at this version.
    pub(super) version: Option<i64>,
}

impl Input for BoardChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        let board = fields.optional("board", board());
        let game_state = fields.optional("gameState", object(GAME_STATE_BYTES_MAX));
        let version = fields.optional("expectedVersion", id());
        let change = BoardChange { board: board?, game_state: game_state?, version: None };
        let change = fields.changing(change)?;
        Some(BoardChange { version: version?, ..change })
    }
}

/// As what somebody comes in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joining(pub(super) Seat);

impl Input for Joining {
    fn read(fields: &mut Fields) -> Option<Self> {
        const SEATS: &[(&str, Seat)] = &[("player", Seat::Player), ("observer", Seat::Observer)];
        let seat = fields.optional("role", choice(SEATS))?;
        Some(Joining(seat.unwrap_or(Seat::Player)))
    }
}

/// What is changed of somebody in the room, where it is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PlayerChange {
    pub(super) role: Option<Seat>,
    pub(super) score: Option<i64>,
    pub(super) online: Option<bool>,
}

impl Input for PlayerChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        let role = fields.optional("role", choice(Seat::ALL));
        let score = fields.optional("score", integer(SCORE));
        let online = fields.optional("online", flag());
        let change = PlayerChange { role: role?, score: score?, online: online? };
        fields.changing(change)
    }
}

/// An asset that somebody puts on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewBoardAsset {
    asset: i64,
    x: i64,
    y: i64,
    rotation: i64,
    scale: i64,
    order: i64,
    visibility: Visibility,
    pub(super) locked: bool,
    flipped: bool,
}

impl NewBoardAsset {
    pub(super) fn numbered(&self, id: i64, owner: UserId) -> BoardAsset {
        let NewBoardAsset { asset, x, y, rotation, scale, order, visibility, locked, flipped } =
            *self;
        BoardAsset {
            id,
            asset_id: asset,
            owner_id: owner.0,
            x,
            y,
            rotation,
            scale,
            order,
            visibility,
            locked,
            flipped,
        }
    }
}

impl Input for NewBoardAsset {
    fn read(fields: &mut Fields) -> Option<Self> {
        let asset = fields.required("assetId", id());
        let x = fields.required("x", integer(PLACE));
        let y = fields.required("y", integer(PLACE));
        let rotation = fields.or("rotation", 0, integer(ROTATION));
        let scale = fields.or("scale", SCALE_DEFAULT, integer(SCALE));
        let order = fields.or("order", 0, integer(ORDER));
        let visibility = fields.optional("visibility", choice(Visibility::ALL));
        let locked = fields.or("locked", false, flag());
        let flipped = fields.or("flipped", false, flag());
        Some(NewBoardAsset {
            asset: asset?,
            x: x?,
            y: y?,
            rotation: rotation?,
            scale: scale?,
            order: order?,
            visibility: visibility?.unwrap_or(Visibility::Everyone),
            locked: locked?,
            flipped: flipped?,
        })
    }
}

/// What is changed of a piece on the board, where it is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct BoardAssetChange {
    pub(super) x: Option<i64>,
    pub(super) y: Option<i64>,
    pub(super) rotation: Option<i64>,
    pub(super) scale: Option<i64>,
    pub(super) order: Option<i64>,
    pub(super) visibility: Option<Visibility>,
    pub(super) locked: Option<bool>,
    pub(super) flipped: Option<bool>,
}

impl Input for BoardAssetChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        let x = fields.optional("x", integer(PLACE));
        let y = fields.optional("y", integer(PLACE));
        let rotation = fields.optional("rotation", integer(ROTATION));
        let scale = fields.optional("scale", integer(SCALE));
        let order = fields.optional("order", integer(ORDER));
        let visibility = fields.optional("visibility", choice(Visibility::ALL));
        let locked = fields.optional("locked", flag());
        let flipped = fields.optional("flipped", flag());
        let change = BoardAssetChange {
            x: x?,
            y: y?,
            rotation: rotation?,
            scale: scale?,
            order: order?,
            visibility: visibility?,
            locked: locked?,
            flipped: flipped?,
        };
        fields.changing(change)
    }
}
