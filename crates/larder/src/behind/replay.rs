//! What a process before this one acknowledged and did not flush: read back before anything else,
//! and put in front of all new writes.

use std::sync::Arc;

use super::core::{Behind, StoredKey};
use super::frame;
use super::journal::{JournalError, StoredRecord};
use super::pended::Pended;
use crate::Entry;
use crate::asked::Asked;
use crate::event::Event;
use crate::node::marks::Target;
use crate::record::{Mode, Name};

/// How many records are read at a time.
const PAGE: usize = 1_000;

/// What a record without a write takes of the room, besides its bytes.
const RECORD_BYTES: usize = 64;

impl<K: StoredKey, V: Entry> Behind<K, V> {
    /// Reads the whole journal. Damaged records are parked; nothing is left out.
    pub(super) async fn replay(&self) -> Result<(), JournalError> {
        let mut after = 0;
        loop {
            let page = self.asked(self.journal.read(self.cache.name(), after, PAGE)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.sequence;
            for record in page {
                self.admit(record).await?;
            }
        }
    }

    /// Readers get what was read back, and nothing that they found before.
    pub(super) async fn hide_replayed(&self) {
        let keys = self.pending.state().keys();
        for keys in keys.chunks(PAGE) {
            let record = |key| (Target::Name(Name::key(key)), Mode::Hard);
            let waiting = Asked::because("found in the journal", keys.iter().map(record).collect());
            drop(self.node().invalidate(waiting).await);
        }
    }

    async fn admit(&self, record: StoredRecord) -> Result<(), JournalError> {
        let StoredRecord { sequence, bytes, parked } = record;
        match (frame::decode(self.cache.name(), sequence, &bytes), parked) {
            (Ok(wish), parked) => {
                let write = Arc::new(Pended::new(sequence, wish, self.node().now()));
                let mut state = self.pending.state();
                state.used.take(write.bytes());
                state.counts.replayed += 1;
                match parked {
                    None => {
                        state.enter(Arc::clone(&write));
                        state.shown(&write);
                    }
                    Some(reason) => {
                        state.set_aside(sequence, Some(Arc::clone(&write)), reason, write.bytes());
                    }
                }
            }
            (Err(_), Some(reason)) => self.set_damaged_aside(sequence, reason, bytes.len()),
            (Err(unreadable), None) => {
                let (cache, reason) = (self.cache.name(), unreadable.to_string());
                self.asked(self.journal.park(cache, sequence, Some(&reason))).await?;
                self.node().emit(Event::WriteParked { cache, sequence, reason: &reason });
                self.set_damaged_aside(sequence, reason, bytes.len());
            }
        }
        Ok(())
    }

    fn set_damaged_aside(&self, sequence: u64, reason: String, bytes: usize) {
        let mut state = self.pending.state();
        state.used.take(RECORD_BYTES + bytes);
        state.set_aside(sequence, None, reason, RECORD_BYTES + bytes);
    }
}
