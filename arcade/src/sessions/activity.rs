//! Decides when it is noted that somebody has asked in a session: seldom, without a fault of the
//! request, and for good. The journal has it before the request goes on, the database soon after.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use larder::behind::{Change, Journal, OpenError, SinkError, WriteBehind, WriteError};
use tokio::time::timeout;
use tracing::{debug, error, warn};

use super::cache::ActivityKey;
use super::figures::ActivityFigures;
use super::model::Session;
use super::rows;
use crate::reads::CachedReads;
use crate::storage::{StorageError, retried};
use crate::wall;
use crate::writes::Writes;

/// The longest that a request waits until its activity is kept. It is not worth more.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// How long a request waits for room in the journal.
const ROOM_WAIT_MAX: Duration = Duration::from_millis(50);

/// How long the first activity of a batch waits for others.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// The most sessions whose activity may wait for the database.
const WRITES_MAX: usize = 20_000;

/// What waits longer than this is not on its way: somebody must look.
const AGE_MAX: Duration = Duration::from_secs(60);

/// How long a shutdown waits for the last flush. What is left, the next process flushes.
const CLOSE_MAX: Duration = Duration::from_millis(500);

/// When somebody has asked last in each session, behind a journal. Clones share everything.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    behind: WriteBehind<ActivityKey, Arc<i64>>,
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
    /// Takes back what the journal has of an earlier process, and notes activity at most once in
    /// `every` for each session and process.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(super) async fn open(
        cache: &CachedReads<ActivityKey, i64>,
        journal: Arc<dyn Journal>,
        writes: Writes,
        every: Duration,
    ) -> Result<Self, OpenError> {
        let behind = WriteBehind::builder(cache.cache(), journal)
            .flush_after(FLUSH_AFTER)
            .writes_max(WRITES_MAX)
            .room_timeout(ROOM_WAIT_MAX)
            // A database that is away comes back: only what it refuses is given up.
            .tries_max(u32::MAX)
            .open(move |batch: Batch| {
                let writes = writes.clone();
                async move { save(&writes, &batch).await.map_err(said) }
            })
            .await?;
        let activity = Activity { behind, every, faults: Arc::default() };
        // What was refused may have been refused by a fault that is mended since.
        let again = activity.behind.retry_parked().await?;
        if again > 0 {
            warn!(again, "the database gets what it has refused once more");
        }
        Ok(activity)
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
        let key = ActivityKey { session: session.id };
        match timeout(WAIT_MAX, self.behind.put(&key, Arc::new(now_ms))).await {
            Ok(Ok(_)) => self.faults.is_failing.store(false, Ordering::Relaxed),
            Ok(Err(fault)) => {
                if let WriteError::Journal(_) = fault {
                    self.faults.is_failing.store(true, Ordering::Relaxed);
                }
                self.skip(&fault);
            }
            Err(late) => {
                self.faults.is_failing.store(true, Ordering::Relaxed);
                self.skip(&late);
            }
        }
    }

    fn skip(&self, reason: &dyn std::error::Error) {
        self.faults.skipped.fetch_add(1, Ordering::Relaxed);
        debug!(%reason, "activity is not noted");
    }

    pub(super) fn figures(&self) -> ActivityFigures {
        let writes = self.behind.stats();
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
        ActivityFigures { writes, skipped: self.faults.skipped.load(Ordering::Relaxed), problem }
    }

    /// Notes nothing more, and lets the database have what waits.
    pub(super) async fn close(&self) {
        let drained = self.behind.close(CLOSE_MAX).await;
        if drained.left + drained.parked > 0 {
            warn!(?drained, "activity stays in the journal: the next process flushes it");
        }
    }
}

type Batch = Arc<[Change<ActivityKey, Arc<i64>>]>;

async fn save(writes: &Writes, batch: &Batch) -> Result<(), StorageError> {
    // In one order, so that two processes do not wait for each other's rows.
    let latest: BTreeMap<i64, i64> = batch
        .iter()
        .filter_map(|change| Some((change.key.session, **change.value.as_ref()?)))
        .collect();
    retried(async || {
        let mut change = writes.begin().await?;
        for (session, at_ms) in &latest {
            rows::active(&mut change, *session, *at_ms).await?;
        }
        change.commit().await
    })
    .await
}

fn said(fault: StorageError) -> SinkError {
    match fault.is_transient() {
        true => SinkError::from(fault),
        false => {
            error!(%fault, "the database refuses activity");
            SinkError::rejected(fault)
        }
    }
}
