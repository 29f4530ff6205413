//! Walks through memory: to end the scan of a pattern, and to drop what has expired unread.

use std::sync::Arc;
use std::time::Duration;

use super::Node;
use super::marks::Sweep;
use super::resident::{Spot, encoded};
use super::subject::Names;
use super::tail;
use crate::clock::Moment;
use crate::event::Event;
use crate::key::KeyNames;
use crate::memory::Memory;
use crate::memory::key::MemoryKey;
use crate::memory::resident::Stored;
use crate::name::{NameHash, NameKind};
use crate::record::Mode;
use crate::wait::{self, Signal};

/// Entries looked at before other tasks get their turn.
const STEP: usize = 1_000;

/// How often memory is walked for what has expired.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(30);

impl Node {
    /// Removes or flags what a finished pattern matches, then takes the sweep off the list: from
    /// then on nothing asks about the pattern any more.
    pub(super) fn start_sweep(&self, shard: usize, sweep: Sweep, count: Arc<Signal<u64>>) {
        let Some(node) = self.this.upgrade() else { return };
        let work = async move {
            let matched = node.sweep(shard, &sweep).await;
            node.write(|write| node.views[shard].leave_sweep(&sweep, write.l));
            count.set(matched);
        };
        self.tasks.spawn(Box::pin(work));
    }

    async fn sweep(&self, shard: usize, sweep: &Sweep) -> u64 {
        let mut matched = 0;
        for memory in self.memories() {
            let visit = |key: &MemoryKey, entry: &Arc<dyn Stored>| {
                matched += u64::from(self.sweep_entry(&memory, shard, sweep, key, entry));
            };
            each_entry(&memory, visit).await;
        }
        matched
    }

    fn sweep_entry(
        &self,
        memory: &Memory,
        shard: usize,
        sweep: &Sweep,
        key: &MemoryKey,
        entry: &Arc<dyn Stored>,
    ) -> bool {
        let meta = entry.meta();
        if usize::from(meta.shard) != shard || meta.as_of >= sweep.anchor {
            return false;
        }
        let Some(name) = self.cache_name(meta.cache) else { return false };
        if !sweep.pattern.matches_key(&encoded(&name, key)) {
            return false;
        }
        match sweep.mode {
            Mode::Soft => meta.soften(),
            Mode::Hard => {
                if let Some(removed) =
                    memory.remove_this(&self.hashing.stored(meta.cache, key.parts()), entry)
                {
                    self.count_left(&removed);
                }
            }
        }
        true
    }

    /// Drops expired entries for as long as the node lives.
    pub(super) fn start_expiry(self: &Arc<Self>) {
        let weak = Arc::downgrade(self);
        let work = async move {
            while let Some(node) = tail::sleep(&weak, EXPIRY_INTERVAL).await {
                node.drop_expired().await;
            }
        };
        self.tasks.spawn(Box::pin(work));
    }

    async fn drop_expired(&self) {
        let now = self.clock.coarse();
        let changed = self.changed();
        let mut dropped = 0;
        for memory in self.memories() {
            let visit = |key: &MemoryKey, entry: &Arc<dyn Stored>| {
                dropped += u64::from(self.drop_if_expired(&memory, key, entry, now));
                if entry.meta().standing_verdict(changed).is_none() {
                    self.drop_if_dead(&memory, key, entry);
                }
            };
            each_entry(&memory, visit).await;
        }
        if dropped > 0 {
            self.emit(Event::ExpiredDropped { entries: dropped });
        }
    }

    /// What a tag killed stays until somebody looks at it; here somebody does.
    fn drop_if_dead(&self, memory: &Memory, key: &MemoryKey, entry: &Arc<dyn Stored>) {
        let Some(name) = self.cache_name(entry.meta().cache) else { return };
        let names = KeyNames::of_stored(&name, key.parts());
        let cache = NameHash::of(NameKind::Cache, name.as_bytes());
        let names = Names { key: &names.key, cache, prefixes: &names.prefixes, tags: &[] };
        let probe = self.hashing.stored(entry.meta().cache, key.parts());
        self.judge_resident(entry, Spot { memory, key: probe, names });
    }

    fn drop_if_expired(
        &self,
        memory: &Memory,
        key: &MemoryKey,
        entry: &Arc<dyn Stored>,
        now: Moment,
    ) -> bool {
        let meta = entry.meta();
        let kept_until = meta.fresh_until().plus(self.kept_after_fresh(meta.cache));
        if now < meta.before_its_end(kept_until) {
            return false;
        }
        let removed = memory.remove_this(&self.hashing.stored(meta.cache, key.parts()), entry);
        removed.inspect(|entry| self.count_left(entry)).is_some()
    }
}

/// Shows every entry, and lets other tasks run in between.
pub(super) async fn each_entry(memory: &Memory, mut visit: impl FnMut(&MemoryKey, &Arc<dyn Stored>)) {
    for (seen, (key, entry)) in memory.entries().enumerate() {
        visit(&key, &entry);
        if (seen + 1).is_multiple_of(STEP) {
            wait::turn().await;
        }
    }
}
