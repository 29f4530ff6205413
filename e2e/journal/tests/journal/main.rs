//! Processes and servers that are killed while writes wait for their source.

mod fights;
mod kills;
mod scene;
