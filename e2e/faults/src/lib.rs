//! Nodes on real Redis servers, under load and faults, and a checker of everything they answered.
//! The rows of the failure model (`docs/reliability.md`) are the tests of this package.
//!
//! A [`Source`] counts its changes. A [`Crowd`] reads and changes it through several
//! [`Node`]s while a test does something to their servers, and a [`History`] holds every answer
//! against what the contract allows at that moment.

mod by_hand;
mod crowd;
mod history;
mod larder_node;
mod node;
mod report;
mod source;

pub use by_hand::ByHand;
pub use crowd::{Crowd, Pace};
pub use history::{History, STALENESS_MAX, Times};
pub use larder_node::LarderNode;
pub use node::{Answer, Node, Told};
pub use report::Report;
pub use source::{KEYS, Source};

use std::time::Duration;

use larder::clock::{Clock, SystemClock};

/// Lets real time go by: servers have no clock to be turned.
pub async fn pause(span: Duration) {
    SystemClock.sleep_until(SystemClock.precise().plus(span)).await;
}
