//! A consistency probe for production: registers that every node writes and watches, and a count
//! of those that were found too old. It asks only what any user of the cache can ask, so that it
//! also finds mistakes of the cache itself (after Facebook's Polaris, "Cache made consistent",
//! 2022).
//!
//! Each round of a register either writes its next version, or reads it as a user does, sees what the
//! shared tier has, and after the bound looks again into memory and shared tier: neither may be
//! older than what was seen. Looking again neither loads nor promotes.
//!
//! Of two versions of one writer the lower is the older. Of those of two writers, the one that the
//! shared tier had first: each version is written once, so that none comes back.

use std::collections::VecDeque;
use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use crate::error::{BuildError, Mistake};
use crate::node::Node;
use crate::{Cache, Entry, Larder, Lookup};

/// The name of the cache that the registers lie in.
pub const PROBE_CACHE: &str = "larder probe";

/// One round of a register in so many is a write, on average.
const WRITES_ONE_IN: f64 = 4.0;

/// How many versions of a register are remembered that others have replaced.
const REPLACED_MAX: usize = 32;

/// How a probe works. All nodes of a namespace must have the same number of registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeOptions {
    /// How many registers are written and watched at a time, 1 to 10,000. Default 8.
    pub registers: u32,
    /// How long a register rests between two rounds. Default 1 s.
    pub rest: Duration,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        ProbeOptions { registers: 8, rest: Duration::from_secs(1) }
    }
}

/// What a probe has found since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ProbeReport {
    /// Versions written by this node.
    pub writes: u64,
    /// Times that a register was looked at again.
    pub checks: u64,
    /// Times that this node's memory served what was older than the bound, or than its own write.
    pub stale_in_memory: u64,
    /// Times that the shared tier served an older version than it had served before.
    pub stale_in_shared: u64,
}

/// What a node knows of the order of a register's versions.
#[derive(Default)]
struct History {
    /// What the shared tier had last.
    last: Option<Register>,
    /// What it had before, oldest first.
    replaced: VecDeque<Register>,
}

impl History {
    /// The shared tier has this version.
    fn see(&mut self, shared: Register) {
        if self.last != Some(shared) {
            self.replace();
            self.last = Some(shared);
        }
    }

    /// There is a later version than the last one.
    fn replace(&mut self) {
        if self.replaced.len() == REPLACED_MAX {
            self.replaced.pop_front();
        }
        self.replaced.extend(self.last.take());
    }

    fn is_old(&self, found: Register, seen: Register) -> bool {
        found.is_older_than(seen) || self.replaced.contains(&found)
    }
}

/// A version of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Entry)]
struct Register {
    writer: u64,
    version: u64,
}

impl Register {
    fn is_older_than(self, other: Register) -> bool {
        self.writer == other.writer && self.version < other.version
    }
}

/// The probe of one node. Works while [`run`](Probe::run) is awaited.
pub struct Probe {
    node: Arc<Node>,
    registers: Cache<u64, Register>,
    options: ProbeOptions,
    writer: u64,
    versions: AtomicU64,
    writes: AtomicU64,
    checks: AtomicU64,
    stale_in_memory: AtomicU64,
    stale_in_shared: AtomicU64,
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("report", &self.report()).finish_non_exhaustive()
    }
}

impl Probe {
    /// A probe of this node, which can have one.
    ///
    /// # Errors
    /// A number of registers that is out of its range, or a second probe.
    pub fn new(larder: &Larder, options: ProbeOptions) -> Result<Self, BuildError> {
        let registers = options.registers;
        if !(1..=10_000).contains(&registers) {
            let problem = format!("is {registers}; it must be 1 to 10,000");
            return Err(BuildError::of(Mistake::new("registers", problem)));
        }
        let node = Arc::clone(larder.node());
        let lives = Duration::from_secs(3_600).min(node.limits.ttl_max);
        let registers = larder.cache(PROBE_CACHE).fresh_for(lives).build()?;
        Ok(Probe {
            writer: node.random.next_u128() as u64,
            node,
            registers,
            options,
            versions: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            checks: AtomicU64::new(0),
            stale_in_memory: AtomicU64::new(0),
            stale_in_shared: AtomicU64::new(0),
        })
    }

    /// What it has found so far.
    pub fn report(&self) -> ProbeReport {
        ProbeReport {
            writes: self.writes.load(Ordering::Relaxed),
            checks: self.checks.load(Ordering::Relaxed),
            stale_in_memory: self.stale_in_memory.load(Ordering::Relaxed),
            stale_in_shared: self.stale_in_shared.load(Ordering::Relaxed),
        }
    }

    /// Writes and watches the registers. Never completes. Once at a time: two would take each other's
    /// versions for old ones.
    ///
    /// # Cancel safety
    /// Dropping the future ends the probe; what it has found stays.
    pub async fn run(&self) {
        join_all((0..u64::from(self.options.registers)).map(|register| self.attend(register))).await;
        pending().await
    }

    async fn attend(&self, register: u64) {
        // All at once would be a load that no user makes.
        self.sleep(self.node.limits.staleness_max.mul_f64(self.node.random.next_unit())).await;
        let mut history = History::default();
        loop {
            // Between half and all of it, so that registers do not march in step.
            self.sleep(self.options.rest.mul_f64(0.5 + 0.5 * self.node.random.next_unit())).await;
            if self.node.random.next_unit() < 1.0 / WRITES_ONE_IN {
                self.write(register, &mut history).await;
            } else {
                self.watch(register, &mut history).await;
            }
        }
    }

    async fn write(&self, register: u64, history: &mut History) {
        let version = self.versions.fetch_add(1, Ordering::Relaxed) + 1;
        let written = Register { writer: self.writer, version };
        let outcome = self.registers.set(&register, written).await;
        drop(outcome);
        self.writes.fetch_add(1, Ordering::Relaxed);
        history.replace();
        // Whether or not others know by now: this node does.
        let found = self.in_memory(register).await;
        check(history, found, written, &self.stale_in_memory);
    }

    async fn watch(&self, register: u64, history: &mut History) {
        // As a user does: from here on memory has something that can be too old.
        let read = value(self.registers.get(&register).await);
        let shared = value(self.registers.peek_shared(&register).await);
        if let Some(shared) = shared {
            history.see(shared);
        }
        // Also if there is nothing: a tier in trouble is not asked more often for it.
        self.sleep(self.node.limits.staleness_max).await;
        let Some(seen) = newer(read, shared) else { return };
        self.checks.fetch_add(1, Ordering::Relaxed);
        let found = self.in_memory(register).await;
        check(history, found, seen, &self.stale_in_memory);
        let found = value(self.registers.peek_shared(&register).await);
        check(history, found, seen, &self.stale_in_shared);
    }

    /// What a bounded read is given by memory alone.
    async fn in_memory(&self, register: u64) -> Option<Register> {
        value(self.registers.read(&register).skip_shared().get().await)
    }

    async fn sleep(&self, span: Duration) {
        self.node.clock.sleep_until(self.node.now().plus(span)).await;
    }
}

fn check(history: &History, found: Option<Register>, seen: Register, stale: &AtomicU64) {
    if found.is_some_and(|found| history.is_old(found, seen)) {
        stale.fetch_add(1, Ordering::Relaxed);
    }
}

/// What may be held against what is seen later. What is told as stale is held against nothing.
fn value(lookup: Option<Lookup<Register>>) -> Option<Register> {
    lookup.filter(|lookup| !lookup.is_stale()).and_then(|lookup| lookup.value().copied())
}

fn newer(read: Option<Register>, shared: Option<Register>) -> Option<Register> {
    match (read, shared) {
        (Some(read), Some(shared)) if shared.is_older_than(read) => Some(read),
        (_, Some(shared)) => Some(shared),
        (read, None) => read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn version(writer: u64, version: u64) -> Register {
        Register { writer, version }
    }

    fn seen(versions: &[Register]) -> History {
        let mut history = History::default();
        versions.iter().for_each(|version| history.see(*version));
        history
    }

    #[test]
    fn what_the_shared_tier_had_before_is_old_whoever_wrote_it() {
        let (first, second) = (version(1, 7), version(2, 3));
        let history = seen(&[first, second, second]);
        assert!(history.is_old(first, second));
        assert!(!history.is_old(second, second));
        assert!(!history.is_old(version(3, 1), second), "nobody knows when that was written");
    }

    #[test]
    fn of_one_writer_the_lower_version_is_old_unseen() {
        assert!(seen(&[]).is_old(version(1, 6), version(1, 7)));
        assert!(!seen(&[]).is_old(version(1, 8), version(1, 7)));
    }

    #[test]
    fn an_own_write_makes_all_before_it_old() {
        let mut history = seen(&[version(2, 3)]);
        history.replace();
        assert!(history.is_old(version(2, 3), version(1, 1)));
    }

    #[test]
    fn only_the_latest_are_remembered() {
        let versions: Vec<Register> = (0..100).map(|of| version(of, 1)).collect();
        let history = seen(&versions);
        assert_eq!(history.replaced.len(), REPLACED_MAX);
        assert!(history.is_old(version(98, 1), version(99, 1)));
    }
}
