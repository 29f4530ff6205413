//! The journal of write-behind on a Redis stream, see [`larder::behind`]. Decides which script does
//! which verb, and that a journal has one holder.

mod durability;
mod holding;
mod keys;
mod options;
mod redis_journal;
mod refusal;
mod rights;
mod scripts;
mod taking;
mod verbs;
mod way;

pub use durability::Durability;
pub use options::JournalOptions;
pub use redis_journal::RedisJournal;
