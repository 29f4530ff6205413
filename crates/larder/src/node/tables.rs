//! A view's copy of the tag table, and its key table: positions that writers raise and judges
//! read without a lock.

use super::subject::Names;
use crate::record::{Mode, Name, NameHash};
use crate::shard::table::{Positions, Slots, TagTable, table_len};
use crate::sync::{AtomicU64, Ordering};

/// Slots of a key table: one row, so that a soft key record can be judged without a list of names. As
/// many as an entry's 16 bits can name: a value of the shared tier whose slot was hit by another key is lost.
#[cfg(not(feature = "shuttle"))]
pub(crate) const KEY_SLOTS: usize = 65_536;
#[cfg(feature = "shuttle")]
pub(crate) const KEY_SLOTS: usize = 64;

/// The slot of a key with this hash.
pub(crate) fn key_slot(hash: NameHash) -> u16 {
    (hash.row0() as usize & (KEY_SLOTS - 1)) as u16
}

/// Both tables of one epoch.
#[derive(Debug)]
pub(crate) struct Tables {
    tag_slots: usize,
    tags: Box<[Slot]>,
    keys: Box<[Slot]>,
    root: Slots,
}

#[derive(Debug, Default)]
struct Slot {
    hard: AtomicU64,
    soft: AtomicU64,
}

impl Slot {
    fn positions(&self) -> Positions {
        Positions { hard: self.hard.load(Ordering::SeqCst), soft: self.soft.load(Ordering::SeqCst) }
    }

    /// True if the slot rose.
    fn raise(&self, position: u64, mode: Mode) -> bool {
        let slot = match mode {
            Mode::Hard => &self.hard,
            Mode::Soft => &self.soft,
        };
        slot.fetch_max(position, Ordering::SeqCst) < position
    }

    fn at(positions: Positions) -> Self {
        Slot { hard: AtomicU64::new(positions.hard), soft: AtomicU64::new(positions.soft) }
    }
}

fn slots(len: usize, at: impl Fn(usize) -> Positions) -> Box<[Slot]> {
    (0..len).map(|index| Slot::at(at(index))).collect()
}

impl Tables {
    pub(crate) fn empty(tag_slots: usize) -> Self {
        Tables::of(tag_slots, slots(table_len(tag_slots), |_| Positions::default()))
    }

    /// The tag table of a shard, and an empty key table: a new epoch.
    pub(crate) fn adopted(table: &TagTable) -> Self {
        Tables::of(table.tag_slots(), slots(table.slots().len(), |index| table.slots()[index]))
    }

    /// What this copy and the shard's table know together; the key table stays. The epoch is the
    /// same, so neither may lose what it knows.
    pub(crate) fn merged(&self, table: &TagTable) -> Self {
        if table.tag_slots() != self.tag_slots {
            return Tables::adopted(table);
        }
        let tags =
            slots(self.tags.len(), |index| self.tags[index].positions().max(table.slots()[index]));
        let keys = slots(KEY_SLOTS, |index| self.keys[index].positions());
        Tables { tag_slots: self.tag_slots, tags, keys, root: self.root }
    }

    fn of(tag_slots: usize, tags: Box<[Slot]>) -> Self {
        let root = Slots::of_wide(Name::root().hash(), tag_slots);
        Tables { tag_slots, tags, keys: slots(KEY_SLOTS, |_| Positions::default()), root }
    }

    /// Raises the slots of a name. True if any of them rose.
    pub(crate) fn raise(&self, name: &Name, position: u64, mode: Mode) -> bool {
        match Slots::of(name, self.tag_slots) {
            Some(slots) => {
                let first = self.tags[slots.first].raise(position, mode);
                self.tags[slots.second].raise(position, mode) || first
            }
            None => self.keys[usize::from(key_slot(name.hash()))].raise(position, mode),
        }
    }

    /// The worst positions of everything an entry's tags name: root, cache, prefixes, value tags.
    pub(crate) fn positions_of_names(&self, names: Names<'_>) -> Positions {
        let wide = self
            .positions(self.root)
            .max(self.positions(Slots::of_wide(names.cache, self.tag_slots)));
        let tags = names.prefixes.iter().chain(names.tags);
        tags.fold(wide, |worst, tag| worst.max(self.positions(Slots::of_tag(*tag, self.tag_slots))))
    }

    pub(crate) fn positions_of_key(&self, slot: u16) -> Positions {
        self.keys[usize::from(slot)].positions()
    }

    fn positions(&self, slots: Slots) -> Positions {
        self.tags[slots.first].positions().min(self.tags[slots.second].positions())
    }
}
