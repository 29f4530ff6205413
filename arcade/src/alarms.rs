//! Decides what of the cache's events is told in the log: what somebody must look at.

use larder::{Event, Observer};
use tracing::{error, warn};

/// Tells the log.
#[derive(Debug)]
pub(crate) struct Alarms;

impl Observer for Alarms {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::WriteParked { cache, sequence, reason } => {
                error!(cache, sequence, reason, "an acknowledged write is parked");
            }
            Event::JournalFailed { cache, error } => {
                error!(cache, error, "the journal of acknowledged writes fails");
            }
            Event::FlushFailed { cache, writes, error } => {
                warn!(cache, writes, error, "acknowledged writes wait for the database");
            }
            _ => {}
        }
    }
}
