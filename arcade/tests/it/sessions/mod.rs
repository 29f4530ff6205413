//! The promises of sessions: what they show, how they end, what is noted of their use.

mod activity;
mod ending;
#[cfg(unix)]
mod processes;
mod shown;
#[cfg(unix)]
mod stream;
