//! Decides whether an answer was allowed: the contract (`docs/design.md`, section 2) over every
//! read. Knows no node and no server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder::clock::{Clock, Moment, SystemClock};
use parking_lot::Mutex;

use crate::node::Answer;
use crate::source::KEYS;

/// How late other nodes may see an invalidation that is shared.
pub const STALENESS_MAX: Duration = Duration::from_millis(1_000);

/// How many stories are told of what was broken.
const STORIES_MAX: usize = 5;

/// What each row's readers may still see, and what was seen.
pub struct History {
    rows: Vec<Row>,
    reads: AtomicU64,
    stale: AtomicU64,
    failed: AtomicU64,
    invalidations: AtomicU64,
    unshared: AtomicU64,
    period: Mutex<Period>,
    stories: Mutex<Vec<String>>,
}

/// What is known of one row.
struct Row {
    /// By node: the newest version that it was told of.
    own: Vec<AtomicU64>,
    /// From when on every node must show which version.
    shared: Mutex<Vec<(Moment, u64)>>,
}

/// Reads that began since a moment, and how long they took.
#[derive(Default)]
struct Period {
    began: Moment,
    took: Vec<Duration>,
}

impl Period {
    fn count(&mut self, at: Moment, took: Duration) {
        if at >= self.began {
            self.took.push(took);
        }
    }
}

/// How long reads took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Of a hundred, the second slowest.
    pub p99: Duration,
    /// The slowest.
    pub slowest: Duration,
}

impl Times {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let at = |share: usize| took.get(took.len() * share / 100).copied();
        let slowest = took.last().copied().unwrap_or_default();
        Times { p99: at(99).unwrap_or(slowest), slowest }
    }
}

/// A read that has begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun {
    node: usize,
    key: usize,
    at: Moment,
    oldest: u64,
}

impl History {
    /// Of so many nodes.
    pub fn new(nodes: usize) -> Self {
        let row =
            || Row { own: (0..nodes).map(|_| AtomicU64::new(0)).collect(), shared: Mutex::default() };
        History {
            rows: (0..KEYS).map(|_| row()).collect(),
            reads: AtomicU64::new(0),
            stale: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            invalidations: AtomicU64::new(0),
            unshared: AtomicU64::new(0),
            period: Mutex::default(),
            stories: Mutex::default(),
        }
    }

    /// A read begins: what it answers may not be older than this.
    pub(crate) fn begin(&self, node: usize, key: usize) -> Begun {
        let (row, at) = (&self.rows[key], SystemClock.precise());
        let own = row.own[node].load(Ordering::SeqCst);
        let mut shared = row.shared.lock();
        let due = shared.iter().filter(|(from, _)| *from <= at).map(|(_, version)| *version);
        let oldest = due.max().unwrap_or(0);
        shared.retain(|(_, version)| *version >= oldest);
        Begun { node, key, at, oldest: own.max(oldest) }
    }

    /// The read has ended.
    pub(crate) fn end(&self, begun: Begun, answer: &Result<Answer, String>) {
        let took = SystemClock.precise().since(begun.at);
        self.period.lock().count(begun.at, took);
        self.reads.fetch_add(1, Ordering::Relaxed);
        let Begun { node, key, oldest, .. } = begun;
        match answer {
            Ok(Answer { version, origin }) if *version < oldest => {
                self.stale.fetch_add(1, Ordering::Relaxed);
                self.tell(format!(
                    "node {node}, row {key}: {origin} answered version {version} to a read that \
                     began when {oldest} was due"
                ));
            }
            Ok(_) => {}
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                self.tell(format!("node {node}, row {key}: {error}"));
            }
        }
    }

    /// The invalidation of this version returned on this node.
    pub(crate) fn returned(&self, node: usize, key: usize, version: u64, shared: bool) {
        self.invalidations.fetch_add(1, Ordering::Relaxed);
        self.rows[key].own[node].fetch_max(version, Ordering::SeqCst);
        if shared {
            self.shared(key, version);
        } else {
            self.unshared.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// From now on the bound runs for this version.
    pub(crate) fn shared(&self, key: usize, version: u64) {
        let due = SystemClock.precise().plus(STALENESS_MAX);
        self.rows[key].shared.lock().push((due, version));
    }

    /// So many reads or changes have not ended after `patience`.
    pub(crate) fn hung(&self, count: u64, patience: Duration) {
        self.failed.fetch_add(count, Ordering::Relaxed);
        self.tell(format!("{count} reads or changes had not ended after {patience:?}"));
    }

    fn tell(&self, story: String) {
        let mut stories = self.stories.lock();
        if stories.len() < STORIES_MAX {
            stories.push(story);
        }
    }

    /// How many reads have ended.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// How many answers were older than allowed.
    pub fn stale(&self) -> u64 {
        self.stale.load(Ordering::Relaxed)
    }

    /// How many reads failed, though the source never does.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// How many invalidations have returned.
    pub fn invalidations(&self) -> u64 {
        self.invalidations.load(Ordering::Relaxed)
    }

    /// How many of them were not shared yet when they returned.
    pub fn unshared(&self) -> u64 {
        self.unshared.load(Ordering::Relaxed)
    }

    /// How long the reads took that began since this was last asked, and have ended.
    pub fn times(&self) -> Times {
        let next = Period { began: SystemClock.precise(), took: Vec::new() };
        Times::of(std::mem::replace(&mut *self.period.lock(), next).took)
    }

    /// The first things that were wrong.
    pub fn stories(&self) -> Vec<String> {
        self.stories.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(history: &History, begun: Begun, version: u64) -> u64 {
        history.end(begun, &Ok(Answer { version, origin: "memory" }));
        history.stale()
    }

    #[test]
    fn a_node_must_show_at_once_what_it_was_told() {
        let history = History::new(2);
        let before = history.begin(0, 7);
        history.returned(0, 7, 1, true);
        assert_eq!(answered(&history, before, 0), 0);
        assert_eq!(answered(&history, history.begin(1, 7), 0), 0, "the bound has not run out");
        assert_eq!(answered(&history, history.begin(0, 7), 1), 0);
        assert_eq!(answered(&history, history.begin(0, 7), 0), 1);
    }

    #[tokio::test]
    async fn other_nodes_must_show_it_after_the_bound() {
        let history = History::new(2);
        history.returned(0, 7, 1, true);
        history.returned(0, 8, 1, false);
        crate::pause(STALENESS_MAX).await;
        assert_eq!(answered(&history, history.begin(1, 8), 0), 0, "it was never shared");
        assert_eq!(answered(&history, history.begin(1, 7), 0), 1);
    }

    #[test]
    fn a_failed_read_is_one() {
        let history = History::new(1);
        history.end(history.begin(0, 7), &Err("broken".into()));
        assert_eq!((history.failed(), history.stories().len()), (1, 1));
    }
}
