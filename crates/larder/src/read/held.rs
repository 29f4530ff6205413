//! The wait for the end of somebody else's lease.

use std::time::Duration;

use crate::clock::Moment;
use crate::node::Node;
use crate::node::wakeups::Wakeup;
use crate::wait;

/// Waiters are woken; this is the net below.
const WAKE_NET: Duration = Duration::from_secs(1);

/// A lease that somebody else holds, and our place among those who wait for its end.
pub(super) struct Held(Wakeup);

impl Held {
    pub(super) fn new(wakeup: Wakeup) -> Self {
        Held(wakeup)
    }

    /// Waits for the end of the lease, until the deadline at the latest.
    pub(super) async fn ended(&self, node: &Node, deadline: Moment) {
        let net = deadline.min(node.now().plus(WAKE_NET));
        wait::until(self.0.woken(), node.clock.sleep_until(net)).await;
    }
}
