//! The audit trail: what was invalidated on this node, by whom, why, and what became of it. Knows
//! only what was asked of this node; whoever wants a fleet's trail merges those of its nodes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::asked::Cause;
use crate::clock::Moment;
use crate::invalidation::{Invalidated, Outcome};
use crate::node::marks::Target;
use crate::position::Position;
use crate::record::Mode;
use crate::sync::Mutex;

/// The most names of one invalidation that are remembered; of more, only the number.
pub const NAMES_MAX: usize = 32;

/// An invalidation that was asked for on this node, see [`Larder::audit`](crate::Larder::audit).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Audited {
    /// Counts the invalidations of this node, from 1.
    pub number: u64,
    /// How long ago it was asked for.
    pub ago: Duration,
    /// Who asked, see [`Invalidation::by`](crate::Invalidation::by).
    pub by: Option<Arc<str>>,
    /// Why, see [`Invalidation::because`](crate::Invalidation::because).
    pub because: Option<Arc<str>>,
    /// What it names, as people read it; at most [`NAMES_MAX`].
    pub names: Vec<String>,
    /// How many names and patterns it has in all.
    pub names_count: usize,
    /// Whether what it names is gone, or only stale.
    pub mode: Mode,
    /// How many stored values its patterns matched; `None` if it has none, or is not done yet.
    pub matched: Option<u64>,
    /// Where it is in the log; `None` while not every shard has it.
    pub position: Option<Position>,
}

/// The last invalidations of a node.
pub(crate) struct Trail {
    /// How many are kept.
    kept_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    steps: VecDeque<Step>,
    count: u64,
}

struct Step {
    number: u64,
    at: Moment,
    cause: Cause,
    names: Box<[Target]>,
    names_count: usize,
    mode: Mode,
    matched: Option<u64>,
    /// `None` until its caller was told.
    outcome: Option<Outcome>,
}

impl Trail {
    pub(crate) fn new(kept_max: usize) -> Self {
        Trail { kept_max, kept: Mutex::default() }
    }

    /// Remembers an invalidation, and gives its number; 0 if it names nothing.
    pub(crate) fn begun(
        &self,
        at: Moment,
        cause: Cause,
        records: &[(Target, Mode)],
        outcome: Option<Outcome>,
    ) -> u64 {
        if records.is_empty() {
            return 0;
        }
        let names = records.iter().take(NAMES_MAX).map(|(target, _)| target.clone()).collect();
        let hard = records.iter().any(|(_, mode)| *mode == Mode::Hard);
        let mode = if hard { Mode::Hard } else { Mode::Soft };
        let names_count = records.len();
        let mut kept = self.kept.lock();
        kept.count += 1;
        let number = kept.count;
        let step = Step { number, at, cause, names, names_count, mode, matched: None, outcome };
        kept.steps.push_back(step);
        if kept.steps.len() > self.kept_max {
            kept.steps.pop_front();
        }
        number
    }

    /// What became of it, as far as its caller was told.
    pub(crate) fn done(&self, number: u64, invalidated: &Invalidated) {
        let mut kept = self.kept.lock();
        let found = kept.steps.iter_mut().rev().find(|step| step.number == number);
        if let Some(step) = found {
            step.matched = invalidated.matched;
            step.outcome = Some(invalidated.outcome.clone());
        }
    }

    /// The last `count` of them, newest first.
    pub(crate) fn last(&self, count: usize, now: Moment) -> Vec<Audited> {
        let kept = self.kept.lock();
        kept.steps.iter().rev().take(count).map(|step| step.told(now)).collect()
    }
}

impl Step {
    fn told(&self, now: Moment) -> Audited {
        Audited {
            number: self.number,
            ago: now.since(self.at),
            by: self.cause.by.clone(),
            because: self.cause.because.clone(),
            names: self.names.iter().map(told).collect(),
            names_count: self.names_count,
            mode: self.mode,
            matched: self.matched,
            position: match &self.outcome {
                Some(Outcome::Shared(position)) => Some(position.clone()),
                Some(Outcome::Local(ticket)) => ticket.position(),
                None => None,
            },
        }
    }
}

fn told(target: &Target) -> String {
    match target {
        Target::Name(name) => format!("{name:?}"),
        Target::Pattern(pattern) => format!("pattern {pattern}"),
    }
}
