//! Sessions: which are open, of whom, and since when nobody has asked in them. Knows the tables
//! `sessions` and `refresh_tokens`; knows no route.

mod activity;
mod behind;
mod cache;
mod families;
mod figures;
mod model;
mod open;
mod rows;
mod sweep;

pub use cache::{ACTIVITY, OF_USER, SESSIONS, user_tag};
pub use families::Lifetime;
pub use figures::ActivityFigures;
pub use model::{OwnSession, OwnSessionShown, OwnSessions, Session, SessionShown};
pub use open::{Sessions, SessionsError};
pub use sweep::Sweeping;
