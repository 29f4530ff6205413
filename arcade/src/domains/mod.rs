//! The domains. None may import another.

pub mod builds;
pub mod marketplace;
pub mod notifications;
pub mod tournaments;
pub mod users;
