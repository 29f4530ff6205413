//! The promises of tournaments: cached, never old, never more players than places, no money lost.

mod input;
mod lifecycle;
mod matches;
mod reads;
mod registration;
