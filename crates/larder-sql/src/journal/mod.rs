//! The journal of write-behind in an SQLite file of its own, see [`larder::behind`].

mod lock;
mod sqlite;

pub use sqlite::SqliteJournal;
