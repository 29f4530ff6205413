//! One acknowledged write that the source does not have yet.

use std::sync::{Arc, OnceLock};

use crate::Entry;
use crate::clock::Moment;
use crate::codec::Form;
use crate::key::EncodedKey;
use crate::memory::resident::Resident;
use crate::shard::Payload;

/// What a write costs in memory besides its key and its value.
const WRITE_BYTES: usize = 192;

/// What one write says. Encoded: it is kept as it is until it is flushed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wish {
    /// Given to this write alone.
    pub(crate) id: u128,
    /// What the write is ordered and merged by.
    pub(crate) key: EncodedKey,
    /// The same key in a form that can be read back.
    pub(crate) key_json: Box<[u8]>,
    /// The schema of the value.
    pub(crate) fingerprint: u64,
    /// The new value; `None` removes the key.
    pub(crate) payload: Option<Payload>,
}

impl Wish {
    /// What it takes of the room for writes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let payload = self.payload.as_ref().map_or(0, |payload| payload.bytes.len());
        WRITE_BYTES + self.key.as_bytes().len() + self.key_json.len() + payload
    }
}

/// A write with its place in the order of all writes of its cache.
pub(crate) struct Pended<V> {
    pub(crate) sequence: u64,
    pub(crate) wish: Wish,
    /// When it was asked for; of a replayed one, when it was read.
    pub(crate) asked: Moment,
    /// The value as readers get it, once somebody has read it.
    pub(crate) shown: OnceLock<Option<Arc<Resident<V>>>>,
}

impl<V> Pended<V> {
    pub(crate) fn new(sequence: u64, wish: Wish, asked: Moment) -> Self {
        Pended { sequence, wish, asked, shown: OnceLock::new() }
    }

    pub(crate) fn key(&self) -> &EncodedKey {
        &self.wish.key
    }

    pub(crate) fn bytes(&self) -> usize {
        self.wish.bytes()
    }

    /// The value, in a cache whose values have this form: `Some(None)` for a removal, `None` where it
    /// is of another type or cannot be read.
    pub(crate) fn value(&self, form: &Form, bytes_max: usize) -> Option<Option<V>>
    where
        V: Entry,
    {
        match &self.wish.payload {
            None => Some(None),
            Some(_) if self.wish.fingerprint != V::FINGERPRINT => None,
            Some(payload) => form.read(payload, bytes_max).map(Some),
        }
    }
}
