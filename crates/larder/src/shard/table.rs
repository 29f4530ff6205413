//! The tag table: for each of two rows of slots, the largest hard and soft position of any name
//! that hashes there. A count-min sketch of positions (Cormode and Muthukrishnan 2005): a name's
//! position is the smaller of its two slots, so a collision can only kill too much.

use crate::record::{Mode, Name, NameHash, NameKind};

/// The default number of slots that tags and prefixes share in each row.
pub const TAG_SLOTS: usize = 65_536;

/// The fewest slots a row may have.
pub const TAG_SLOTS_MIN: usize = 256;

/// Slots of each row that only the root and the names of caches use: 4,096 by default.
pub const fn wide_slots(tag_slots: usize) -> usize {
    tag_slots / 16
}

/// The hard and the soft position of a name; zero where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Positions {
    /// The largest position that killed it.
    pub hard: u64,
    /// The largest position that made it stale.
    pub soft: u64,
}

impl Positions {
    /// The smaller position of each kind.
    #[must_use]
    pub fn min(self, other: Positions) -> Positions {
        Positions { hard: self.hard.min(other.hard), soft: self.soft.min(other.soft) }
    }

    /// The larger position of each kind.
    #[must_use]
    pub fn max(self, other: Positions) -> Positions {
        Positions { hard: self.hard.max(other.hard), soft: self.soft.max(other.soft) }
    }

    /// Raises the position of one kind; never lowers it.
    pub fn raise(&mut self, position: u64, mode: Mode) {
        let slot = match mode {
            Mode::Hard => &mut self.hard,
            Mode::Soft => &mut self.soft,
        };
        *slot = position.max(*slot);
    }
}

/// Where a name lives in a table: one slot in each of the two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// The slot in the first row.
    pub first: usize,
    /// The slot in the second row, counted from the table's start.
    pub second: usize,
}

impl Slots {
    /// The slots of a tag or prefix in a table with `tag_slots` slots, a power of two.
    pub fn of_tag(hash: NameHash, tag_slots: usize) -> Self {
        let mask = tag_slots - 1;
        let wide = wide_slots(tag_slots);
        Slots {
            first: wide + (hash.row0() as usize & mask),
            second: wide + tag_slots + wide + (hash.row1() as usize & mask),
        }
    }

    /// The slots of the root or of a cache's name.
    pub fn of_wide(hash: NameHash, tag_slots: usize) -> Self {
        let wide = wide_slots(tag_slots);
        Slots {
            first: hash.row0() as usize & (wide - 1),
            second: wide + tag_slots + (hash.row1() as usize & (wide - 1)),
        }
    }

    /// The slots of `name`; `None` for a key, which has none in this table.
    pub fn of(name: &Name, tag_slots: usize) -> Option<Self> {
        match name.kind() {
            NameKind::Root | NameKind::Cache => Some(Slots::of_wide(name.hash(), tag_slots)),
            NameKind::Prefix | NameKind::Tag => Some(Slots::of_tag(name.hash(), tag_slots)),
            NameKind::Key => None,
        }
    }
}

/// How many slots a table with `tag_slots` for tags has in all.
pub fn table_len(tag_slots: usize) -> usize {
    2 * (wide_slots(tag_slots) + tag_slots)
}

/// A tag table as a shard keeps and sends it: always of one size, whatever was invalidated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagTable {
    tag_slots: usize,
    slots: Box<[Positions]>,
}

impl TagTable {
    /// An empty table. `tag_slots` is a power of two.
    pub fn new(tag_slots: usize) -> Self {
        debug_assert!(tag_slots.is_power_of_two() && tag_slots >= TAG_SLOTS_MIN);
        let slots = vec![Positions::default(); table_len(tag_slots)].into_boxed_slice();
        TagTable { tag_slots, slots }
    }

    /// A table with these positions, in the order of [`slots`](Self::slots). `None`: no table has
    /// so many of them.
    pub fn from_slots(slots: Box<[Positions]>) -> Option<Self> {
        // Each row has a sixteenth more slots than tags and prefixes share.
        let tag_slots = slots.len() / 2 / 17 * 16;
        let is_table = tag_slots.is_power_of_two()
            && tag_slots >= TAG_SLOTS_MIN
            && slots.len() == table_len(tag_slots);
        is_table.then_some(TagTable { tag_slots, slots })
    }

    /// Slots that tags and prefixes share in each row.
    pub fn tag_slots(&self) -> usize {
        self.tag_slots
    }

    /// The positions in both rows, in order.
    pub fn slots(&self) -> &[Positions] {
        &self.slots
    }

    /// Raises both slots of a name.
    pub fn raise(&mut self, slots: Slots, position: u64, mode: Mode) {
        self.slots[slots.first].raise(position, mode);
        self.slots[slots.second].raise(position, mode);
    }

    /// The positions of a name: the smaller of its two slots.
    pub fn positions(&self, slots: Slots) -> Positions {
        self.slots[slots.first].min(self.slots[slots.second])
    }
}
