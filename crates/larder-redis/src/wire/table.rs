//! The tag table as bytes: its epoch, then the hard and the soft position of each slot.

use larder::shard::Epoch;
use larder::shard::table::{Positions, TagTable};

use super::reader::Reader;

/// `None`: no table, or none that a shard could have.
pub(crate) fn decode(bytes: &[u8]) -> Option<(Epoch, TagTable)> {
    let mut bytes = Reader::of(bytes);
    let epoch = Epoch(bytes.wide()?);
    let slots = bytes.rest();
    let (slots, rest) = slots.as_chunks::<16>();
    if !rest.is_empty() {
        return None;
    }
    let positions = |slot: &[u8; 16]| {
        let mut slot = Reader::of(slot);
        Some(Positions { hard: slot.number()?, soft: slot.number()? })
    };
    let slots: Option<Box<[Positions]>> = slots.iter().map(positions).collect();
    Some((epoch, TagTable::from_slots(slots?)?))
}
