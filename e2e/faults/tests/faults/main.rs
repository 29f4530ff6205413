//! The failure model on real servers: each row under load, with every answer checked.

mod batches;
mod halves;
mod herd;
mod loads;
mod moves;
mod probe;
mod racing_writers;
mod rows;
mod support;
mod twenty_cases;
mod unheard;
