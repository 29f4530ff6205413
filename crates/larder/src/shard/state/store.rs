//! When a loaded value may be stored: only under its lease, and only if nothing named it since
//! the load began.

use super::{Effects, Lease, Live, ShardState, Step, Values};
use crate::key::EncodedKey;
use crate::record::{Name, NameHash, Record};
use crate::shard::table::{Positions, Slots};
use crate::shard::{Appended, Fill, FillReply, StoredEntry, TAGS_MAX};

impl ShardState {
    /// Stores what was loaded under a lease, and ends the lease in any case.
    ///
    /// Rejected is also an entry whose epoch and `as_of` are not the lease's, that has more than
    /// [`TAGS_MAX`] tags, or that has expired.
    pub fn fill(&mut self, step: &Step, fill: &Fill, effects: &mut Effects) -> FillReply {
        let mut live = self.live(step);
        let lease = live.take_lease(&fill.key, fill.token, effects);
        // A soft record makes stale, and says so when the entry is judged: only hard ones reject.
        if !lease.is_some_and(|lease| live.allows(fill, &lease, |at| at.hard)) {
            return FillReply::Rejected;
        }
        live.store(&fill.key, fill.entry.clone())
    }

    /// Appends `records`, and stores `fill` at the last of their positions if its lease held until
    /// then. A store without a record would leave older copies alive, so it is rejected.
    ///
    /// The entry was written before it is read: a soft record since the lease rejects it too, for
    /// nothing would flag it later.
    pub fn write_through(
        &mut self,
        step: &Step,
        fill: &Fill,
        records: Vec<Record>,
        effects: &mut Effects,
    ) -> (Appended, FillReply) {
        let mut live = self.same_run(step);
        let lease = live.take_lease(&fill.key, fill.token, effects);
        let latest = |at: Positions| at.hard.max(at.soft);
        let allowed =
            !records.is_empty() && lease.is_some_and(|lease| live.allows(fill, &lease, latest));
        let appended = live.append(records, effects);
        if !allowed {
            return (appended, FillReply::Rejected);
        }
        let Appended { epoch, position } = appended;
        let entry = StoredEntry { epoch, as_of: position, soft: false, ..fill.entry.clone() };
        (appended, live.store(&fill.key, entry))
    }
}

impl Live<'_> {
    fn allows(&self, fill: &Fill, lease: &Lease, named: impl Fn(Positions) -> u64) -> bool {
        let Fill { key, entry, .. } = fill;
        lease.epoch == self.meta.epoch
            && (entry.epoch, entry.as_of) == (lease.epoch, lease.as_of)
            && self.meta.barrier <= lease.as_of
            && entry.tags.len() <= TAGS_MAX
            && self.now < entry.expires_at
            && self.tag_slots_of(key, &entry.tags).all(|at| named(at) <= lease.as_of)
    }

    /// The positions of the root, of the key's cache, and of the entry's prefixes and tags.
    fn tag_slots_of(&self, key: &EncodedKey, tags: &[NameHash]) -> impl Iterator<Item = Positions> {
        let table = &self.table.slots;
        let tag_slots = table.tag_slots();
        let wide = [Name::root().hash(), key.cache_hash()];
        let wide = wide.into_iter().map(move |hash| Slots::of_wide(hash, tag_slots));
        let tags = tags.iter().map(move |&hash| Slots::of_tag(hash, tag_slots));
        wide.chain(tags).map(|slots| table.positions(slots))
    }

    fn store(&mut self, key: &EncodedKey, entry: StoredEntry) -> FillReply {
        if self.settings.values == Values::Kept {
            self.values.insert(key.clone(), entry);
        }
        FillReply::Stored
    }
}
