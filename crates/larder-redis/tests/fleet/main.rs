//! Nodes that share a real Redis server, each over connections of its own.

mod access;
mod builds;
mod connections;
mod faults;
mod keyspace;
mod lifetimes;
mod sharing;
mod stored;
mod support;
mod tls;
mod topologies;
