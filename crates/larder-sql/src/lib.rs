//! What larder keeps in the application's own database: the outbox, whose rows commit with a change
//! and name what it makes wrong, and the journal of write-behind.

pub mod journal;
pub mod outbox;
