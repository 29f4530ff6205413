//! The promises of the server, one file or folder a subject. All of them are one program, because
//! linking one for each took longer than running them.

mod access;
mod builds;
mod bundles;
mod buying;
mod conditional;
mod contracts;
mod description;
#[cfg(unix)]
mod doctor;
mod faults;
#[cfg(unix)]
mod first_start;
#[cfg(unix)]
mod fleet;
mod input;
mod inventory;
mod limits;
mod malformed;
mod marketplace;
mod mutations;
mod notifications;
mod outage;
#[cfg(unix)]
mod redis_figures;
#[cfg(unix)]
mod secrets;
mod security;
mod sessions;
mod settings;
mod support;
mod system;
mod tabletop;
mod tournaments;
#[cfg(unix)]
mod under_load;
mod users;
mod warming;
