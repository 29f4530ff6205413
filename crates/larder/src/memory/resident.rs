//! An entry of the memory tier: the value beside what decides whether it may be served.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32 as PlainU32, AtomicU64 as PlainU64};
use std::time::Duration;

use super::key::CacheId;
use super::rough::Rough;
use super::verdict::Verdict;
use crate::clock::{Moment, nanos};
use crate::record::NameHash;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// A number that this node gives each epoch a view adopts.
pub(crate) type EpochNumber = u32;

/// What the map holds: a [`Resident`] of any value type.
pub(crate) trait Stored: Any + Send + Sync {
    fn meta(&self) -> &Meta;

    /// Whether it says that the source has no such value.
    fn is_absent(&self) -> bool;
}

/// A value and its meta, in one allocation. In this order: what a hit reads of the meta then
/// shares a cache line with the counts of the `Arc`.
#[repr(C)]
pub(crate) struct Resident<V> {
    pub(crate) meta: Meta,
    pub(crate) value: Held<V>,
}

/// The value of an entry.
pub(crate) enum Held<V> {
    Own(V),
    /// The loader said "not modified": the value is the one it was shown.
    Same(Arc<Resident<V>>),
    /// The source has no such value.
    Absent,
}

impl<V> Held<V> {
    #[inline]
    pub(crate) fn get(&self) -> Option<&V> {
        match self {
            Held::Own(value) => Some(value),
            Held::Same(shown) => shown.value.get(),
            Held::Absent => None,
        }
    }

    /// What an entry that keeps the value of `shown` holds: always its first owner, so that
    /// unmodified values form no chain.
    pub(crate) fn same_as(shown: &Arc<Resident<V>>) -> Self {
        match &shown.value {
            Held::Own(_) => Held::Same(Arc::clone(shown)),
            Held::Same(first) => Held::Same(Arc::clone(first)),
            Held::Absent => Held::Absent,
        }
    }
}

impl<V: Send + Sync + 'static> Stored for Resident<V> {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn is_absent(&self) -> bool {
        self.value.get().is_none()
    }
}

/// The entry as its type, if it is of this type.
#[inline]
pub(crate) fn downcast<V: Send + Sync + 'static>(
    stored: Arc<dyn Stored>,
) -> Option<Arc<Resident<V>>> {
    let any: Arc<dyn Any + Send + Sync> = stored;
    match any.downcast() {
        Ok(resident) => Some(resident),
        Err(foreign) => foreign_entry(foreign),
    }
}

/// A cache has its entries under keys of its own, so they are of its type.
#[cold]
#[inline(never)]
fn foreign_entry<T>(_foreign: Arc<dyn Any + Send + Sync>) -> Option<T> {
    None
}

/// What decides whether an entry may be served. 64 bytes, and first what every hit reads.
#[repr(C)]
pub(crate) struct Meta {
    judged: JudgedAt,
    /// Until then a hit has nothing to decide but the verdict.
    quiet_until: PlainU64,
    pub(crate) shard: u8,
    /// This process loaded it from the source itself.
    pub(crate) own_load: bool,
    soft: AtomicBool,
    pub(crate) cache: CacheId,
    /// The slot of the key in its view's key table.
    pub(crate) key_slot: u16,
    /// The log position when the load began.
    pub(crate) as_of: u64,
    fresh_until: PlainU64,
    /// What few entries have.
    rare: Option<Box<Rare>>,
    /// Freshness in milliseconds, to find back when the load began.
    fresh_ms: PlainU32,
    load_cost_us: Rough,
    /// How far `key_as_of` is above `as_of`.
    key_lead: Rough,
    pub(crate) weight: u32,
    pub(crate) epoch: EpochNumber,
}

/// What few entries have.
struct Rare {
    tags: Box<[NameHash]>,
    /// A time of its own that the entry is fresh for, instead of its cache's.
    own_time: Option<Duration>,
    ends_at: Option<Moment>,
}

/// The times of an entry, before it becomes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) loaded_at: Moment,
    pub(crate) fresh_until: Moment,
    pub(crate) quiet_until: Moment,
}

/// What an entry is made of besides its value.
pub(crate) struct MetaParts {
    /// The local sequence when its load began.
    pub(crate) l0: u64,
    pub(crate) as_of: u64,
    pub(crate) key_as_of: u64,
    pub(crate) epoch: EpochNumber,
    pub(crate) shard: u8,
    pub(crate) cache: CacheId,
    pub(crate) key_slot: u16,
    pub(crate) times: Times,
    pub(crate) load_cost: Duration,
    pub(crate) weight: u32,
    pub(crate) own_load: bool,
    pub(crate) soft: bool,
    pub(crate) tags: Box<[NameHash]>,
    /// A time of its own that the entry is fresh for, where it slides.
    pub(crate) own_time: Option<Duration>,
    /// The end that its loader gave it.
    pub(crate) ends_at: Option<Moment>,
}

impl Meta {
    pub(crate) fn new(parts: MetaParts) -> Self {
        let MetaParts { times, tags, own_time, ends_at, .. } = parts;
        let has_rare = !tags.is_empty() || own_time.is_some() || ends_at.is_some();
        Meta {
            judged: JudgedAt::unjudged(parts.l0),
            as_of: parts.as_of,
            fresh_until: PlainU64::new(times.fresh_until.as_nanos()),
            quiet_until: PlainU64::new(times.quiet_until.as_nanos()),
            rare: has_rare.then(|| Box::new(Rare { tags, own_time, ends_at })),
            fresh_ms: PlainU32::new(millis(times.fresh_until.since(times.loaded_at))),
            load_cost_us: Rough::down(micros(parts.load_cost)),
            key_lead: Rough::down(parts.key_as_of.saturating_sub(parts.as_of)),
            weight: parts.weight,
            epoch: parts.epoch,
            cache: parts.cache,
            key_slot: parts.key_slot,
            shard: parts.shard,
            own_load: parts.own_load,
            soft: AtomicBool::new(parts.soft),
        }
    }

    /// The verdict, if nothing has happened on this node since it was given.
    pub(crate) fn standing_verdict(&self, changed: u64) -> Option<Verdict> {
        match self.judged.read() {
            Judged::At { sequence, verdict } if changed <= sequence => Some(verdict),
            _ => None,
        }
    }

    /// Whether the verdict is *fresh*, and nothing has happened on this node since it was given.
    #[inline]
    pub(crate) fn stands_fresh(&self, changed: u64) -> bool {
        self.judged.stands_fresh(changed)
    }

    pub(crate) fn judged(&self) -> Judged {
        self.judged.read()
    }

    pub(crate) fn set_judged(&self, sequence: u64, verdict: Verdict) {
        self.judged.write(sequence, verdict);
    }

    #[inline]
    pub(crate) fn quiet_until(&self) -> Moment {
        Moment::from_nanos(self.quiet_until.load(Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn fresh_until(&self) -> Moment {
        Moment::from_nanos(self.fresh_until.load(Ordering::Relaxed))
    }

    /// When the load began, to the millisecond.
    pub(crate) fn loaded_at(&self) -> Moment {
        self.fresh_until()
            .minus(Duration::from_millis(u64::from(self.fresh_ms.load(Ordering::Relaxed))))
    }

    /// Lengthens freshness (sliding expiry). Never moves `as_of`.
    pub(crate) fn slide(&self, times: Times) {
        let loaded_at = self.loaded_at();
        self.fresh_ms.store(millis(times.fresh_until.since(loaded_at)), Ordering::Relaxed);
        self.fresh_until.store(times.fresh_until.as_nanos(), Ordering::Relaxed);
        self.quiet_until.store(times.quiet_until.as_nanos(), Ordering::Relaxed);
    }

    pub(crate) fn load_cost(&self) -> Duration {
        Duration::from_micros(self.load_cost_us.get())
    }

    /// No record of the key up to this position outdates the entry: `as_of`, or what this node had
    /// applied when it asked the shared tier for the value, rounded down. Slots are shared: a
    /// position in between is another key's.
    pub(crate) fn key_as_of(&self) -> u64 {
        self.as_of.saturating_add(self.key_lead.get())
    }

    pub(crate) fn tags(&self) -> &[NameHash] {
        self.rare.as_ref().map_or(&[], |rare| &rare.tags)
    }

    pub(crate) fn own_time(&self) -> Option<Duration> {
        self.rare.as_ref().and_then(|rare| rare.own_time)
    }

    /// The end that its loader gave the entry. Nothing moves it.
    pub(crate) fn ends_at(&self) -> Option<Moment> {
        self.rare.as_ref().and_then(|rare| rare.ends_at)
    }

    /// `moment`, or the end of the entry where that comes first.
    pub(crate) fn before_its_end(&self, moment: Moment) -> Moment {
        self.ends_at().map_or(moment, |end| moment.min(end))
    }

    pub(crate) fn is_soft(&self) -> bool {
        self.soft.load(Ordering::Relaxed)
    }

    /// Marks the entry stale (a soft pattern matched it).
    pub(crate) fn soften(&self) {
        self.soft.store(true, Ordering::Relaxed);
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// A span in whole milliseconds, at most what 32 bits hold (49 days). Rounded up: a load must
/// not seem younger than it is.
fn millis(span: Duration) -> u32 {
    u32::try_from(nanos(span).div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

/// When an entry was judged, and how: one atomic word, so that nobody sees one without the other.
struct JudgedAt(AtomicU64);

/// The judgement of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    /// Not yet *in memory*: its load began at this local sequence.
    NotYet { l0: u64 },
    /// In memory, with this verdict as of this local sequence.
    At { sequence: u64, verdict: Verdict },
}

const VERDICT_BITS: u32 = 2;
const NOT_YET: u64 = 0;
const FRESH: u64 = 1;
const STALE: u64 = 2;

impl JudgedAt {
    fn unjudged(l0: u64) -> Self {
        JudgedAt(AtomicU64::new(l0 << VERDICT_BITS | NOT_YET))
    }

    #[inline]
    fn read(&self) -> Judged {
        let word = self.0.load(Ordering::Acquire);
        let sequence = word >> VERDICT_BITS;
        match word & ((1 << VERDICT_BITS) - 1) {
            NOT_YET => Judged::NotYet { l0: sequence },
            FRESH => Judged::At { sequence, verdict: Verdict::Fresh },
            _ => Judged::At { sequence, verdict: Verdict::Stale },
        }
    }

    #[inline]
    fn stands_fresh(&self, changed: u64) -> bool {
        let word = self.0.load(Ordering::Acquire);
        word & ((1 << VERDICT_BITS) - 1) == FRESH && changed <= word >> VERDICT_BITS
    }

    fn write(&self, sequence: u64, verdict: Verdict) {
        let state = if verdict == Verdict::Fresh { FRESH } else { STALE };
        self.0.store(sequence << VERDICT_BITS | state, Ordering::Release);
    }
}
