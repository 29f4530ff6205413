//! The shared tier of [`larder`] on Redis: values, leases and the invalidation log, so that many
//! processes load each key once and never serve what one of them invalidated.
//!
//! ```no_run
//! use std::time::Duration;
//! use larder::Larder;
//! use larder_redis::{Redis, RedisOptions, Topology};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let options = RedisOptions::new(Topology::single("127.0.0.1", 6379));
//! let redis = Redis::open("shop", options)?;
//! let larder = Larder::builder("shop").shards(redis.shards()).build()?;
//! // The node works at once, also while the server cannot be reached.
//! let is_there = tokio::time::timeout(Duration::from_secs(2), redis.connected()).await.is_ok();
//! # let _ = (larder, is_there); Ok(()) }
//! ```
//!
//! Redis 6.2 and later, and Valkey. What is stored may be evicted, lost or restored from a file at
//! any time: that costs loads, never a stale answer (`docs/protocol.md`).

mod address;
mod answer;
mod error;
mod fault;
mod inspect;
pub mod journal;
mod keyspace;
mod names;
mod options;
mod redis_tier;
mod rights;
mod scripts;
mod server;
mod shard;
mod topology;
mod url;
mod wire;

pub use address::{Address, CLUSTER_SHARDS, Credentials, Tls, Topology};
pub use error::{InvalidUrl, Mistake, OpenError};
pub use inspect::{CommandFigures, ServerReport};
pub use keyspace::KeyCount;
pub use options::{RECORDS_MAX, RedisOptions};
pub use redis_tier::{Redis, RedisHealth};
pub use rights::MissingRight;
pub use server::ServerHealth;
pub use server::breaker::{BreakerOptions, BreakerState};
