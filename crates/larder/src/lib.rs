//! A multi-tier cache whose entries cannot be served after they were invalidated.

// The derive macros name `::larder`, also where this crate uses them itself.
extern crate self as larder;

pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod entry;
pub mod key;
pub mod random;
pub mod record;
pub mod shard;
pub(crate) mod sync;
pub mod tasks;

pub use entry::Entry;
pub use key::Key;
