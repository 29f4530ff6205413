//! A journal that dies at a named point: the process aborts there, with nothing written after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use larder::behind::{Journal, JournalError, JournalRecord, StoredRecord};
use larder::clock::BoxFuture;

/// Where the mechanism can die between two of its effects.
pub const POINTS: &[&str] = &[
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
    "before hold",
    "after hold",
];

/// Where this process dies, and at which time of being there.
#[derive(Debug, Clone, Default)]
pub struct Doom(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    point: Option<String>,
    left: AtomicUsize,
}

impl Doom {
    /// Dies at the `count`-th time that it is at `point`.
    pub fn at(point: &str, count: usize) -> Self {
        Doom(Arc::new(Inner { point: Some(point.to_owned()), left: AtomicUsize::new(count) }))
    }

    /// The words of a command line: none where nobody dies.
    pub(crate) fn words(&self) -> Vec<String> {
        let Inner { point, left } = &*self.0;
        let count = || left.load(Ordering::SeqCst).to_string();
        point.iter().flat_map(|point| [point.clone(), count()]).collect()
    }

    pub(crate) fn of_words(words: &[String]) -> Self {
        let [point, count] = words else { return Doom::default() };
        Doom::at(point, count.parse().expect("a number"))
    }

    /// As `kill -9` does: nothing is flushed, nothing is dropped.
    ///
    /// # Panics
    /// There is no such point.
    pub fn reached(&self, point: &str) {
        assert!(POINTS.contains(&point), "{point} is not in the list");
        let is_here = self.0.point.as_deref() == Some(point);
        if is_here && self.0.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}

/// A journal whose process is doomed.
pub struct Crashing {
    /// What does the work.
    pub journal: Arc<dyn Journal>,
    /// Where it ends.
    pub doom: Doom,
}

impl Journal for Crashing {
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

    fn hold<'a>(&'a self, cache: &'a str) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.doom.reached("before hold");
            let held = self.journal.hold(cache).await;
            self.doom.reached("after hold");
            held
        })
    }
}
