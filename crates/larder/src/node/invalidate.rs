//! Invalidations as callers ask for them: one call, any number of names and patterns.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Node;
use super::append::Appending;
use super::marks::Target;
use super::writers::AppendedHere;
use crate::asked::Asked;
use crate::event::Event;
use crate::invalidation::{Invalidated, Outcome};
use crate::position::Position;
use crate::record::{Mode, Name, NameKind, Record};
use crate::shard::Fill;
use crate::wait::{self, Signal};

/// An invalidation that this node honours already, and that others do not know yet.
pub(crate) struct Hidden {
    /// Again, for a replica that lags and for patterns that are swept.
    records: Vec<(Target, Mode)>,
    way: Way,
    /// Its number in the audit trail; 0 if nothing is named.
    number: u64,
}

/// How many entries each sweep of memory will have found.
pub(crate) type Sweeps = Vec<Arc<Signal<u64>>>;

enum Way {
    /// The embedded shard has it; memory is swept for its patterns.
    Embedded(Outcome, Sweeps),
    Shared(Appending),
}

impl Node {
    /// Hides what is named on this node at once, then waits until every shard has it, or
    /// `append_timeout`.
    pub(crate) async fn invalidate(self: &Arc<Self>, asked: Asked) -> Invalidated {
        self.publish(self.hide(asked)).await
    }

    /// Hides what is named on this node. Needs no runtime; dropped, it is sent with the next retry.
    pub(crate) fn hide(self: &Arc<Self>, asked: Asked) -> Hidden {
        let Asked { records, cause } = asked;
        self.count_invalidated(&records);
        let way = self.hide_records(&records);
        let outcome = match &way {
            Way::Embedded(outcome, _) => outcome.clone(),
            Way::Shared(appending) => Outcome::Local(appending.ticket.clone()),
        };
        let number = self.trail.begun(self.now(), cause, &records, Some(outcome));
        Hidden { records, way, number }
    }

    fn hide_records(self: &Arc<Self>, records: &[(Target, Mode)]) -> Way {
        match self.embedded() {
            Some(_) => {
                let (outcome, _) = self.invalidate_embedded(records, None);
                Way::Embedded(outcome, self.finish_patterns(records))
            }
            None => Way::Shared(self.begin_append(records.to_vec(), None)),
        }
    }

    /// Tells the others, and waits until they know, or `append_timeout`.
    pub(crate) async fn publish(self: &Arc<Self>, hidden: Hidden) -> Invalidated {
        if hidden.records.is_empty() {
            return Invalidated { outcome: Outcome::Shared(self.position()), matched: None };
        }
        let names = hidden.records.len();
        self.repeat_after_replica_lag(&hidden.records);
        let Hidden { records, way, number } = hidden;
        let invalidated = self.log(&records, way).await;
        self.trail.done(number, &invalidated);
        self.emit(Event::Invalidated { names, position: invalidated.position() });
        invalidated
    }

    async fn log(self: &Arc<Self>, records: &[(Target, Mode)], way: Way) -> Invalidated {
        match way {
            Way::Embedded(outcome, sweeps) => {
                let matched = swept(sweeps).await;
                let outcome = matched.map_or(outcome, |_| Outcome::Shared(self.position()));
                Invalidated { outcome, matched }
            }
            Way::Shared(appending) => {
                let ticket = appending.ticket.clone();
                let timeout = self.clock.sleep_until(self.now().plus(self.limits.append_timeout));
                let matched = wait::until(appending.send(), timeout).await;
                let matched = matched.filter(|_| has_pattern(records));
                let outcome = ticket.position().map_or(Outcome::Local(ticket), Outcome::Shared);
                Invalidated { outcome, matched }
            }
        }
    }

    /// Appends the names among these to the embedded shard, with the value that replaces what
    /// they name, if there is one.
    pub(crate) fn invalidate_embedded(
        &self,
        records: &[(Target, Mode)],
        fill: Option<Fill>,
    ) -> (Outcome, Option<AppendedHere>) {
        let named = records.iter().filter_map(|(target, mode)| match target {
            Target::Name(name) => Some(Record { name: name.clone(), mode: *mode }),
            Target::Pattern(_) => None,
        });
        let named: Vec<Record> = named.collect();
        let appended = if named.is_empty() { None } else { self.append_embedded(named, fill) };
        let outcome = match &appended {
            Some(here) => Outcome::Shared(Position::at(0, here.at.epoch, here.at.position)),
            None => Outcome::Shared(self.position()),
        };
        (outcome, appended)
    }

    /// Kills what the patterns among these match, in the embedded shard, and begins to sweep it out of
    /// memory.
    pub(crate) fn finish_patterns(&self, records: &[(Target, Mode)]) -> Sweeps {
        let finished = records.iter().filter_map(|(target, mode)| match target {
            Target::Pattern(pattern) => self.finish_embedded(pattern, *mode),
            Target::Name(_) => None,
        });
        finished.collect()
    }

    /// Where this node stands in the log of every shard.
    pub(crate) fn position(&self) -> Position {
        self.views.iter().fold(Position::default(), |position, view| {
            let place = view.place();
            match place.epoch {
                Some(epoch) => position.merge(&Position::at(view.index, epoch, place.applied)),
                None => position,
            }
        })
    }

    /// What a write makes wrong beside its own entry is counted, and repeated for a replica that
    /// lags: here, where the write has just committed. Gives its number in the audit trail.
    pub(crate) fn note_written(self: &Arc<Self>, asked: &Asked) -> u64 {
        self.count_invalidated(&asked.records);
        self.repeat_after_replica_lag(&asked.records);
        self.trail.begun(self.now(), asked.cause.clone(), &asked.records, None)
    }

    fn count_invalidated(&self, records: &[(Target, Mode)]) {
        let named: BTreeSet<_> = records.iter().filter_map(|(target, _)| cache_of(target)).collect();
        for cache in named {
            if let Some(counters) = self.cache_named(&cache).and_then(|id| self.counters_of(id)) {
                counters.invalidated();
            }
        }
    }

    /// Loaders that read a lagging replica may load the old value after the invalidation: it is
    /// appended once more when the replica must have caught up.
    fn repeat_after_replica_lag(self: &Arc<Self>, records: &[(Target, Mode)]) {
        let Some(lag) = records.iter().filter_map(|(target, _)| self.replica_lag_of(target)).max()
        else {
            return;
        };
        let (node, again) = (Arc::downgrade(self), records.to_vec());
        let due = self.clock.sleep_until(self.now().plus(lag));
        self.tasks.spawn(Box::pin(async move {
            due.await;
            if let Some(node) = node.upgrade() {
                let way = node.hide_records(&again);
                drop(node.log(&again, way).await);
            }
        }));
    }

    /// The replica lag of the cache that is named; the longest one, if any cache may be meant.
    fn replica_lag_of(&self, target: &Target) -> Option<Duration> {
        match cache_of(target) {
            Some(cache) => self
                .cache_named(&cache)
                .and_then(|id| self.of_cache(id, |cache| cache.replica_lag).flatten()),
            None => self.registry.lock().caches.iter().filter_map(|cache| cache.replica_lag).max(),
        }
    }
}

pub(crate) fn has_pattern(records: &[(Target, Mode)]) -> bool {
    records.iter().any(|(target, _)| matches!(target, Target::Pattern(_)))
}

/// The cache whose entries a target names; `None` if they may be of any.
fn cache_of(target: &Target) -> Option<String> {
    match target {
        Target::Pattern(_) => None,
        Target::Name(name) => name_of_cache(name),
    }
}

fn name_of_cache(name: &Name) -> Option<String> {
    match name.kind() {
        NameKind::Cache => Some(String::from_utf8_lossy(name.bytes()).into_owned()),
        NameKind::Key | NameKind::Prefix => {
            Some(crate::key::EncodedKey::from_encoded(name.bytes()).cache().to_owned())
        }
        NameKind::Root | NameKind::Tag => None,
    }
}

/// How many entries matched, once memory is swept; `None` if there was no pattern.
pub(crate) async fn swept(sweeps: Sweeps) -> Option<u64> {
    if sweeps.is_empty() {
        return None;
    }
    let mut matched = 0;
    for sweep in sweeps {
        matched += sweep.wait().await;
    }
    Some(matched)
}
