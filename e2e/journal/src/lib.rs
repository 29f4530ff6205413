//! Writers whose process dies between a write and its source, wherever their journal lies, and what must be
//! true of the source afterwards.

pub mod crashing;
pub mod ledger;
pub mod orders;
