//! The failure model on real servers: each row under load, with every answer checked.

mod moves;
mod probe;
mod rows;
mod support;
mod twenty_cases;
