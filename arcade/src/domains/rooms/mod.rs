//! Rooms: where users meet around a board. Everybody who is signed in may look into a room as an
//! observer does; who may change what in it is decided by the seat that they have there.

mod cache;
mod changes;
mod input;
mod model;
mod placing;
mod routes;
mod rows;
mod seating;

pub use cache::RoomCaches;
pub use changes::Rooms;
pub use model::{
    BoardAsset, BoardAssetList, OwnRoom, OwnRoomPage, PlayerList, RoomCard, RoomCards, RoomPlayer,
    RoomState, RoomView, Visibility,
};
pub use routes::router;
pub use rows::RoomRows;
pub(crate) use rows::written::insert as rooms_insert;
pub(crate) use rows::{pieces::insert as pieces_insert, players::insert as seats_insert};
