//! Which acknowledged writes the source does not have yet, in which order it gets them, and which
//! records the journal may forget. Pure: no lock, no clock, no I/O.
//!
//! One write a key: the last. It keeps the turn of the first that it replaced, so that a key that is
//! written all the time is flushed all the same. **A record is never forgotten later than one that
//! replaced it**: whatever is left after a crash is never older than what the source has.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::pended::Pended;
use crate::clock::Moment;
use crate::key::EncodedKey;

/// Everything that waits.
pub(super) struct State<V> {
    writes: HashMap<EncodedKey, Slot<V>>,
    /// The keys that wait for their turn, each once.
    queue: VecDeque<EncodedKey>,
    parked: BTreeMap<u64, Parked<V>>,
    /// The parked record of a key: the last one.
    parked_of: HashMap<EncodedKey, u64>,
    /// Records that the journal may forget, in this order.
    forgettable: VecDeque<u64>,
    /// How many the journal is being asked to forget.
    forgetting: usize,
    /// Sequences of appends that failed since the last one that did not: the journal may have them.
    doubtful: Range<u64>,
    /// Flushed writes of which other nodes do not know yet: their records stay.
    pub(super) unannounced: usize,
    pub(super) used: Used,
    pub(super) counts: Counts,
    /// Another process has the journal, and flushes what was here.
    handed_over: bool,
}

/// The last write of a key.
struct Slot<V> {
    write: Arc<Pended<V>>,
    /// Since when the key waits for its turn.
    since: Moment,
    queued: bool,
    /// The cache does not show it yet: flushed now, it could be shown after it is replaced.
    hidden: bool,
    tries: u32,
}

/// A record that the source gets only if somebody says so.
pub(super) struct Parked<V> {
    pub(super) reason: String,
    /// What takes part in the order of its key; `None` of a record that cannot be read.
    pub(super) write: Option<Arc<Pended<V>>>,
    /// The room that it takes.
    bytes: usize,
}

/// How much room is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) writes: usize,
    pub(super) bytes: usize,
}

/// What happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) acknowledged: u64,
    pub(super) replayed: u64,
    pub(super) coalesced: u64,
    pub(super) flushed: u64,
    pub(super) batches: u64,
    pub(super) retries: u64,
}

/// When the next batch is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Now,
    At(Moment),
    Never,
}

impl Used {
    pub(super) fn take(&mut self, bytes: usize) {
        self.writes += 1;
        self.bytes += bytes;
    }

    pub(super) fn give_back(&mut self, bytes: usize) {
        self.writes = self.writes.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl<V> Default for State<V> {
    fn default() -> Self {
        State {
            writes: HashMap::new(),
            queue: VecDeque::new(),
            parked: BTreeMap::new(),
            parked_of: HashMap::new(),
            forgettable: VecDeque::new(),
            forgetting: 0,
            doubtful: 0..0,
            unannounced: 0,
            used: Used::default(),
            counts: Counts::default(),
            handed_over: false,
        }
    }
}

impl<V> State<V> {
    /// The last acknowledged write of a key.
    pub(super) fn of(&self, key: &EncodedKey) -> Option<&Arc<Pended<V>>> {
        self.writes.get(key).map(|slot| &slot.write)
    }

    /// A write is in the journal; its room is taken already. Readers get it from now on, the source
    /// not before it is [shown](Self::shown).
    pub(super) fn enter(&mut self, write: Arc<Pended<V>>) {
        if self.handed_over {
            self.used.give_back(write.bytes());
            return;
        }
        let since = write.asked;
        match self.writes.get_mut(write.key()) {
            Some(slot) => {
                let replaced = std::mem::replace(&mut slot.write, Arc::clone(&write));
                slot.hidden = true;
                slot.tries = 0;
                if !slot.queued {
                    slot.queued = true;
                    slot.since = since;
                    self.queue.push_back(write.key().clone());
                }
                self.counts.coalesced += 1;
                self.forgettable.push_back(replaced.sequence);
                self.used.give_back(replaced.bytes());
            }
            None => {
                self.queue.push_back(write.key().clone());
                let key = write.key().clone();
                self.writes.insert(key, Slot { write, since, queued: true, hidden: true, tries: 0 });
            }
        }
    }

    /// The cache shows this write now, if it is still the last of its key.
    pub(super) fn shown(&mut self, write: &Pended<V>) {
        if let Some(slot) = self.slot_of(write) {
            slot.hidden = false;
        }
    }

    /// Records with these sequences may or may not be in the journal.
    pub(super) fn doubt(&mut self, sequences: Range<u64>) {
        let start = if self.doubtful.is_empty() { sequences.start } else { self.doubtful.start };
        self.doubtful = start..sequences.end;
    }

    /// An append has succeeded: what was in doubt is below it, and cannot arrive later.
    pub(super) fn doubt_ends(&mut self) {
        self.forgettable.extend(std::mem::replace(&mut self.doubtful, 0..0));
    }

    /// When the next batch is to go, if keys may wait for `delay`.
    pub(super) fn due(&self, delay: Duration, now: Moment) -> Due {
        let Some(slot) = self.queue.front().and_then(|key| self.writes.get(key)) else {
            return Due::Never;
        };
        let at = slot.since.plus(delay);
        if at <= now { Due::Now } else { Due::At(at) }
    }

    /// The writes whose turn it is, of different keys. They stay in place until the source has them.
    pub(super) fn take(&mut self, delay: Duration, now: Moment, max: usize) -> Vec<Arc<Pended<V>>> {
        let (mut taken, mut hidden) = (Vec::new(), Vec::new());
        while taken.len() < max && self.due(delay, now) == Due::Now {
            let Some(key) = self.queue.pop_front() else { break };
            match self.writes.get_mut(&key) {
                Some(slot) if slot.hidden => hidden.push(key),
                Some(slot) => {
                    slot.queued = false;
                    taken.push(Arc::clone(&slot.write));
                }
                None => {}
            }
        }
        hidden.into_iter().rev().for_each(|key| self.queue.push_front(key));
        taken
    }

    /// The source has these writes, and everybody may know: they leave, with what they replaced
    /// among the parked. Their records stay until [`may_forget`](Self::may_forget).
    pub(super) fn applied(&mut self, batch: &[Arc<Pended<V>>]) {
        self.counts.batches += 1;
        for write in batch {
            self.counts.flushed += 1;
            self.leave(write);
            self.replace_parked(write.key(), write.sequence);
        }
    }

    /// The journal may forget these records.
    pub(super) fn may_forget(&mut self, sequences: &[u64]) {
        self.forgettable.extend(sequences);
    }

    /// Another process has the journal: nothing of it is here any more, for readers neither.
    pub(super) fn hand_over(&mut self) {
        *self = State { counts: self.counts, handed_over: true, ..State::default() };
    }

    pub(super) fn is_handed_over(&self) -> bool {
        self.handed_over
    }

    /// Nobody has asked the source to take these writes. They go back to where they were.
    pub(super) fn not_offered(&mut self, batch: &[Arc<Pended<V>>]) {
        for write in batch.iter().rev() {
            let Some(slot) = self.slot_of(write).filter(|slot| !slot.queued) else { continue };
            slot.queued = true;
            self.queue.push_front(write.key().clone());
        }
    }

    /// The source has not taken these writes. They go back to where they were; those that were tried
    /// `tries_max` times are answered and stay out of the queue.
    pub(super) fn put_back(
        &mut self,
        batch: &[Arc<Pended<V>>],
        tries_max: u32,
    ) -> Vec<Arc<Pended<V>>> {
        let mut exhausted = Vec::new();
        for write in batch.iter().rev() {
            let Some(slot) = self.slot_of(write) else { continue };
            slot.tries += 1;
            if slot.tries >= tries_max {
                exhausted.push(Arc::clone(write));
            } else if !slot.queued {
                slot.queued = true;
                self.queue.push_front(write.key().clone());
            }
        }
        exhausted
    }

    /// The journal has parked this write. False: a later one of its key has come, it is obsolete.
    pub(super) fn park(&mut self, write: &Arc<Pended<V>>, reason: &str) -> bool {
        if self.slot_of(write).is_none_or(|slot| slot.queued) {
            return false;
        }
        self.writes.remove(write.key());
        self.set_aside(write.sequence, Some(Arc::clone(write)), reason.to_owned(), write.bytes());
        true
    }

    /// A record is parked; its room is taken already.
    pub(super) fn set_aside(
        &mut self,
        sequence: u64,
        write: Option<Arc<Pended<V>>>,
        reason: String,
        bytes: usize,
    ) {
        if let Some(write) = &write {
            self.replace_parked(write.key(), sequence);
            self.parked_of.insert(write.key().clone(), sequence);
        }
        self.parked.insert(sequence, Parked { reason, write, bytes });
    }

    /// The parked writes that can be read, but for those of which a later one waits.
    pub(super) fn retryable(&self) -> Vec<u64> {
        let can_go = |parked: &Parked<V>| {
            parked.write.as_ref().is_some_and(|write| !self.writes.contains_key(write.key()))
        };
        let retryable = self.parked.iter().filter(|(_, parked)| can_go(parked));
        retryable.map(|(sequence, _)| *sequence).collect()
    }

    /// Takes a parked write back into the queue, unless a later one of its key is there.
    pub(super) fn unpark(&mut self, sequence: u64, now: Moment) -> Option<Arc<Pended<V>>> {
        let write = self.parked.get(&sequence)?.write.clone()?;
        if self.writes.contains_key(write.key()) {
            return None;
        }
        self.parked.remove(&sequence);
        self.parked_of.remove(write.key());
        let key = write.key().clone();
        self.queue.push_back(key.clone());
        let slot =
            Slot { write: Arc::clone(&write), since: now, queued: true, hidden: false, tries: 0 };
        self.writes.insert(key, slot);
        Some(write)
    }

    /// Gives a parked record up, and its room back.
    pub(super) fn discard(&mut self, sequence: u64) -> bool {
        let Some(parked) = self.parked.remove(&sequence) else { return false };
        if let Some(write) = &parked.write {
            self.parked_of.remove(write.key());
        }
        self.used.give_back(parked.bytes);
        self.forgettable.push_back(sequence);
        true
    }

    pub(super) fn parked(&self) -> &BTreeMap<u64, Parked<V>> {
        &self.parked
    }

    /// Records for the journal to forget, at most `max`, until it [has](Self::forgotten) or
    /// [has not](Self::not_forgotten).
    pub(super) fn forgettable(&mut self, max: usize) -> Vec<u64> {
        let count = max.min(self.forgettable.len());
        self.forgetting += count;
        self.forgettable.drain(..count).collect()
    }

    /// The journal has forgotten so many.
    pub(super) fn forgotten(&mut self, count: usize) {
        self.forgetting = self.forgetting.saturating_sub(count);
    }

    /// The journal has not forgotten them.
    pub(super) fn not_forgotten(&mut self, sequences: Vec<u64>) {
        self.forgotten(sequences.len());
        if self.handed_over {
            return;
        }
        sequences.into_iter().rev().for_each(|sequence| self.forgettable.push_front(sequence));
    }

    pub(super) fn forgettable_count(&self) -> usize {
        self.forgettable.len() + self.forgetting
    }

    /// Nothing waits any more, neither for the source nor to be forgotten.
    pub(super) fn is_settled(&self) -> bool {
        let forgets = self.forgettable_count() > 0 || self.unannounced > 0;
        self.used.writes == self.parked.len() && !forgets
    }

    /// Writes that the source does not have, without the parked.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    pub(super) fn keys(&self) -> Vec<EncodedKey> {
        self.writes.keys().cloned().collect()
    }

    /// When the write was asked for that waits longest.
    pub(super) fn oldest(&self) -> Option<Moment> {
        self.writes.values().map(|slot| slot.since).min()
    }

    /// The slot of a key whose last write is this one.
    fn slot_of(&mut self, write: &Pended<V>) -> Option<&mut Slot<V>> {
        let slot = self.writes.get_mut(write.key())?;
        (slot.write.sequence == write.sequence).then_some(slot)
    }

    fn leave(&mut self, write: &Pended<V>) {
        if self.slot_of(write).is_some() {
            self.writes.remove(write.key());
            self.used.give_back(write.bytes());
        }
    }

    /// A parked write has no turn any more once a later one of its key has had its own.
    fn replace_parked(&mut self, key: &EncodedKey, sequence: u64) {
        let parked = self.parked_of.get(key).copied();
        if let Some(older) = parked.filter(|parked| *parked < sequence) {
            self.discard(older);
        }
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
