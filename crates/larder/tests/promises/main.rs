//! What a caller of the cache is promised, checked from outside: only the public API, a clock that
//! is turned by hand, and sources that do what the test says.

#![cfg(feature = "conformance")]

mod audit;
mod batches;
mod behind;
mod behind_faults;
mod catalogue;
mod ends;
mod flights;
mod freshness;
mod hot_keys;
mod invalidation;
mod memory;
mod policy;
mod refresh;
mod rules;
mod schedules;
mod settings;
mod shared;
mod shared_faults;
mod support;
mod threads;
mod through;
mod through_shared;
mod warming;
mod writes;
