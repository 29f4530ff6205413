//! Acknowledged writes reach the source: in batches, one at a time, until it has them. In this
//! order: the source commits, every node is told, the journal forgets. Whoever dies between two
//! of these does the rest again.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::core::{Behind, StoredKey};
use super::journal::JournalError;
use super::pended::Pended;
use super::pending::Pending;
use super::sink::{Change, SinkError};
use super::state::Due;
use crate::asked::Asked;
use crate::event::Event;
use crate::invalidation::Outcome;
use crate::key::EncodedKey;
use crate::node::marks::Target;
use crate::record::{Mode, Name};
use crate::{Entry, wait};

/// The most records that the journal forgets in one step.
const FORGET_MAX: usize = 1_000;
/// How long the journal is left alone that would not forget, and other nodes that do not know yet.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Why a write that the source rejects is tried once more.
const NOT_PARKED: &str = "the journal could not park a write";

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flushed {
    /// Everything of it has left the queue.
    All,
    /// Some of it is to be tried again.
    InPart,
}

type Batch<V> = Vec<Arc<Pended<V>>>;

/// Writes as the source gets them.
struct Offer<K, V> {
    /// Those that can be read.
    readable: Batch<V>,
    changes: Vec<Change<K, V>>,
    unreadable: Batch<V>,
}

impl<K: StoredKey, V: Entry> Behind<K, V> {
    /// Until write-behind is closed.
    pub(super) async fn flush_all(self: Arc<Self>) {
        let mut failures = 0_u32;
        while !self.is_stopped() {
            let (delay, now) = (self.pending.delay(), self.node().now());
            let batch = self.pending.state().take(delay, now, self.pending.bounds().batch_max);
            if batch.is_empty() {
                self.rest().await;
                continue;
            }
            // What is given up here is in the journal, and is flushed after the next start.
            let turn = self.flush(batch);
            let Some(flushed) = wait::until(turn, self.stopped()).await else { break };
            self.forget().await;
            failures = if flushed == Flushed::All { 0 } else { failures.saturating_add(1) };
            if failures > 0 {
                let unit = self.node().random.next_unit();
                let rest = self.passed(self.pending.bounds().backoff(failures, unit));
                wait::until(rest, self.stopped()).await;
            }
        }
    }

    /// Waits until there may be something to do.
    async fn rest(&self) {
        let unfinished = {
            let state = self.pending.state();
            state.unannounced > 0 || state.forgettable_count() >= FORGET_MAX
        };
        if (unfinished || self.pending.is_hurried()) && self.forget().await {
            return;
        }
        let (delay, now) = (self.pending.delay(), self.node().now());
        let due = match self.pending.state().due(delay, now) {
            Due::At(moment) => Some(moment),
            // What is due and was not taken is shown in a moment; who shows it says so.
            Due::Now | Due::Never => None,
        };
        let again = unfinished.then(|| now.plus(ASK_AGAIN));
        let woken = wait::until(self.pending.stirred(), self.stopped());
        match due.into_iter().chain(again).min() {
            Some(moment) => drop(wait::until(woken, self.node().clock.sleep_until(moment)).await),
            None => drop(woken.await),
        }
    }

    /// Whose the journal is, is asked before each part: the source may take its time with those before.
    async fn flush(&self, batch: Batch<V>) -> Flushed {
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            if !self.is_held().await {
                parts.push(part);
                self.pending.state().not_offered(&in_turn(parts));
                return Flushed::InPart;
            }
            let Offer { readable: part, changes, unreadable } = self.read_back(part);
            if !unreadable.is_empty() {
                if !self.park_all(&unreadable, "the key or the value cannot be read back").await {
                    parts.extend([unreadable, part]);
                    return self.put_back(parts, NOT_PARKED).await;
                }
                parts.push(part);
                continue;
            }
            match self.offer(changes.into()).await {
                Ok(()) => self.finish(&part).await,
                Err(SinkError::Rejected(reason)) if part.len() == 1 => {
                    if !self.park_all(&part, &reason.to_string()).await {
                        parts.push(part);
                        return self.put_back(parts, NOT_PARKED).await;
                    }
                }
                Err(SinkError::Rejected(_)) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second.to_vec(), first.to_vec()]);
                }
                Err(SinkError::Unavailable(reason)) => {
                    parts.push(part);
                    return self.put_back(parts, &reason.to_string()).await;
                }
            }
        }
        Flushed::All
    }

    /// Two processes that flushed the same key would do so in any order.
    async fn is_held(&self) -> bool {
        match self.asked(self.journal.hold(self.cache.name())).await {
            // The journal may be sure for the rest of a lease of what an append has found out to be lost.
            Ok(()) => !self.pending.state().is_handed_over(),
            Err(error) => {
                self.journal_failed(&error);
                false
            }
        }
    }

    fn read_back(&self, part: Batch<V>) -> Offer<K, V> {
        let (mut readable, mut changes, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for write in part {
            match self.change_of(&write) {
                Some(change) => {
                    changes.push(change);
                    readable.push(write);
                }
                None => unreadable.push(write),
            }
        }
        Offer { readable, changes, unreadable }
    }

    fn change_of(&self, write: &Pended<V>) -> Option<Change<K, V>> {
        let policy = &self.cache.core.policy;
        let key: K = serde_json::from_slice(&write.wish.key_json).ok()?;
        if EncodedKey::new(self.cache.name(), &key) != *write.key() {
            return None;
        }
        let value = write.value(&policy.form, policy.value_bytes_max)?;
        Some(Change { key, value, sequence: write.sequence, id: write.wish.id })
    }

    /// Gives a batch to the source, whose panics and standstills count as failures.
    async fn offer(&self, changes: Arc<[Change<K, V>]>) -> Result<(), SinkError> {
        if changes.is_empty() {
            return Ok(());
        }
        let limit = self.pending.bounds().sink_timeout;
        let applied = AssertUnwindSafe(async { (self.sink)(changes).await }).catch_unwind();
        match wait::until(applied, self.passed(limit)).await {
            Some(Ok(applied)) => applied,
            Some(Err(_)) => Err(SinkError::Unavailable("the sink panicked".into())),
            None => Err(SinkError::Unavailable(format!("no answer within {limit:?}").into())),
        }
    }

    /// The source has them. Until everybody was told, other nodes may hold what was there before.
    async fn finish(&self, part: &[Arc<Pended<V>>]) {
        if part.is_empty() {
            return;
        }
        let ticket = self.invalidate(part).await;
        {
            // Both at once: whoever hands over in between would leave a count that nothing takes back.
            let mut announcing = self.announcing.lock();
            let mut state = self.pending.state();
            state.applied(part);
            // The records of a journal that was handed over are another's to forget.
            if !state.is_handed_over() {
                state.unannounced += part.len();
                let sequences = part.iter().map(|write| write.sequence).collect();
                announcing.push_back((ticket, sequences));
            }
        }
        self.pending.ease();
    }

    /// `None`: every node knows.
    async fn invalidate(&self, part: &[Arc<Pended<V>>]) -> Option<crate::Ticket> {
        let record = |write: &Arc<Pended<V>>| (Target::Name(Name::key(write.key())), Mode::Hard);
        let flushed = Asked::because("written behind", part.iter().map(record).collect());
        let invalidated = self.node().invalidate(flushed).await;
        match invalidated.outcome {
            Outcome::Shared(_) => None,
            Outcome::Local(ticket) => Some(ticket),
        }
    }

    /// False: one of them could not be parked.
    async fn park_all(&self, writes: &[Arc<Pended<V>>], reason: &str) -> bool {
        for write in writes {
            if !self.park(write, reason).await {
                return false;
            }
        }
        true
    }

    /// True: the write is parked, or a later one has taken its place.
    async fn park(&self, write: &Arc<Pended<V>>, reason: &str) -> bool {
        let parked = self.journal.park(self.cache.name(), write.sequence, Some(reason));
        if let Err(error) = self.asked(parked).await {
            self.journal_failed(&error);
            return false;
        }
        if self.pending.state().park(write, reason) {
            let (cache, sequence) = (self.cache.name(), write.sequence);
            self.node().emit(Event::WriteParked { cache, sequence, reason });
            // What readers were shown will not come to be. Others never saw it for good.
            drop(self.invalidate(std::slice::from_ref(write)).await);
        }
        self.pending.ease();
        true
    }

    /// Parked writes go back into the queue. Answers how many.
    pub(super) async fn retry_parked(&self) -> Result<usize, JournalError> {
        let sequences = self.pending.state().retryable();
        let mut count = 0;
        for sequence in sequences {
            self.asked(self.journal.park(self.cache.name(), sequence, None)).await?;
            let retried = self.pending.state().unpark(sequence, self.node().now());
            self.pending.stir();
            let Some(retried) = retried else { continue };
            count += 1;
            // Readers get it again, and not what was cached in its place.
            drop(self.invalidate(&[retried]).await);
        }
        Ok(count)
    }

    async fn put_back(&self, parts: Vec<Batch<V>>, reason: &str) -> Flushed {
        let writes = in_turn(parts);
        let cache = self.cache.name();
        self.node().emit(Event::FlushFailed { cache, writes: writes.len(), error: reason });
        let exhausted = {
            let mut state = self.pending.state();
            state.counts.retries += 1;
            state.put_back(&writes, self.pending.bounds().tries_max)
        };
        let mut kept = Vec::new();
        for write in exhausted {
            if !self.park(&write, &format!("given up: {reason}")).await {
                kept.push(write);
            }
        }
        // The journal would not park them: they are tried once more.
        self.pending.state().put_back(&kept, u32::MAX);
        Flushed::InPart
    }

    /// Lets the journal forget what it need not keep. True: there was something, and it did.
    ///
    /// One at a time, and what the journal has not forgotten is tried again, also if this is dropped:
    /// no record may outlast one that has replaced it.
    pub(super) async fn forget(&self) -> bool {
        let _turn = self.forgetting.lock().await;
        self.announced();
        let mut forgot = false;
        loop {
            let old = Forgettable::of(&self.pending);
            if old.sequences.is_empty() {
                break;
            }
            let asked = self.journal.forget(self.cache.name(), &old.sequences);
            if let Err(error) = self.asked(asked).await {
                self.journal_failed(&error);
                return false;
            }
            old.are_forgotten();
            forgot = true;
        }
        self.pending.ease();
        forgot
    }

    /// Flushed writes that every node knows of leave the journal, in their order.
    fn announced(&self) {
        let mut announcing = self.announcing.lock();
        let mut state = self.pending.state();
        while let Some((ticket, _)) = announcing.front() {
            if ticket.as_ref().is_some_and(|ticket| ticket.position().is_none()) {
                break;
            }
            let Some((_, sequences)) = announcing.pop_front() else { break };
            state.unannounced = state.unannounced.saturating_sub(sequences.len());
            state.may_forget(&sequences);
        }
    }
}

/// Parts lie as on a stack: the last comes first.
fn in_turn<V>(parts: Vec<Batch<V>>) -> Batch<V> {
    parts.into_iter().rev().flatten().collect()
}

/// Records that the journal is asked to forget. Those that are left when it is dropped were not.
struct Forgettable<'p, V> {
    pending: &'p Pending<V>,
    sequences: Vec<u64>,
}

impl<'p, V> Forgettable<'p, V> {
    fn of(pending: &'p Pending<V>) -> Self {
        Forgettable { pending, sequences: pending.state().forgettable(FORGET_MAX) }
    }

    fn are_forgotten(mut self) {
        self.pending.state().forgotten(std::mem::take(&mut self.sequences).len());
    }
}

impl<V> Drop for Forgettable<'_, V> {
    fn drop(&mut self) {
        self.pending.state().not_forgotten(std::mem::take(&mut self.sequences));
    }
}
