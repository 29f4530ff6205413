//! Users: who they are and what they own. A password is known here only as its hash.

mod rows;

pub use rows::{NewUser, UserRows};
