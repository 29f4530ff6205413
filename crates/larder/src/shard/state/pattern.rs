//! The scan of a pattern: an anchor bars older loads, batches remove what matches, a finish tells
//! the nodes. No filter stays behind.

use std::ops::Bound;

use super::{Effects, ShardState, Step};
use crate::key::EncodedKey;
use crate::key::pattern::Pattern;
use crate::record::{Change, Mode};
use crate::shard::{Appended, Scan, ScanReply};

impl ShardState {
    /// Begins a scan: what was loaded before it can no longer be stored.
    pub fn anchor(&mut self, step: &Step, effects: &mut Effects) -> Appended {
        let mut live = self.same_run(step);
        live.log_change(Change::Anchored, effects);
        live.meta.barrier = live.meta.head;
        live.appended()
    }

    /// Looks at the next `scan.batch_max` values, at least one, and deletes or flags what matches.
    /// `None`: the epoch is not the anchor's any more, so its barrier is gone.
    pub fn scan(&mut self, step: &Step, scan: &Scan) -> Option<ScanReply> {
        let live = self.same_run(step);
        if live.meta.epoch != scan.epoch {
            return None;
        }
        let after = EncodedKey::from_encoded(scan.cursor.as_slice());
        let from = if scan.cursor.is_empty() { Bound::Unbounded } else { Bound::Excluded(after) };
        let batch_max = scan.batch_max.max(1);
        let looked: Vec<EncodedKey> = live
            .values
            .range((from, Bound::Unbounded))
            .take(batch_max)
            .map(|(key, _)| key.clone())
            .collect();
        let mut matched = 0;
        for key in looked.iter().filter(|key| scan.pattern.matches_key(key)) {
            matched += 1;
            match (scan.mode, live.values.get_mut(key)) {
                (Mode::Soft, Some(entry)) => entry.soft = true,
                _ => {
                    live.values.remove(key);
                }
            }
        }
        let last = looked.get(batch_max - 1);
        Some(ScanReply { cursor: last.map(|key| key.as_bytes().to_vec()), matched })
    }

    /// Ends a scan. `None`: the epoch is not the anchor's any more.
    pub fn finish(
        &mut self,
        step: &Step,
        pattern: Pattern,
        mode: Mode,
        anchor: Appended,
        effects: &mut Effects,
    ) -> Option<Appended> {
        let mut live = self.same_run(step);
        if live.meta.epoch != anchor.epoch {
            return None;
        }
        live.log_change(Change::Finished { pattern, mode, anchor: anchor.position }, effects);
        Some(live.appended())
    }
}
