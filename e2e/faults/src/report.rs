//! What a crowd saw, as a line to print and a judgement.

use std::fmt;

use crate::history::History;
use crate::source::Source;

/// What a crowd saw while something was done to the servers.
#[derive(Debug, Clone)]
pub struct Report {
    /// The row of the failure model.
    pub row: &'static str,
    /// The seed of the crowd.
    pub seed: u64,
    /// Reads that ended.
    pub reads: u64,
    /// Answers that were older than allowed.
    pub stale: u64,
    /// Reads that failed.
    pub failed: u64,
    /// Invalidations that returned.
    pub invalidations: u64,
    /// Those that were not shared yet when they returned.
    pub unshared: u64,
    /// Loads of the source.
    pub loads: u64,
    /// The first things that were wrong.
    pub stories: Vec<String>,
}

impl Report {
    pub(crate) fn of(row: &'static str, seed: u64, history: &History, source: &Source) -> Self {
        Report {
            row,
            seed,
            reads: history.reads(),
            stale: history.stale(),
            failed: history.failed(),
            invalidations: history.invalidations(),
            unshared: history.unshared(),
            loads: source.loads(),
            stories: history.stories(),
        }
    }

    /// Prints it, and accepts no stale and no failed read.
    ///
    /// # Panics
    /// There was one, or nothing was read or changed: then nothing is proved.
    pub fn must_be_clean(&self) {
        println!("{self}");
        assert!(self.reads > 0 && self.invalidations > 0, "{self}");
        assert!(self.stale == 0 && self.failed == 0, "{self}\n{}", self.stories.join("\n"));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { row, seed, reads, stale, failed, invalidations, unshared, loads, .. } = self;
        write!(
            f,
            "{row} (seed {seed}): {reads} reads, {stale} stale, {failed} failed; {invalidations} \
             invalidations, {unshared} of them shared later; {loads} loads"
        )
    }
}
