//! What happened, in order: for the equality of two runs of one seed, and for whoever reads a
//! violation. Decides nothing.

use std::fmt;

use crate::exec::Nanos;

/// One thing that happened. `node`, `shard` and `key` are left out where they say nothing.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) at: Nanos,
    pub(crate) what: &'static str,
    pub(crate) node: Option<usize>,
    pub(crate) shard: Option<usize>,
    pub(crate) key: Option<usize>,
    /// A number that tells runs apart: an operation, a version, an answer's digest.
    pub(crate) detail: u64,
}

impl Event {
    /// Something called `what`; the other parts follow by the setters below.
    pub(crate) fn new(what: &'static str, detail: u64) -> Self {
        Event { at: 0, what, node: None, shard: None, key: None, detail }
    }

    pub(crate) fn on_node(mut self, node: usize) -> Self {
        self.node = Some(node);
        self
    }

    pub(crate) fn on_shard(mut self, shard: usize) -> Self {
        self.shard = Some(shard);
        self
    }

    pub(crate) fn of_key(mut self, key: usize) -> Self {
        self.key = Some(key);
        self
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12.3} ms  {:28}", self.at as f64 / 1e6, self.what)?;
        for (name, part) in [("node", self.node), ("shard", self.shard), ("key", self.key)] {
            if let Some(part) = part {
                write!(f, " {name} {part}")?;
            }
        }
        write!(f, "  #{}", self.detail)
    }
}

/// The events of one simulation and their running hash (FNV-1a over the parts).
pub(crate) struct Trace {
    events: Vec<Event>,
    hash: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Trace { events: Vec::new(), hash: 0xCBF2_9CE4_8422_2325 }
    }
}

impl Trace {
    /// Keeps `event`, which happened `at`.
    pub(crate) fn note(&mut self, at: Nanos, event: Event) {
        let place = |part: Option<usize>| part.map_or(u64::MAX, |part| part as u64);
        let text = event.what.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
        for part in [at, text, place(event.node), place(event.shard), place(event.key), event.detail]
        {
            self.hash = (self.hash ^ part).wrapping_mul(0x0100_0000_01B3);
        }
        self.events.push(Event { at, ..event });
    }

    /// Equal for two runs in which the same things happened at the same times.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// All events, oldest first.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// The last `count` events that concern `key`: its own and those that name no key at all.
    pub(crate) fn history(&self, key: usize, count: usize) -> Vec<&Event> {
        let mut last: Vec<&Event> = self
            .events
            .iter()
            .rev()
            .filter(|event| event.key.is_none_or(|of| of == key))
            .take(count)
            .collect();
        last.reverse();
        last
    }
}
