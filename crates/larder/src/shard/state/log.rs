//! The log: the append is the commit point of an invalidation, deleting is clean-up.

use super::{Effects, Live, ShardState, Step};
use crate::record::{Change, LogRecord, Mode, Record};
use crate::shard::table::Slots;
use crate::shard::{Appended, TailRequest};

impl ShardState {
    /// Appends records in order; they end at the returned position. Named keys lose their value
    /// and lease, or are flagged; names of many raise their slots.
    pub fn append(&mut self, step: &Step, records: Vec<Record>, effects: &mut Effects) -> Appended {
        self.same_run(step).append(records, effects)
    }
}

impl Live<'_> {
    pub(super) fn append(&mut self, records: Vec<Record>, effects: &mut Effects) -> Appended {
        for record in records {
            // Deleting comes first, for a store that may stop between any two steps.
            self.delete_named(&record, effects);
            let position = self.meta.head + 1;
            let tag_slots = self.table.slots.tag_slots();
            let mode = record.mode;
            let slots = Slots::of(&record.name, tag_slots);
            self.log_change(Change::Invalidated(record), effects);
            if let Some(slots) = slots {
                self.slots().raise(slots, position, mode);
            }
        }
        self.appended()
    }

    /// Where the log stands.
    pub(super) fn appended(&self) -> Appended {
        Appended { epoch: self.meta.epoch, position: self.meta.head }
    }

    fn delete_named(&mut self, record: &Record, effects: &mut Effects) {
        let Some(key) = record.name.as_key() else { return };
        self.void_lease(&key, effects);
        match record.mode {
            Mode::Hard => {
                self.values.remove(&key);
            }
            Mode::Soft => {
                if let Some(entry) = self.values.get_mut(&key) {
                    entry.soft = true;
                }
            }
        }
    }

    /// Counts and logs one change, and drops what the log no longer keeps.
    pub(super) fn log_change(&mut self, change: Change, effects: &mut Effects) {
        self.meta.head += 1;
        let record = LogRecord { position: self.meta.head, change };
        let (_, pushed) = effects.pushed.get_or_insert_with(|| (self.meta.epoch, Vec::new()));
        pushed.push(record.clone());
        self.log.push_back(record);
        while self.log.len() > self.settings.log_records_max {
            self.log.pop_front();
        }
    }

    /// The records above `request.from`, at most so many as asked for; `None` on a gap.
    pub(super) fn records_above(&self, request: &TailRequest) -> Option<Vec<LogRecord>> {
        let start = self.log.partition_point(|record| record.position <= request.from);
        let first = self.log.get(start).map(|record| record.position);
        let gap = self.meta.head > request.from && first != Some(request.from + 1);
        (!gap).then(|| self.log.range(start..).take(request.records_max).cloned().collect())
    }
}
