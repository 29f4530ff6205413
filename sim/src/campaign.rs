//! Runs many seeds on a few threads, each seed wholly on one of them, and adds up what they did.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use parking_lot::Mutex;

use crate::check::Violation;
use crate::fault::Fault;
use crate::simulation::{Length, Report};
use crate::world::Counters;

/// What must have happened somewhere in a campaign: a schedule that never gets there proves
/// nothing about it. Each kind of fault comes on top.
const REACHED: [&str; 26] = [
    "reads",
    "memory hits",
    "shared hits",
    "loaded",
    "answers marked stale",
    "loads",
    "loads not modified",
    "reads failed by the source",
    "fills stored",
    "fills rejected",
    "write-throughs stored",
    "rows written through",
    "rows created through",
    "writes rolled back",
    "writes of unknown outcome",
    "tag tables sent",
    "pushes sent",
    "pushes lost",
    "requests lost",
    "requests doubled",
    "answers lost",
    "callers that gave up",
    "resyncs",
    "reads past a suspect shard",
    "fail-safe answers",
    "suspends noticed",
];

/// Which seeds to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeds {
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) threads: u16,
}

/// Whether to go on after a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    AllRan,
    FirstViolation,
}

/// What a campaign came to.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Seeds that ran.
    pub(crate) ran: u64,
    pub(crate) counters: Counters,
    /// Violations, by seed.
    pub(crate) violations: Vec<(u64, Violation)>,
}

impl Outcome {
    /// What never happened although it should have; a node may be unable to do some of it.
    pub(crate) fn unreached(&self, unable: &[&str]) -> Vec<&'static str> {
        let faults = Fault::ALL.into_iter().map(Fault::text);
        REACHED
            .into_iter()
            .chain(faults)
            .filter(|name| !unable.contains(name) && !self.counters.contains_key(name))
            .collect()
    }

    fn add(&mut self, seed: u64, counters: Counters, violation: Option<Violation>) {
        self.ran += 1;
        for (name, count) in counters {
            *self.counters.entry(name).or_default() += count;
        }
        self.violations.extend(violation.map(|violation| (seed, violation)));
    }
}

/// Runs one seed with some kind of node.
pub(crate) type Run = fn(u64, Length) -> Report;

/// Runs `seeds`.
pub(crate) fn campaign(run: Run, seeds: Seeds, length: Length, until: Until) -> Outcome {
    let next = AtomicU64::new(seeds.first);
    let outcome = Mutex::new(Outcome::default());
    let end = seeds.first.saturating_add(seeds.count);
    thread::scope(|scope| {
        for _ in 0..seeds.threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let report = run(seed, length);
                    if report.violation.is_some() && until == Until::FirstViolation {
                        next.store(end, Ordering::Relaxed);
                    }
                    outcome.lock().add(seed, report.counters, report.violation);
                }
            });
        }
    });
    let mut outcome = outcome.into_inner();
    outcome.violations.sort_by_key(|(seed, _)| *seed);
    outcome
}
