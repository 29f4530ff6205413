//! Real servers for tests and benchmarks. Each listens on loopback only, on a free port, stores in
//! a directory of its own, and is killed when its value is dropped. Nothing here is ever shipped.

mod authority;
mod ports;
mod postgres;
mod process;
mod proxy;
mod redis_cluster;
mod redis_server;
mod sentinel;
mod stopwatch;

pub use authority::Authority;
pub use ports::free_port;
pub use postgres::{Postgres, PostgresDatabase};
pub use process::Process;
pub use proxy::{Fault, Proxy};
pub use redis_cluster::RedisCluster;
pub use redis_server::RedisServer;
pub use sentinel::Sentinel;
pub use stopwatch::Stopwatch;
