//! Decides when it is noted that somebody has asked in a session: seldom, without a fault of the
//! request, and for good. The journal has it before the request goes on, the database soon after.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use larder::behind::{OpenError, WriteBehindStats, WriteError};
use tokio::time::timeout;
use tracing::debug;

use super::behind::Behind;
use super::cache::{ActivityKey, SessionCaches};
use super::figures::ActivityFigures;
use super::model::Session;
use crate::journal::Journals;
use crate::wall;
use crate::writes::Writes;

/// The longest that a request waits until its activity is kept. It is not worth more.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// What waits longer than this is not on its way: somebody must look.
const AGE_MAX: Duration = Duration::from_secs(60);

/// When somebody has asked last in each session, behind a journal. Clones share everything.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    behind: Behind,
    every: Duration,
    faults: Arc<Faults>,
}

#[derive(Debug, Default)]
struct Faults {
    skipped: AtomicU64,
    /// The last attempt to keep something has failed.
    is_failing: AtomicBool,
}

impl Activity {
    /// Takes back what a journal has of an earlier process, and notes activity at most once in
    /// `every` for each session and process.
    ///
    /// # Errors
    /// The journal is required, and cannot be read.
    pub(super) async fn open(
        caches: &Arc<SessionCaches>,
        journals: &Journals,
        writes: Writes,
        every: Duration,
    ) -> Result<Self, OpenError> {
        let behind = Behind::begin(caches, journals, writes).await?;
        Ok(Activity { behind, every, faults: Arc::default() })
    }

    /// Notes that somebody asks in this session, unless that was noted just now.
    ///
    /// # Cancel safety
    /// Dropped, it may be noted or not.
    pub(super) async fn note(&self, session: &Session) {
        let now_ms = wall::now_ms();
        if !session.is_due(now_ms, self.every) {
            return;
        }
        let Some(writes) = self.behind.writes() else {
            return self.skip("the journal is not open");
        };
        let key = ActivityKey { session: session.id };
        match timeout(WAIT_MAX, writes.put(&key, Arc::new(now_ms))).await {
            Ok(Ok(_)) => self.faults.is_failing.store(false, Ordering::Relaxed),
            Ok(Err(fault)) => {
                if let WriteError::Journal(_) = fault {
                    self.faults.is_failing.store(true, Ordering::Relaxed);
                }
                self.skip(fault);
            }
            Err(late) => {
                self.faults.is_failing.store(true, Ordering::Relaxed);
                self.skip(late);
            }
        }
    }

    fn skip(&self, reason: impl Display) {
        self.faults.skipped.fetch_add(1, Ordering::Relaxed);
        debug!(%reason, "activity is not noted");
    }

    pub(super) fn figures(&self) -> ActivityFigures {
        let skipped = self.faults.skipped.load(Ordering::Relaxed);
        let Some(writes) = self.behind.writes() else {
            let (writes, problem) = (WriteBehindStats::default(), Some("the journal is not open"));
            return ActivityFigures { writes, skipped, problem };
        };
        let writes = writes.stats();
        let is_late = writes.oldest_age.is_some_and(|age| age > AGE_MAX);
        let problem = if writes.parked > 0 {
            Some("the database refuses activity")
        } else if is_late {
            Some("the database does not take activity")
        } else if self.faults.is_failing.load(Ordering::Relaxed) {
            Some("the journal fails")
        } else {
            None
        };
        ActivityFigures { writes, skipped, problem }
    }

    /// Notes nothing more, and lets the database have what waits.
    pub(super) async fn close(&self) {
        self.behind.close().await;
    }
}
