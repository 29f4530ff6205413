//! Decides how long the relay of the outbox runs, and what is said of it.

use std::time::Duration;

use larder_sql::outbox::{Outbox, RelayEvent};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::storage::Store;

/// How long a shutdown waits until the rows that were sent are removed.
const REMOVAL_MAX: Duration = Duration::from_secs(1);

/// The relay at work. Clones share it.
#[derive(Debug, Clone)]
pub struct Relaying {
    task: TaskTracker,
    stop: CancellationToken,
}

impl Relaying {
    /// Lets the rows of `outbox` that lie in `store` be sent, from now on.
    pub fn begin(outbox: &Outbox, store: &Store) -> Self {
        let (task, stop) = (TaskTracker::new(), CancellationToken::new());
        let mut relay = outbox.relay(store.pool().clone()).observed_by(tell);
        let stopped = stop.clone();
        task.spawn(async move {
            stopped.run_until_cancelled(relay.run()).await;
            if !matches!(timeout(REMOVAL_MAX, relay.close()).await, Ok(Ok(()))) {
                warn!("rows of the outbox stay: the next process sends them once more");
            }
        });
        Relaying { task, stop }
    }

    /// Ends it. What it leaves, the next process sends.
    pub async fn end(&self) {
        self.stop.cancel();
        self.task.close();
        self.task.wait().await;
    }
}

fn tell(event: &RelayEvent<'_>) {
    match event {
        RelayEvent::Relayed { rows } => info!(rows, "sent invalidations that nobody else has sent"),
        RelayEvent::Parked { row, reason } => {
            error!(row, reason, "an invalidation cannot be read: dropped everything in its place");
        }
        RelayEvent::DatabaseLost { error } => warn!(%error, "the outbox cannot be looked at"),
        RelayEvent::DatabaseBack => info!("the outbox can be looked at again"),
        _ => {}
    }
}
