//! What memory says: an answer, an answer that is to be refreshed, or a candidate to fall back on.

use std::sync::Arc;
use std::time::Duration;

use crate::Entry;
use crate::cache::core::{CacheCore, Sought};
use crate::clock::Moment;
use crate::hit::{Answer, Origin};
use crate::memory::resident::{Resident, Stored, downcast};
use crate::memory::verdict::Verdict;
use crate::policy::refreshes_early;

/// An entry to fall back on when its source fails. It is no longer *in memory*: its `l0` is a
/// local sequence from before it was found.
pub(crate) struct Candidate<V> {
    pub(crate) resident: Arc<Resident<V>>,
    pub(crate) l0: u64,
}

impl<V> Clone for Candidate<V> {
    fn clone(&self) -> Self {
        Candidate { resident: Arc::clone(&self.resident), l0: self.l0 }
    }
}

/// What memory says of a key.
pub(crate) enum Look<V> {
    /// This is the answer.
    Answer(Answer<V>),
    /// This is the answer, and the entry is to be loaded again in the background.
    Refresh(Answer<V>, Candidate<V>),
    /// Not to be answered, unless the source fails.
    Fallback(Candidate<V>),
    Nothing,
}

/// Which entries of memory a read may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usable {
    All,
    /// Only what this process loaded from the source itself, by loads that began at this moment
    /// or later.
    OwnLoads {
        since: Moment,
    },
}

impl Usable {
    fn allows(self, entry: &Arc<dyn Stored>) -> bool {
        match self {
            Usable::All => true,
            Usable::OwnLoads { since } => entry.meta().own_load && entry.meta().loaded_at() >= since,
        }
    }
}

impl<V: Entry> CacheCore<V> {
    /// Looks a key up and decides what may be done with what is there.
    pub(crate) fn look(&self, sought: &Sought, usable: Usable) -> Look<V> {
        let l0 = self.node.sequence();
        let spot = self.spot(sought);
        let Some(entry) = self.memory.get(&spot.key).filter(|entry| usable.allows(entry)) else {
            return Look::Nothing;
        };
        let verdict = self.node.judge_resident(&entry, spot);
        match downcast::<V>(entry) {
            Some(resident) if verdict != Verdict::Dead => {
                self.decide(Candidate { resident, l0 }, verdict)
            }
            _ => Look::Nothing,
        }
    }

    fn decide(&self, candidate: Candidate<V>, verdict: Verdict) -> Look<V> {
        let now = self.node.now();
        let meta = &candidate.resident.meta;
        let fresh_until = meta.fresh_until();
        let answer = |stale| Answer {
            resident: Arc::clone(&candidate.resident),
            origin: Origin::Memory,
            stale,
            at: now,
        };
        if verdict == Verdict::Fresh && now < fresh_until {
            // Absence does not slide: a new row is never hidden longer than absence is remembered.
            if self.policy.sliding && candidate.resident.value.get().is_some() {
                self.slide(meta, now);
            }
            return match self.draws_early(meta.load_cost(), now, fresh_until) {
                true => Look::Refresh(answer(false), candidate),
                false => Look::Answer(answer(false)),
            };
        }
        let resident = &candidate.resident;
        if now < self.stale_until(resident) && !self.policy.stale_for.is_zero() {
            Look::Refresh(answer(true), candidate)
        } else if now < self.kept_until(resident) {
            Look::Fallback(candidate)
        } else {
            Look::Nothing
        }
    }

    fn draws_early(&self, load_cost: Duration, now: Moment, fresh_until: Moment) -> bool {
        let beta = self.policy.early_refresh;
        beta > 0.0 && refreshes_early(now, fresh_until, load_cost, beta, self.node.random.next_unit())
    }

    /// The candidate as an answer, if it may still be served now: judged again, and only while
    /// the log is confirmed.
    pub(crate) fn fall_back(&self, sought: &Sought, candidate: &Candidate<V>) -> Option<Answer<V>> {
        let node = &self.node;
        let view = self.view(sought);
        let now = node.now();
        let meta = &candidate.resident.meta;
        if view.is_suspect(node.clock.coarse()) || now >= self.kept_until(&candidate.resident) {
            return None;
        }
        let verdict = view.judge_elsewhere(meta, sought.names(), candidate.l0);
        (verdict != Verdict::Dead).then(|| Answer {
            resident: Arc::clone(&candidate.resident),
            origin: Origin::Memory,
            stale: true,
            at: now,
        })
    }
}

/// What memory has, without counting, loading or promoting it.
pub(crate) fn peek<V: Entry>(core: &CacheCore<V>, sought: &Sought) -> Option<Answer<V>> {
    let spot = core.spot(sought);
    let entry = core.memory.peek(&spot.key)?;
    let verdict = core.node.judge_resident(&entry, spot);
    let resident = downcast::<V>(entry)?;
    let now = core.node.now();
    let fresh_until = resident.meta.fresh_until();
    let kept = now < core.kept_until(&resident);
    let stale = verdict == Verdict::Stale || now >= fresh_until;
    (verdict != Verdict::Dead && kept).then_some(Answer {
        resident,
        origin: Origin::Memory,
        stale,
        at: now,
    })
}
