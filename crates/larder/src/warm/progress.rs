//! How far each warm set is: what a run writes, and a snapshot for who asks.

use std::time::Duration;

use super::supply::Filled;
use crate::clock::Moment;
use crate::sync::Mutex;

/// Where a warm set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarmState {
    /// It was not asked for yet.
    Idle,
    /// It was asked for, and others of the same call are before it.
    Waiting,
    /// Its keys are listed or read.
    Running,
    /// All its keys were read. Some may have failed.
    Done,
    /// Its keys could not be listed, or reading them failed several times in a row.
    Failed,
    /// The warmer was closed before it was done.
    Stopped,
}

impl WarmState {
    /// Whether a run of it is under way.
    pub fn is_under_way(self) -> bool {
        matches!(self, WarmState::Waiting | WarmState::Running)
    }
}

/// How far a warm set is, or how far its last run came.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarmProgress {
    /// Its name.
    pub set: String,
    /// Where it is.
    pub state: WarmState,
    /// Keys that it listed and that are to be read.
    pub listed: u64,
    /// Keys that it has beyond its limit, or that could not be read back: they are left out.
    pub left_out: u64,
    /// Keys that were in memory already.
    pub present: u64,
    /// Keys that came from the shared tier.
    pub shared: u64,
    /// Keys that came from the source, which may have had no value for some.
    pub loaded: u64,
    /// Keys whose read failed.
    pub failed: u64,
    /// How long the run has taken.
    pub elapsed: Duration,
    /// What went wrong last.
    pub error: Option<String>,
}

struct Row {
    progress: WarmProgress,
    began: Moment,
    /// A run has read every key that it listed.
    read: bool,
    /// When the first run ended that could not.
    failed: Option<Moment>,
}

/// The progress of every set, by its number.
pub(super) struct Board {
    rows: Mutex<Vec<Row>>,
}

impl Board {
    pub(super) fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let row =
            |name| Row { progress: idle(name), began: Moment::START, read: false, failed: None };
        Board { rows: Mutex::new(names.map(row).collect()) }
    }

    pub(super) fn all(&self, now: Moment) -> Vec<WarmProgress> {
        let running = |row: &Row| {
            let mut progress = row.progress.clone();
            if progress.state == WarmState::Running {
                progress.elapsed = now.since(row.began);
            }
            progress
        };
        self.rows.lock().iter().map(running).collect()
    }

    /// Whether a run of the set has read all its keys, or one could not and that is so long ago. A run
    /// that was stopped is none.
    pub(super) fn has_had_its_time(&self, set: usize, patience: Duration, now: Moment) -> bool {
        let row = &self.rows.lock()[set];
        row.read || row.failed.is_some_and(|failed| failed.plus(patience) <= now)
    }

    pub(super) fn is_any_under_way(&self) -> bool {
        self.rows.lock().iter().any(|row| row.progress.state.is_under_way())
    }

    /// Takes those of `sets` that nobody else runs.
    pub(super) fn claim(&self, sets: Vec<usize>) -> Vec<usize> {
        let mut rows = self.rows.lock();
        let mut claim = |set: &usize| {
            let progress = &mut rows[*set].progress;
            let free = !progress.state.is_under_way();
            if free {
                *progress = WarmProgress { state: WarmState::Waiting, ..idle(&progress.set) };
            }
            free
        };
        sets.into_iter().filter(|set| claim(set)).collect()
    }

    pub(super) fn begin(&self, set: usize, now: Moment) {
        let mut rows = self.rows.lock();
        rows[set].began = now;
        rows[set].progress.state = WarmState::Running;
    }

    pub(super) fn listed(&self, set: usize, keys: usize, left_out: usize, error: Option<String>) {
        let progress = &mut self.rows.lock()[set].progress;
        progress.listed = keys as u64;
        progress.left_out = left_out as u64;
        progress.error = error;
    }

    /// These were in memory when somebody looked.
    pub(super) fn add_present(&self, set: usize, keys: usize) {
        self.rows.lock()[set].progress.present += keys as u64;
    }

    pub(super) fn add(&self, set: usize, filled: Filled) {
        let progress = &mut self.rows.lock()[set].progress;
        progress.present += filled.present as u64;
        progress.shared += filled.shared as u64;
        progress.loaded += filled.loaded as u64;
        progress.failed += filled.failed as u64;
        progress.error = filled.error.or(progress.error.take());
    }

    /// The run of a set is over. Gives how far it came.
    pub(super) fn end(
        &self,
        set: usize,
        state: WarmState,
        error: Option<String>,
        now: Moment,
    ) -> WarmProgress {
        let mut rows = self.rows.lock();
        let row = &mut rows[set];
        if row.progress.state == WarmState::Running {
            row.progress.elapsed = now.since(row.began);
        }
        row.progress.state = state;
        row.progress.error = error.or(row.progress.error.take());
        match state {
            WarmState::Done if row.progress.failed == 0 => row.read = true,
            WarmState::Done | WarmState::Failed => row.failed = row.failed.or(Some(now)),
            _ => {}
        }
        row.progress.clone()
    }
}

fn idle(name: &str) -> WarmProgress {
    WarmProgress {
        set: name.to_owned(),
        state: WarmState::Idle,
        listed: 0,
        left_out: 0,
        present: 0,
        shared: 0,
        loaded: 0,
        failed: 0,
        elapsed: Duration::ZERO,
        error: None,
    }
}
