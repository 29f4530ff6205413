//! The promises of tournaments: cached, never old, never more players than places, no money lost.

#[path = "../support/mod.rs"]
mod support;

mod input;
mod lifecycle;
mod matches;
mod reads;
mod registration;
