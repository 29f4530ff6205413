//! What a node knows of one shard. Holds no rule: [`super::judge`] reads it, [`super::writers`]
//! changes it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::marks::{Marks, Sweep};
use super::queue::AppendQueue;
use super::tables::Tables;
use super::tailing::{Ask, Tailing};
use crate::clock::Moment;
use crate::memory::resident::EpochNumber;
use crate::shard::{Epoch, Shard};
use crate::sync::{AtomicU64, Mutex, Ordering, Swap};

/// A node's view of one shard.
pub(crate) struct View {
    pub(crate) index: usize,
    pub(crate) shard: Arc<dyn Shard>,
    pub(crate) pending: Marks,
    pub(crate) unsure: Marks,
    pub(crate) queue: AppendQueue,
    pub(crate) tailing: Arc<Tailing>,
    place: Mutex<Place>,
    told: Mutex<Told>,
    tables: Swap<Tables>,
    sweeping: Swap<Vec<Sweep>>,
    epoch_number: AtomicU64,
    mark: AtomicU64,
    finish_local: AtomicU64,
    finish_position: AtomicU64,
    trust: Mutex<Trust>,
    /// The earlier of both moments of `trust`, for hits.
    trusted_until: AtomicU64,
    asked: AtomicU64,
    resynced_at: AtomicU64,
}

/// Until when memory may be trusted: both must hold.
#[derive(Debug, Default)]
struct Trust {
    /// The log was confirmed recently enough.
    confirmed_until: Moment,
    /// The clock, on which that is counted, was compared with the one that counts suspends.
    watched_until: Moment,
}

/// Where this node stands in the log: read and written as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// `None` before the first answer of the shard.
    pub(crate) epoch: Option<Epoch>,
    pub(crate) number: EpochNumber,
    pub(crate) applied: u64,
}

/// The newest finish of a pattern.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finish {
    pub(crate) local: u64,
    pub(crate) position: u64,
}

/// The most epochs whose largest acknowledged position is remembered.
const TOLD_MAX: usize = 8;

/// The largest position that an acknowledgement told us, by epoch.
#[derive(Debug, Default)]
struct Told(VecDeque<(Epoch, u64)>);

impl Told {
    fn learn(&mut self, epoch: Epoch, position: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == epoch) {
            Some((_, told)) => *told = position.max(*told),
            None => {
                self.0.truncate(TOLD_MAX - 1);
                self.0.push_front((epoch, position));
            }
        }
    }

    fn of(&self, epoch: Epoch) -> u64 {
        self.0.iter().find(|(known, _)| *known == epoch).map_or(0, |(_, told)| *told)
    }
}

/// What this node knew of a shard when it asked: an answer that knows less has lost records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) place: Place,
    told: u64,
}

impl Asked {
    /// Whether an answer with this epoch and head is of the epoch we asked in, and whole.
    pub(crate) fn agrees(&self, epoch: Option<Epoch>, head: u64) -> bool {
        epoch.is_some() && epoch == self.place.epoch && head >= self.place.applied.max(self.told)
    }
}

impl View {
    pub(crate) fn new(index: usize, shard: Arc<dyn Shard>, tag_slots: usize) -> Self {
        View {
            index,
            shard,
            pending: Marks::default(),
            unsure: Marks::default(),
            queue: AppendQueue::default(),
            tailing: Arc::new(Tailing::default()),
            place: Mutex::new(Place { epoch: None, number: 0, applied: 0 }),
            told: Mutex::new(Told::default()),
            tables: Swap::new(Tables::empty(tag_slots)),
            sweeping: Swap::new(Vec::new()),
            epoch_number: AtomicU64::new(0),
            mark: AtomicU64::new(0),
            finish_local: AtomicU64::new(0),
            finish_position: AtomicU64::new(0),
            trust: Mutex::default(),
            trusted_until: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            resynced_at: AtomicU64::new(0),
        }
    }

    pub(crate) fn place(&self) -> Place {
        *self.place.lock()
    }

    pub(crate) fn epoch_number(&self) -> EpochNumber {
        self.epoch_number.load(Ordering::SeqCst) as EpochNumber
    }

    pub(crate) fn mark(&self) -> u64 {
        self.mark.load(Ordering::SeqCst)
    }

    pub(crate) fn finish(&self) -> Finish {
        // The local sequence first: it is written last, so its position can be seen.
        let local = self.finish_local.load(Ordering::SeqCst);
        Finish { local, position: self.finish_position.load(Ordering::SeqCst) }
    }

    pub(crate) fn tables(&self) -> impl std::ops::Deref<Target = Arc<Tables>> {
        self.tables.load()
    }

    pub(crate) fn sweeping(&self) -> impl std::ops::Deref<Target = Arc<Vec<Sweep>>> {
        self.sweeping.load()
    }

    /// Until when hits may trust memory without asking.
    #[inline]
    pub(crate) fn trusted_until(&self) -> Moment {
        Moment::from_nanos(self.trusted_until.load(Ordering::Relaxed))
    }

    /// Whether memory can no longer be trusted: the log was not confirmed for too long.
    #[inline]
    pub(crate) fn is_suspect(&self, now: Moment) -> bool {
        now >= self.trusted_until()
    }

    /// What is known now, to hold an answer against that is asked for next.
    pub(crate) fn asking(&self) -> Asked {
        let place = self.place();
        let told = place.epoch.map_or(0, |epoch| self.told.lock().of(epoch));
        Asked { place, told }
    }

    pub(crate) fn next_ask(&self) -> Ask {
        Ask::number(self.asked.fetch_add(1, Ordering::SeqCst) + 1)
    }

    pub(crate) fn last_ask(&self) -> Ask {
        Ask::number(self.asked.load(Ordering::SeqCst))
    }

    pub(crate) fn is_before_resync(&self, ask: Ask) -> bool {
        ask <= Ask::number(self.resynced_at.load(Ordering::SeqCst))
    }
}

/// Changes, made only under the node's writer lock (but for trust and what we were told).
impl View {
    pub(super) fn set_place(&self, place: Place) {
        *self.place.lock() = place;
    }

    pub(super) fn set_applied(&self, applied: u64) {
        let mut place = self.place.lock();
        place.applied = applied.max(place.applied);
    }

    pub(super) fn set_epoch_and_mark(&self, number: EpochNumber, mark: u64) {
        self.mark.store(mark, Ordering::SeqCst);
        self.epoch_number.store(u64::from(number), Ordering::SeqCst);
    }

    pub(super) fn swap_tables(&self, tables: Tables) {
        self.tables.store(tables);
    }

    pub(super) fn note_resync(&self) {
        self.resynced_at.store(self.asked.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    pub(super) fn enter_sweep(&self, sweep: Sweep, local: u64) {
        let mut sweeps = Vec::clone(&self.sweeping());
        let anchor = sweep.anchor;
        sweeps.push(sweep);
        self.sweeping.store(sweeps);
        self.finish_position.fetch_max(anchor, Ordering::SeqCst);
        self.finish_local.store(local, Ordering::SeqCst);
    }

    /// The walk has ended. What somebody found in memory before the walk removed it, but after
    /// the finish was published, is no result from before the finish: it needs this later one.
    pub(super) fn leave_sweep(&self, sweep: &Sweep, local: u64) {
        self.finish_local.store(local, Ordering::SeqCst);
        let mut sweeps = Vec::clone(&self.sweeping());
        if let Some(index) = sweeps.iter().position(|entered| entered == sweep) {
            sweeps.swap_remove(index);
        }
        self.sweeping.store(sweeps);
    }

    pub(super) fn learn_told(&self, epoch: Epoch, position: u64) {
        self.told.lock().learn(epoch, position);
    }

    /// Trusts what the log confirmed until then; an older proof changes nothing.
    pub(super) fn trust_until(&self, until: Moment) {
        self.change_trust(|trust| trust.confirmed_until = trust.confirmed_until.max(until));
    }

    /// Trusts the clock until then: it was just seen not to have stood still.
    pub(super) fn trust_clock_until(&self, until: Moment) {
        self.change_trust(|trust| trust.watched_until = trust.watched_until.max(until));
    }

    /// Forgets every proof: the clock stood still while the log went on.
    pub(super) fn distrust(&self) {
        self.change_trust(|trust| trust.confirmed_until = Moment::START);
    }

    fn change_trust(&self, change: impl FnOnce(&mut Trust)) {
        let mut trust = self.trust.lock();
        change(&mut trust);
        let until = trust.confirmed_until.min(trust.watched_until);
        self.trusted_until.store(until.as_nanos(), Ordering::SeqCst);
    }
}
