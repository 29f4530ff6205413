//! What a read answers: a value or its absence, where it came from and how old it is.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::memory::resident::{Held, Resident};

/// Where an answer came from; the later, the farther.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// This process's memory.
    Memory,
    /// The shared tier: another process loaded it.
    Shared,
    /// The source, for this call or one that it waited with.
    Loaded,
}

/// A cached value. Cheap to clone; the value is shared.
pub struct Hit<V> {
    resident: Arc<Resident<V>>,
    told: Told,
}

/// The knowledge that the source has no such value.
#[derive(Debug, Clone, Copy)]
pub struct Absence {
    origin: Origin,
    stale: bool,
    age: Duration,
}

/// A value, or the knowledge that there is none.
pub enum Lookup<V> {
    /// The value.
    Found(Hit<V>),
    /// The source has no such value.
    Absent(Absence),
}

/// An entry as one read answers it.
pub(crate) struct Answer<V> {
    pub(crate) resident: Arc<Resident<V>>,
    pub(crate) origin: Origin,
    pub(crate) stale: bool,
    pub(crate) at: Moment,
}

impl<V> Clone for Answer<V> {
    fn clone(&self) -> Self {
        Answer {
            resident: Arc::clone(&self.resident),
            origin: self.origin,
            stale: self.stale,
            at: self.at,
        }
    }
}

/// Where an answer came from, whether it is stale, and when it was given, in one word. A hit is
/// then two words, which its reader gets in registers: answers copied through memory in pieces
/// cost a hit more than its lookup.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told(u64);

impl Told {
    const ORIGIN_MASK: u64 = 0b011;
    const STALE: u64 = 0b100;
    const BITS: u32 = 3;

    /// A fresh hit of memory at `at`.
    #[inline]
    pub(crate) fn fresh_in_memory(at: Moment) -> Self {
        Told(at.as_nanos() << Told::BITS | Origin::Memory as u64)
    }

    /// The same, not confirmed by the log.
    pub(crate) fn unconfirmed_in_memory(at: Moment) -> Self {
        Told(Told::fresh_in_memory(at).0 | Told::STALE)
    }

    fn of<V>(answer: &Answer<V>) -> Self {
        let stale = if answer.stale { Told::STALE } else { 0 };
        Told(answer.at.as_nanos() << Told::BITS | stale | answer.origin as u64)
    }

    fn origin(self) -> Origin {
        match self.0 & Told::ORIGIN_MASK {
            0 => Origin::Memory,
            1 => Origin::Shared,
            _ => Origin::Loaded,
        }
    }

    fn is_stale(self) -> bool {
        self.0 & Told::STALE != 0
    }

    fn at(self) -> Moment {
        Moment::from_nanos(self.0 >> Told::BITS)
    }
}

impl<V> Answer<V> {
    /// The same answer, told as stale.
    pub(crate) fn told_stale(self) -> Self {
        Answer { stale: true, ..self }
    }

    pub(crate) fn into_lookup(self) -> Lookup<V> {
        let told = Told::of(&self);
        Lookup::of(self.resident, told)
    }
}

impl<V> Hit<V> {
    /// Where the value came from.
    pub fn origin(&self) -> Origin {
        self.told.origin()
    }

    /// Whether the value is served beyond its fresh time, or was softly invalidated, or could not
    /// be confirmed.
    pub fn is_stale(&self) -> bool {
        self.told.is_stale()
    }

    /// How long before the answer the load of this value began, to the millisecond.
    pub fn age(&self) -> Duration {
        self.told.at().since(self.resident.meta.loaded_at())
    }

    /// The value in an `Arc` of its own. Clones the value once; cache an `Arc<T>` to make that a
    /// pointer copy.
    pub fn into_arc(self) -> Arc<V>
    where
        V: Clone,
    {
        Arc::new(V::clone(&self))
    }
}

impl<V> Deref for Hit<V> {
    type Target = V;

    #[inline]
    fn deref(&self) -> &V {
        match self.resident.value.get() {
            Some(value) => value,
            None => unreachable!("a hit is only made of an entry with a value"),
        }
    }
}

impl<V> Clone for Hit<V> {
    fn clone(&self) -> Self {
        Hit { resident: Arc::clone(&self.resident), told: self.told }
    }
}

impl<V: fmt::Debug> fmt::Debug for Hit<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hit")
            .field("value", &**self)
            .field("origin", &self.origin())
            .field("stale", &self.is_stale())
            .field("age", &self.age())
            .finish()
    }
}

impl Absence {
    /// Where the knowledge came from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Whether it is served beyond its fresh time.
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// How long before the answer the source was asked.
    pub fn age(&self) -> Duration {
        self.age
    }
}

impl<V> Lookup<V> {
    /// The source has just said that there is none.
    pub(crate) fn just_absent() -> Self {
        let (origin, stale, age) = (Origin::Loaded, false, Duration::ZERO);
        Lookup::Absent(Absence { origin, stale, age })
    }

    #[inline]
    pub(crate) fn of(resident: Arc<Resident<V>>, told: Told) -> Self {
        match resident.value {
            Held::Absent => Lookup::Absent(Absence {
                origin: told.origin(),
                stale: told.is_stale(),
                age: told.at().since(resident.meta.loaded_at()),
            }),
            Held::Own(_) | Held::Same(_) => Lookup::Found(Hit { resident, told }),
        }
    }

    /// The value, if there is one.
    #[inline]
    pub fn found(self) -> Option<Hit<V>> {
        match self {
            Lookup::Found(hit) => Some(hit),
            Lookup::Absent(_) => None,
        }
    }

    /// A look at the value, if there is one.
    pub fn value(&self) -> Option<&V> {
        match self {
            Lookup::Found(hit) => Some(hit),
            Lookup::Absent(_) => None,
        }
    }

    /// Where the answer came from.
    pub fn origin(&self) -> Origin {
        match self {
            Lookup::Found(hit) => hit.origin(),
            Lookup::Absent(absence) => absence.origin(),
        }
    }

    /// Whether the answer is served beyond its fresh time, or was softly invalidated, or could
    /// not be confirmed.
    pub fn is_stale(&self) -> bool {
        match self {
            Lookup::Found(hit) => hit.is_stale(),
            Lookup::Absent(absence) => absence.is_stale(),
        }
    }

    /// How long before the answer its load began.
    pub fn age(&self) -> Duration {
        match self {
            Lookup::Found(hit) => hit.age(),
            Lookup::Absent(absence) => absence.age(),
        }
    }
}

impl<V> Clone for Lookup<V> {
    fn clone(&self) -> Self {
        match self {
            Lookup::Found(hit) => Lookup::Found(hit.clone()),
            Lookup::Absent(absence) => Lookup::Absent(*absence),
        }
    }
}

impl<V: fmt::Debug> fmt::Debug for Lookup<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lookup::Found(hit) => hit.fmt(f),
            Lookup::Absent(absence) => absence.fmt(f),
        }
    }
}
