//! Reads of what was written and has not reached the source yet: whoever asks this node gets what it
//! acknowledged, whatever the shared tier and the source say.

use std::sync::Arc;
use std::time::Duration;

use crate::Entry;
use crate::behind::pended::Pended;
use crate::cache::core::{CacheCore, Making, Sought};
use crate::hit::{Answer, Origin};
use crate::memory::resident::{Held, Resident};
use crate::node::view::Place;
use crate::policy::Lifetime;

impl<V: Entry> CacheCore<V> {
    /// The acknowledged write of a key, as an answer.
    pub(super) fn unflushed(&self, sought: &Sought) -> Option<Answer<V>> {
        let write = self.behind.get()?.of(&sought.names.key)?;
        let resident = Arc::clone(write.shown.get_or_init(|| self.made_of(sought, &write)).as_ref()?);
        Some(Answer { resident, origin: Origin::Memory, stale: false, at: self.node.now() })
    }

    /// Whether the source, and so everything that was read of it, is behind what this node has
    /// acknowledged.
    pub(super) fn is_unflushed(&self, sought: &Sought) -> bool {
        self.behind.get().is_some_and(|behind| behind.of(&sought.names.key).is_some())
    }

    /// An entry that is never put into memory. `None`: the value cannot be read back.
    fn made_of(&self, sought: &Sought, write: &Pended<V>) -> Option<Arc<Resident<V>>> {
        let value = write.value(&self.policy.form, self.policy.value_bytes_max)?;
        let value = value.map_or(Held::Absent, Held::Own);
        let making = Making {
            l0: 0,
            place: Place { epoch: None, number: u32::MAX, applied: 0 },
            as_of: 0,
            key_as_of: 0,
            lifetime: Lifetime::NONE,
            loaded_at: write.asked,
            load_cost: Duration::ZERO,
            own_load: true,
            soft: false,
            tags: Box::default(),
        };
        Some(self.make(sought, making, value))
    }
}
