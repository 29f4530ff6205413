//! The promises of the tabletop: rooms, the seats in them, boards, assets, game systems.

mod assets;
mod batch;
mod board;
mod input;
#[cfg(unix)]
mod lifetimes;
mod rooms;
mod seats;
mod systems;
