//! The domains. None may import another.

pub mod assets;
pub mod builds;
pub mod marketplace;
pub mod notifications;
pub mod rooms;
pub mod systems;
pub mod tournaments;
pub mod users;
