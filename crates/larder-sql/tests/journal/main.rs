//! The journal of write-behind in an SQLite file: what it keeps, and what survives the process.

mod child;
mod crashing;
mod kills;
mod ledger;
mod promises;
