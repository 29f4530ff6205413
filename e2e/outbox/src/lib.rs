//! What a change may leave behind when its writer dies: a witness holds a price in its memory, a
//! writer changes it and dies at a named [`Point`], and its heirs look at the outbox. The writer is
//! a process of its own, `outbox-writer`.

mod node;
mod place;
mod point;

pub use node::Node;
pub use place::Place;
pub use point::{NoSuchPoint, Point};

/// The price that everything is about.
pub const PRICE: u64 = 7;

/// What it costs before a change.
pub const OLD: i64 = 1;

/// And after.
pub const NEW: i64 = 2;
