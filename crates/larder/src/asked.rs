//! An invalidation as a node takes it: what is named, how hard, by whom and why.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::node::marks::Target;
use crate::record::Mode;

/// Who invalidates, and why. Both are for people to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) by: Option<Arc<str>>,
    pub(crate) because: Option<Arc<str>>,
}

impl Cause {
    /// What this one does not say, the other one may.
    pub(crate) fn or(self, other: Cause) -> Cause {
        Cause { by: self.by.or(other.by), because: self.because.or(other.because) }
    }
}

/// What a node is asked to invalidate.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) records: Vec<(Target, Mode)>,
    pub(crate) cause: Cause,
}

impl Asked {
    /// These records, for a reason of this crate's own.
    pub(crate) fn because(why: &'static str, records: Vec<(Target, Mode)>) -> Asked {
        Asked { records, cause: Cause { by: None, because: Some(Arc::from(why)) } }
    }

    /// The records of both. The cause is this one's; what it does not say, the other one may.
    pub(crate) fn and(mut self, other: Asked) -> Asked {
        self.records.extend(other.records);
        Asked { records: self.records, cause: self.cause.or(other.cause) }
    }

    /// Each name once: what is named both ways is gone, not only stale.
    pub(crate) fn merged(self) -> Asked {
        let mut places = HashMap::new();
        let mut records: Vec<(Target, Mode)> = Vec::new();
        for (target, mode) in self.records {
            match places.entry(target.clone()) {
                Entry::Vacant(place) => {
                    place.insert(records.len());
                    records.push((target, mode));
                }
                Entry::Occupied(place) if mode == Mode::Hard => records[*place.get()].1 = mode,
                Entry::Occupied(_) => {}
            }
        }
        Asked { records, cause: self.cause }
    }
}
