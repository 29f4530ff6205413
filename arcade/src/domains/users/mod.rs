//! Users: who they are, what they own, and in which sessions they ask. A password is known here only
//! until it is hashed.

mod accounts;
mod cache;
mod changes;
mod input;
mod model;
mod routes;
mod rows;

pub use accounts::Users;
pub use cache::UserCaches;
pub use model::{Account, TokenPair};
pub use routes::router;
pub use rows::{NewUser, UserRows};
