//! Decides how activity is written behind its journal, and since when: with the start where the journal must
//! be there, else as soon as it is.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use larder::behind::{Change, OpenError, SinkError, WriteBehind};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use super::cache::{ActivityKey, SessionCaches};
use super::rows;
use crate::journal::{Journals, OpenJournal};
use crate::storage::{StorageError, retried};
use crate::writes::Writes;

/// How long a write waits for room in the journal.
const ROOM_WAIT_MAX: Duration = Duration::from_millis(50);

/// How long the first activity of a batch waits for others.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// The most sessions whose activity may wait for the database.
const WRITES_MAX: usize = 20_000;

/// How long a shutdown waits for the last flush. What is left, the next process flushes.
const CLOSE_MAX: Duration = Duration::from_millis(500);

/// How long a journal that could not be opened is left alone.
const OPEN_AGAIN: Duration = Duration::from_secs(1);

/// Write-behind of activity, once it has begun. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Behind {
    begun: Arc<OnceLock<Begun>>,
    opening: TaskTracker,
    stop: CancellationToken,
}

/// It, and the journal that it has.
#[derive(Debug)]
struct Begun {
    writes: WriteBehind<ActivityKey, Arc<i64>>,
    journal: OpenJournal,
}

impl Behind {
    /// Takes back what a journal has of an earlier process. Where the start does not require one, that goes on in
    /// the background until it succeeds.
    ///
    /// # Errors
    /// The journal is required, and cannot be read.
    pub(super) async fn begin(
        caches: &Arc<SessionCaches>,
        journals: &Journals,
        writes: Writes,
    ) -> Result<Self, OpenError> {
        let (opening, stop) = (TaskTracker::new(), CancellationToken::new());
        let behind = Behind { begun: Arc::default(), opening, stop };
        if journals.are_required() {
            behind.has_begun(Begun::now(caches, journals, &writes).await?);
            return Ok(behind);
        }
        let (caches, journals, background) = (Arc::clone(caches), journals.clone(), behind.clone());
        behind.opening.spawn(async move {
            let opened = background.open_in_the_end(&caches, &journals, &writes);
            background.stop.run_until_cancelled(opened).await;
        });
        Ok(behind)
    }

    async fn open_in_the_end(&self, caches: &SessionCaches, journals: &Journals, writes: &Writes) {
        let mut told = None;
        loop {
            match Begun::now(caches, journals, writes).await {
                Ok(begun) => {
                    info!(journal = %journals, "the journal is open: activity is noted");
                    return self.has_begun(begun);
                }
                Err(fault) => {
                    let fault = fault.to_string();
                    if told.as_ref() != Some(&fault) {
                        warn!(fault, journal = %journals, "no activity is noted without the journal");
                    }
                    told = Some(fault);
                }
            }
            sleep(OPEN_AGAIN).await;
        }
    }

    fn has_begun(&self, begun: Begun) {
        self.begun.get_or_init(|| begun);
    }

    /// Where writes go; `None` before it has begun.
    pub(super) fn writes(&self) -> Option<&WriteBehind<ActivityKey, Arc<i64>>> {
        self.begun.get().map(|begun| &begun.writes)
    }

    /// Takes nothing more, and lets the database have what waits.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.opening.close();
        self.opening.wait().await;
        let Some(Begun { writes, journal }) = self.begun.get() else { return };
        let drained = writes.close(CLOSE_MAX).await;
        if drained.left + drained.parked > 0 {
            warn!(?drained, "activity stays in the journal: the next process flushes it");
        }
        journal.let_go().await;
    }
}

impl Begun {
    /// Each try has a journal of its own: one that it took before it failed is found again as that of a process
    /// that is gone.
    async fn now(
        caches: &SessionCaches,
        journals: &Journals,
        writes: &Writes,
    ) -> Result<Self, OpenError> {
        let (journal, sink) = (journals.opened().await?, writes.clone());
        let writes = WriteBehind::builder(caches.activity().cache(), journal.store())
            .flush_after(FLUSH_AFTER)
            .writes_max(WRITES_MAX)
            .room_timeout(ROOM_WAIT_MAX)
            // A database that is away comes back: only what it refuses is given up.
            .tries_max(u32::MAX)
            .open(move |batch: Batch| {
                let sink = sink.clone();
                async move { save(&sink, &batch).await.map_err(said) }
            })
            .await?;
        // What was refused may have been refused by a fault that is mended since.
        match writes.retry_parked().await {
            Ok(0) => {}
            Ok(again) => warn!(again, "the database gets what it has refused once more"),
            Err(fault) => warn!(%fault, "what the database has refused stays parked"),
        }
        Ok(Begun { writes, journal })
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
