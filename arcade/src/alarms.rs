//! Decides what of the cache's events is told in the log, and how loud.

use larder::{Event, Observer};
use tracing::{error, info, warn};

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
            Event::SetWarmed { set, keys, failed, took, error: None } => {
                info!(set, keys, failed, ?took, "a warm set was read");
            }
            Event::SetWarmed { set, keys, failed, took, error: Some(error) } => {
                warn!(set, keys, failed, ?took, error, "a warm set was not read as a whole");
            }
            Event::HotKeysLost { reason } => warn!("hot keys are lost: {reason}"),
            _ => {}
        }
    }
}
