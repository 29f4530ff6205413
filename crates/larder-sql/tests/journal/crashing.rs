//! A journal that dies at a named point: the process aborts there, with nothing written after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use larder::behind::{Journal, JournalError, JournalRecord, StoredRecord};
use larder::clock::BoxFuture;

/// Where the mechanism can die between two of its effects.
pub(crate) const POINTS: &[&str] = &[
    "before append",
    "after append",
    "after acknowledgement",
    "before the sink",
    "before commit",
    "after commit",
    "before forget",
    "after forget",
    "before park",
    "after park",
    "during replay",
];

/// Where this process dies, and at which time of being there.
#[derive(Clone)]
pub(crate) struct Doom(Arc<Inner>);

struct Inner {
    point: Option<String>,
    left: AtomicUsize,
}

impl Doom {
    /// Dies at the `count`-th time that it is at `point`; never without a point.
    pub(crate) fn at(point: Option<String>, count: usize) -> Self {
        Doom(Arc::new(Inner { point, left: AtomicUsize::new(count) }))
    }

    /// As `kill -9` does: nothing is flushed, nothing is dropped.
    pub(crate) fn reached(&self, point: &str) {
        assert!(POINTS.contains(&point), "{point} is not in the list");
        let is_here = self.0.point.as_deref() == Some(point);
        if is_here && self.0.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}

/// A journal whose process is doomed.
pub(crate) struct Crashing<J> {
    pub(crate) journal: J,
    pub(crate) doom: Doom,
}

impl<J: Journal> Journal for Crashing<J> {
    fn open<'a>(&'a self, cache: &'a str) -> BoxFuture<'a, Result<u64, JournalError>> {
        self.journal.open(cache)
    }

    fn append<'a>(
        &'a self,
        cache: &'a str,
        records: &'a [JournalRecord],
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.doom.reached("before append");
            let appended = self.journal.append(cache, records).await;
            self.doom.reached("after append");
            appended
        })
    }

    fn read<'a>(
        &'a self,
        cache: &'a str,
        after: u64,
        records_max: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredRecord>, JournalError>> {
        Box::pin(async move {
            let read = self.journal.read(cache, after, records_max).await;
            self.doom.reached("during replay");
            read
        })
    }

    fn forget<'a>(
        &'a self,
        cache: &'a str,
        sequences: &'a [u64],
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.doom.reached("before forget");
            let forgotten = self.journal.forget(cache, sequences).await;
            self.doom.reached("after forget");
            forgotten
        })
    }

    fn park<'a>(
        &'a self,
        cache: &'a str,
        sequence: u64,
        reason: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.doom.reached("before park");
            let parked = self.journal.park(cache, sequence, reason).await;
            self.doom.reached("after park");
            parked
        })
    }
}
