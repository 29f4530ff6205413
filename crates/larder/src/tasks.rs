//! Who runs background work: refreshes, loads that outlive their caller, the poll of the log.
//! This crate starts no runtime; it hands futures to the task set it was given.

use std::fmt;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::clock::BoxFuture;

/// Runs the futures it is given to their end, or drops them when the process shuts down.
pub trait Tasks: Send + Sync + 'static {
    /// Takes ownership of `work`. Must not run it inside this call.
    fn spawn(&self, work: BoxFuture<'static, ()>);
}

/// Tasks on a tokio runtime, tracked so that a shutdown can wait for them.
#[derive(Clone)]
pub struct TokioTasks {
    runtime: Handle,
    tracker: TaskTracker,
}

impl TokioTasks {
    /// Runs tasks on `runtime`.
    pub fn new(runtime: Handle) -> Self {
        TokioTasks { runtime, tracker: TaskTracker::new() }
    }

    /// Waits until every task has ended. Tasks spawned meanwhile are waited for too.
    pub async fn drained(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

impl fmt::Debug for TokioTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioTasks").field("running", &self.tracker.len()).finish()
    }
}

impl Tasks for TokioTasks {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        self.tracker.spawn_on(work, &self.runtime);
    }
}
