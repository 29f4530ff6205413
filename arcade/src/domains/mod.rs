//! The domains. None may import another.

pub mod notifications;
