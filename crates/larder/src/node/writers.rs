//! Every change of what a node knows, in the one order that lets judges read without a lock.
//!
//! A writer holds the node's writer lock, never across an await. With l = the sequence after the
//! published one it writes tables and lists, then mark and finish, then `changed` = l, then
//! removes and flags, **then** publishes l, then detaches flights (`docs/protocol.md` §3). What it
//! removed is dropped after the lock: no user code runs under it.

use std::sync::Arc;

use super::Node;
use super::marks::{Sweep, Target};
use super::queue::{Batch, PendingAppend, UnsureAppend};
use super::tables::Tables;
use super::tailing::Ask;
use super::view::{Place, View};
use crate::clock::Moment;
use crate::key::EncodedKey;
use crate::key::pattern::Pattern;
use crate::memory::key::MemoryKey;
use crate::memory::resident::{EpochNumber, Stored};
use crate::record::{Change, LogRecord, Mode, NameKind, Record};
use crate::shard::{Appended, Fill, FillReply, TailReply};
use crate::sync::Ordering;
use crate::wait::Signal;

/// One change being made: the steps that come last are noted here and made at the end.
pub(super) struct Write<'n> {
    node: &'n Node,
    /// The sequence of this change.
    pub(super) l: u64,
    changed: bool,
    removals: Vec<Removal>,
    detached: Vec<EncodedKey>,
    detached_shards: Vec<usize>,
    applied: Vec<(usize, u64)>,
    sweeps: Vec<(usize, Sweep, Arc<Signal<u64>>)>,
}

/// What the embedded shard has appended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AppendedHere {
    pub(crate) at: Appended,
    /// The local sequence of the step.
    pub(crate) sequence: u64,
    /// Whether a value may be put at this position; rejected, if there was none.
    pub(crate) fill: FillReply,
}

/// What is left to do once the lock is released.
struct After {
    /// Dropped here: no user code runs under the lock.
    _removed: Vec<Arc<dyn Stored>>,
    sweeps: Vec<(usize, Sweep, Arc<Signal<u64>>)>,
}

/// An entry to remove.
struct Removal {
    key: EncodedKey,
    /// Spare an entry of this epoch whose load began at this position or later.
    spared: Option<(EpochNumber, u64)>,
}

impl Node {
    /// Makes one change under the writer lock.
    pub(super) fn write<T>(&self, make: impl FnOnce(&mut Write<'_>) -> T) -> T {
        let (made, after) = {
            let _writer = self.writer.lock();
            let l = self.sequence() + 1;
            let mut write = Write::new(self, l);
            let made = make(&mut write);
            (made, write.publish())
        };
        after
            .sweeps
            .into_iter()
            .for_each(|(shard, sweep, count)| self.start_sweep(shard, sweep, count));
        made
    }

    /// Adopts the embedded shard's epoch; nothing can be behind it or lost.
    pub(super) fn adopt_embedded(&self, embedded: &crate::shard::embedded::Embedded) {
        let (epoch, head) = embedded.head();
        let view = &self.views[0];
        self.write(|write| {
            view.set_place(Place { epoch: Some(epoch), number: 1, applied: head });
            view.set_epoch_and_mark(1, write.l);
        });
        view.trust_until(Moment::NEVER);
        view.trust_clock_until(Moment::NEVER);
    }

    /// Appends to the embedded shard and applies, in one step: there is nothing pending between.
    /// With `fill`, says whether its lease lets it be put where the append ends.
    pub(super) fn append_embedded(
        &self,
        records: Vec<Record>,
        fill: Option<Fill>,
    ) -> Option<AppendedHere> {
        let embedded = self.embedded()?;
        let view = &self.views[0];
        let (appended, effects) = self.write(|write| {
            let targets = targets_of(&records);
            let ((at, fill), effects) = match fill {
                None => {
                    let (at, effects) = embedded.append_now(records);
                    ((at, FillReply::Rejected), effects)
                }
                Some(fill) => embedded.write_through_now(fill, records),
            };
            write.apply_own(view, &targets, None, at);
            write.applied.push((view.index, at.position));
            (AppendedHere { at, sequence: write.l, fill }, effects)
        });
        embedded.deliver(effects);
        Some(appended)
    }

    /// Scans the embedded shard for a pattern: its values are this node's memory. The count is
    /// set when the walk has ended; what matches is dead or stale at once.
    pub(super) fn finish_embedded(&self, pattern: &Pattern, mode: Mode) -> Option<Arc<Signal<u64>>> {
        let embedded = self.embedded()?;
        let view = &self.views[0];
        let (count, effects) = self.write(|write| {
            let (anchor, anchored) = embedded.anchor_now();
            let (finished, effects) = embedded.finish_now(pattern.clone(), mode, anchor);
            let sweep = Sweep { pattern: pattern.clone(), mode, anchor: anchor.position };
            let count = write.finish_pattern(view, sweep);
            // Nobody takes the embedded epoch away between anchor and finish.
            let applied = finished.map_or(anchor.position, |at| at.position);
            write.applied.push((view.index, applied));
            (count, [anchored, effects])
        });
        effects.into_iter().for_each(|effects| embedded.deliver(effects));
        Some(count)
    }

    /// Applies the answer of a tail. True: it proves that the view stands at the head.
    pub(super) fn apply_tail(&self, view: &View, ask: Ask, reply: &TailReply) -> bool {
        self.write(|write| {
            if view.is_before_resync(ask) {
                return false;
            }
            let place = view.place();
            let gap = reply.table.is_some() && reply.head > place.applied;
            if place.epoch != Some(reply.epoch) || gap {
                write.resync(view, ask, reply);
            } else {
                write.doubt_unsure(view, ask);
                write.apply_in_order(view, &reply.records);
            }
            view.place().applied >= reply.head
        })
    }

    /// Drops everything this node holds in memory, and trusts nothing until the log is confirmed.
    pub(super) fn forget_memory(&self) {
        self.write(|write| {
            for view in &self.views {
                let place = view.place();
                view.set_epoch_and_mark(place.number, write.l);
                write.detached_shards.push(view.index);
                if self.embedded().is_none() {
                    view.distrust();
                }
            }
            write.moves_changed();
        });
    }

    /// Applies records that were pushed to us, if they continue what we have. False: they do not.
    pub(super) fn apply_pushed(
        &self,
        view: &View,
        epoch: crate::shard::Epoch,
        records: &[LogRecord],
    ) -> bool {
        self.write(|write| {
            let place = view.place();
            let continues =
                records.first().is_some_and(|record| record.position <= place.applied + 1);
            if place.epoch != Some(epoch) || !continues {
                return false;
            }
            write.apply_in_order(view, records);
            true
        })
    }
}

fn targets_of(records: &[Record]) -> Vec<(Target, Mode)> {
    records.iter().map(|record| (Target::Name(record.name.clone()), record.mode)).collect()
}

impl<'n> Write<'n> {
    fn new(node: &'n Node, l: u64) -> Self {
        Write {
            node,
            l,
            changed: false,
            removals: Vec::new(),
            detached: Vec::new(),
            detached_shards: Vec::new(),
            applied: Vec::new(),
            sweeps: Vec::new(),
        }
    }

    /// Judges must look again at everything they judged before this change.
    pub(super) fn moves_changed(&mut self) {
        self.changed = true;
    }

    /// The last steps, in their order.
    fn publish(self) -> After {
        let node = self.node;
        if self.changed {
            node.sequence.changed.store(self.l, Ordering::SeqCst);
        }
        let removed = self.removals.iter().filter_map(|removal| node.remove(removal)).collect();
        node.sequence.published.store(self.l, Ordering::SeqCst);
        self.detached.iter().for_each(|key| node.detach_flight(key));
        self.detached_shards.iter().for_each(|&shard| node.flights.detach_shard(shard));
        self.applied.iter().for_each(|&(shard, applied)| node.views[shard].set_applied(applied));
        After { _removed: removed, sweeps: self.sweeps }
    }

    /// Records of the log that come next; duplicates are no-ops, a hole ends it.
    fn apply_in_order(&mut self, view: &View, records: &[LogRecord]) {
        let mut applied = view.place().applied;
        for record in records {
            if record.position == applied + 1 {
                self.apply(view, record.position, &record.change);
                applied = record.position;
            }
        }
        self.applied.push((view.index, applied));
    }

    /// Applies one record. Steps are idempotent: a record may come twice, by push and by tail.
    fn apply(&mut self, view: &View, position: u64, change: &Change) {
        match change {
            Change::Invalidated(record) => self.apply_record(view, position, record),
            Change::Anchored => {}
            Change::Finished { pattern, mode, anchor } => {
                let sweep = Sweep { pattern: pattern.clone(), mode: *mode, anchor: *anchor };
                self.finish_pattern(view, sweep);
            }
        }
    }

    fn apply_record(&mut self, view: &View, position: u64, record: &Record) {
        let rose = view.tables().raise(&record.name, position, record.mode);
        let hard_key = record.name.kind() == NameKind::Key && record.mode == Mode::Hard;
        if rose && !hard_key {
            self.moves_changed();
        }
        if let Some(key) = record.name.as_key() {
            // Whether or not the slot rose: keys share slots.
            if hard_key {
                let spared = Some((view.epoch_number(), position));
                self.removals.push(Removal { key: key.clone(), spared });
            }
            self.detached.push(key);
        }
    }

    /// The pattern kills what matches from now on; the walk through memory ends it.
    fn finish_pattern(&mut self, view: &View, sweep: Sweep) -> Arc<Signal<u64>> {
        view.enter_sweep(sweep.clone(), self.l);
        self.moves_changed();
        let count = Arc::new(Signal::default());
        self.sweeps.push((view.index, sweep, Arc::clone(&count)));
        count
    }

    /// Marks a batch as pending on every shard that it concerns.
    pub(super) fn enter_pending(&mut self, batch: &Batch, views: &[View]) {
        for (target, mode) in &batch.records {
            for view in views_of(self.node, target, views) {
                view.pending.enter(target, *mode, batch.sequence);
            }
            self.hide(target, *mode);
        }
    }

    /// A name that cannot be found in a table yet hides what it names by its mark alone.
    fn hide(&mut self, target: &Target, mode: Mode) {
        let key = match target {
            Target::Name(name) => name.as_key(),
            Target::Pattern(_) => None,
        };
        if key.is_none() || mode == Mode::Soft {
            self.moves_changed();
        }
        if let Some(key) = key {
            if mode == Mode::Hard {
                self.removals.push(Removal { key: key.clone(), spared: None });
            }
            self.detached.push(key);
        }
    }

    /// Applies our own records at the acknowledgement. `applied` does not move: records of others
    /// may lie between. `anchor` is that of a pattern's scan.
    pub(super) fn apply_own(
        &mut self,
        view: &View,
        records: &[(Target, Mode)],
        anchor: Option<u64>,
        at: Appended,
    ) {
        let names = records.iter().filter(|(target, _)| concerns(self.node, target, view.index));
        let names: Vec<_> = names.collect();
        let first = at.position.saturating_sub(names.len() as u64) + 1;
        for (index, (target, mode)) in names.into_iter().enumerate() {
            match target {
                Target::Name(name) => {
                    let record = Record { name: name.clone(), mode: *mode };
                    self.apply_record(view, first + index as u64, &record);
                }
                Target::Pattern(pattern) => {
                    let anchor = anchor.unwrap_or(at.position);
                    self.finish_pattern(
                        view,
                        Sweep { pattern: pattern.clone(), mode: *mode, anchor },
                    );
                }
            }
        }
    }

    /// The acknowledgement came from an epoch that the view does not have.
    pub(super) fn enter_unsure(&mut self, view: &View, unsure: UnsureAppend) {
        for (target, mode) in &unsure.append.batch.records {
            if concerns(self.node, target, view.index) {
                view.unsure.enter(target, *mode, unsure.sequence);
                self.hide(target, *mode);
            }
        }
        view.queue.add_unsure(unsure);
    }

    /// A tail that was asked after an unsure acknowledgement found no other epoch: whether that
    /// append is in our log is not known, so it is pending again.
    fn doubt_unsure(&mut self, view: &View, ask: Ask) {
        for unsure in view.queue.take_unsure(|unsure| unsure.acknowledged_at < ask) {
            let records = &unsure.append.batch.records;
            for (target, mode) in
                records.iter().filter(|(target, _)| concerns(self.node, target, view.index))
            {
                view.pending.enter(target, *mode, unsure.append.batch.sequence);
            }
            // The unsure marks stay until the append leaves: a judge reads pending before unsure,
            // and would miss a fact that moved the other way.
            view.queue
                .reenter(PendingAppend { unsure_since: Some(unsure.sequence), ..unsure.append });
        }
    }

    /// Another epoch, or a gap: forget what cannot be brought up to date, in one step.
    fn resync(&mut self, view: &View, ask: Ask, reply: &TailReply) {
        let before = view.place();
        let same_epoch = before.epoch == Some(reply.epoch);
        let number = if same_epoch { before.number } else { before.number + 1 };
        let applied = if same_epoch { before.applied.max(reply.head) } else { reply.head };
        let tables = reply.table.as_ref().map(|table| match same_epoch {
            true => view.tables().merged(table),
            false => Tables::adopted(table),
        });
        // Mark and epoch kill everything older before the table that knew why is swapped.
        view.set_place(Place { epoch: Some(reply.epoch), number, applied });
        view.set_epoch_and_mark(number, self.l);
        if let Some(tables) = tables {
            view.swap_tables(tables);
        }
        view.note_resync();
        self.moves_changed();
        self.detached_shards.push(view.index);
        self.settle_unsure(view, ask, reply);
    }

    /// Unsure appends of the answer's epoch are in its table, or above its head: applied here.
    /// Those of another epoch leave only if they were acknowledged before this was asked.
    fn settle_unsure(&mut self, view: &View, ask: Ask, reply: &TailReply) {
        let settled = view
            .queue
            .take_unsure(|unsure| unsure.epoch == reply.epoch || unsure.acknowledged_at < ask);
        for unsure in settled {
            let records = &unsure.append.batch.records;
            if unsure.epoch == reply.epoch && unsure.position > reply.head {
                let at = Appended { epoch: unsure.epoch, position: unsure.position };
                self.apply_own(view, records, unsure.anchor, at);
            }
            for (target, mode) in
                records.iter().filter(|(target, _)| concerns(self.node, target, view.index))
            {
                view.unsure.leave(target, *mode, unsure.sequence);
            }
        }
    }
}

/// Whether a shard has to know of a target: a key belongs to one, everything else to all.
pub(super) fn concerns(node: &Node, target: &Target, shard: usize) -> bool {
    match target {
        Target::Name(name) => name.as_key().is_none_or(|key| node.shard_of(&key) == shard),
        Target::Pattern(_) => true,
    }
}

fn views_of<'v>(node: &Node, target: &Target, views: &'v [View]) -> impl Iterator<Item = &'v View> {
    views.iter().filter(move |view| concerns(node, target, view.index))
}

impl Node {
    fn remove(&self, removal: &Removal) -> Option<Arc<dyn Stored>> {
        let cache = self.cache_named(removal.key.cache())?;
        let probe = self.hashing.stored(cache, removal.key.parts());
        let unwanted = |entry: &Arc<dyn Stored>| match removal.spared {
            Some((epoch, position)) => entry.meta().epoch != epoch || entry.meta().as_of < position,
            None => true,
        };
        let removed = self.memory_of(cache).remove_if(&probe, unwanted);
        if let Some(entry) = &removed {
            self.count_left(entry);
        }
        removed
    }

    fn detach_flight(&self, key: &EncodedKey) {
        if let Some(cache) = self.cache_named(key.cache()) {
            let hash = self.hashing.stored(cache, key.parts()).hash;
            self.flights.detach(hash, &MemoryKey::new(cache, key));
        }
    }
}
