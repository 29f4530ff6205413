//! What the benchmarks share: rounds that interleave, keys and the value, the races, and Larder
//! as they use it. Knows no peer.

pub mod clocks;
pub mod home;
pub mod keys;
pub mod page;
pub mod races;
pub mod rounds;
pub mod verdict;
