//! Arcade, the reference game platform that runs on `larder`.
//!
//! A request passes `http` (who asks, what for), a domain (what it means), the cache, and
//! `storage`. `app` puts the parts together; nothing else may know all of them.

mod alarms;
pub mod app;
pub mod auth;
pub mod balances;
pub mod bundles;
mod cause;
pub mod configuration;
mod connections;
pub mod demo;
pub mod description;
pub mod doctor;
pub mod domains;
pub mod figures;
pub mod http;
pub mod journal;
pub mod ledger;
pub mod reads;
pub mod relaying;
#[cfg(test)]
mod scene;
pub mod server;
pub mod sessions;
pub mod settings;
pub mod shared_tier;
pub mod storage;
pub mod system;
pub mod tabletop;
pub mod telemetry;
pub mod wall;
pub mod warming;
pub mod writes;
