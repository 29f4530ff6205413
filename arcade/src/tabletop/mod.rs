//! What the domains of the tabletop share: boards, seats, and the caches and tags by which a change in one
//! drops what another has cached. Knows none of them.

mod board;
mod fault;
mod plans;
mod seats;
mod words;

use larder::Tag;

pub use board::{Board, BoardFormat, Grid, board};
pub use fault::{Fault, attempted};
pub use plans::{ABSENT, ASSET_META, ROOM_ASSETS, ROOM_STATE};
pub use seats::{LockedRoom, Seat, seat_of, taken_seat};
pub(crate) use words::{word, words};

/// What the cached state of a room carries.
pub fn room_tag(room: i64) -> Tag {
    Tag::new(format!("room-{room}"))
}

/// What a cached asset of a room carries, and every list of them.
pub fn room_assets_tag(room: i64) -> Tag {
    Tag::new(format!("assets-of-room-{room}"))
}

/// The same of a game system or template.
pub fn system_assets_tag(system: i64) -> Tag {
    Tag::new(format!("assets-of-system-{system}"))
}
