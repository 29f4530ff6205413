//! A multi-tier cache whose entries cannot be served after they were invalidated.

pub mod clock;
pub mod key;
pub mod random;
pub mod record;
pub mod shard;
pub(crate) mod sync;
pub mod tasks;

pub use key::Key;
