//! The build planner: classes, builds, and who likes which.

mod classes;
mod edits;
mod input;
mod lifetimes;
mod likes;
mod lists;
mod privacy;
#[cfg(unix)]
mod tags;
