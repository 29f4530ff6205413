//! Writes become acknowledged: all that wait go into the journal in one append, then the cache
//! shows them, then their callers are told. While one append is on its way, the next gathers.

use std::collections::HashSet;
use std::sync::Arc;

use super::core::{Behind, StoredKey};
use super::error::WriteError;
use super::frame;
use super::intake::Submission;
use super::journal::{JournalError, JournalRecord};
use crate::event::Event;
use crate::{Entry, wait};

impl<K: StoredKey, V: Entry> Behind<K, V> {
    /// Until write-behind is closed.
    pub(super) async fn append_all(self: Arc<Self>) {
        loop {
            let batch = self.intake.take();
            if !batch.is_empty() {
                self.append(batch).await;
            } else if wait::until(self.intake.filled(), self.stopped()).await.is_none() {
                break;
            }
        }
        self.intake.close();
        let late = self.intake.take();
        self.give_back(&late);
    }

    async fn append(&self, batch: Vec<Submission<K, V>>) {
        let name = self.cache.name();
        let record = |submission: &Submission<K, V>| {
            let sequence = submission.write.sequence;
            JournalRecord { sequence, bytes: frame::encode(name, sequence, &submission.write.wish) }
        };
        let records: Vec<JournalRecord> = batch.iter().map(record).collect();
        match self.asked(self.journal.append(name, &records)).await {
            Ok(()) => self.acknowledge(batch).await,
            Err(error) => self.refuse(batch, &error),
        }
    }

    /// In this order: readers get the write, what they would read of older ones is invalidated, the
    /// source may have it, its caller is told.
    async fn acknowledge(&self, mut batch: Vec<Submission<K, V>>) {
        {
            let mut state = self.pending.state();
            state.doubt_ends();
            state.counts.acknowledged += batch.len() as u64;
            batch.iter().for_each(|submission| state.enter(Arc::clone(&submission.write)));
        }
        self.show(&mut batch).await;
        {
            let mut state = self.pending.state();
            batch.iter().for_each(|submission| state.shown(&submission.write));
        }
        self.pending.ease();
        self.pending.stir();
        for Submission { write, reply, .. } in batch {
            // Nobody waits for the answer if the caller was cancelled.
            drop(reply.send(Ok(write.sequence)));
        }
    }

    /// Only the last write of a key is shown: they are shown at once, in no order.
    async fn show(&self, batch: &mut [Submission<K, V>]) {
        let mut seen = HashSet::new();
        let last = batch.iter_mut().rev().filter(|one| seen.insert(one.write.key().clone()));
        let last: Vec<(K, Option<V>)> = last.map(|one| (one.key.clone(), one.value.take())).collect();
        // Not stored is invalidated: readers get the write from what waits.
        drop(self.cache.set_many(last).await);
    }

    fn refuse(&self, batch: Vec<Submission<K, V>>, error: &JournalError) {
        if let (Some(first), Some(last)) = (batch.first(), batch.last()) {
            let sequences = first.write.sequence..last.write.sequence + 1;
            self.pending.state().doubt(sequences);
        }
        self.journal_failed(error);
        self.give_back(&batch);
        for submission in batch {
            drop(submission.reply.send(Err(WriteError::Journal(error.clone()))));
        }
    }

    fn give_back(&self, batch: &[Submission<K, V>]) {
        {
            let mut state = self.pending.state();
            batch.iter().for_each(|submission| state.used.give_back(submission.write.bytes()));
        }
        self.pending.ease();
    }

    /// Whoever has taken the journal flushes what is in it. Nothing of it is flushed or shown here any more.
    pub(super) fn journal_failed(&self, error: &JournalError) {
        if let JournalError::Lost { .. } = error {
            {
                let mut announcing = self.announcing.lock();
                self.pending.state().hand_over();
                announcing.clear();
            }
            self.pending.ease();
        }
        let (cache, error) = (self.cache.name(), error.to_string());
        self.node().emit(Event::JournalFailed { cache, error: &error });
    }
}
