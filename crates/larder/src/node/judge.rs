//! Decides whether an entry is dead, stale or fresh. The reading order is load-bearing
//! (`docs/protocol.md` §3): a fact moves from pending to unsure or the tables, and from there to
//! epoch and mark; whoever moves it writes the new place before deleting the old, so a reader who
//! goes the same way cannot miss it.

use crate::key::EncodedKey;
use crate::key::pattern::Pattern;
use crate::memory::resident::EpochNumber;
use crate::node::view::View;
use crate::record::{Mode, NameHash};

/// What may be done with an entry; the worse, the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Never to be served.
    Dead,
    /// To be served only as stale.
    Stale,
    /// Alive; only time can make it stale.
    Fresh,
}

/// Where an entry is when it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Residence {
    /// Inserted and judged: hard key records and finished patterns remove it themselves.
    InMemory,
    /// Anything else: a candidate, the result of a load, an entry just inserted.
    Elsewhere,
}

/// An entry as judges see it.
pub(crate) struct Subject<'a> {
    /// The local sequence when what is judged began.
    pub(crate) l0: u64,
    pub(crate) residence: Residence,
    pub(crate) epoch: EpochNumber,
    pub(crate) as_of: u64,
    /// Flagged soft. A resident's flag is read after its verdict, see `Node::judge_resident`.
    pub(crate) soft: bool,
    pub(crate) key_slot: u16,
    pub(crate) names: Names<'a>,
}

/// The names of an entry: its key, and its tags.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) key: &'a EncodedKey,
    /// The cache's name as tables know it.
    pub(crate) cache: NameHash,
    /// The proper prefixes of the key.
    pub(crate) prefixes: &'a [NameHash],
    /// The tags of the value.
    pub(crate) tags: &'a [NameHash],
}

impl View {
    /// Judges one entry of this view's shard.
    pub(crate) fn judge(&self, subject: &Subject<'_>) -> Verdict {
        let mut stale = subject.soft;
        for marks in [&self.pending, &self.unsure] {
            match marks.verdict(subject.names, subject.l0) {
                Verdict::Dead => return Verdict::Dead,
                Verdict::Stale => stale = true,
                Verdict::Fresh => {}
            }
        }
        match self.verdict_of_tables(subject) {
            Verdict::Dead => return Verdict::Dead,
            Verdict::Stale => stale = true,
            Verdict::Fresh => {}
        }
        match self.verdict_of_sweeps(subject) {
            Verdict::Dead => return Verdict::Dead,
            Verdict::Stale => stale = true,
            Verdict::Fresh => {}
        }
        if self.past_finish(subject) {
            return Verdict::Dead;
        }
        if subject.epoch != self.epoch_number() || self.mark() > subject.l0 {
            return Verdict::Dead;
        }
        if stale { Verdict::Stale } else { Verdict::Fresh }
    }

    fn verdict_of_tables(&self, subject: &Subject<'_>) -> Verdict {
        let tables = self.tables();
        let tags = tables.positions_of_names(subject.names);
        let key = tables.positions_of_key(subject.key_slot);
        let key_kills = subject.residence == Residence::Elsewhere && key.hard > subject.as_of;
        if tags.hard > subject.as_of || key_kills {
            Verdict::Dead
        } else if tags.soft > subject.as_of || key.soft > subject.as_of {
            Verdict::Stale
        } else {
            Verdict::Fresh
        }
    }

    /// A pattern finished since this load began. It is not asked whether the key matches: results
    /// on their way into memory are dead whatever their key.
    fn past_finish(&self, subject: &Subject<'_>) -> bool {
        let finish = self.finish();
        subject.residence == Residence::Elsewhere
            && subject.l0 < finish.local
            && subject.as_of < finish.position
    }

    fn verdict_of_sweeps(&self, subject: &Subject<'_>) -> Verdict {
        let sweeping = self.sweeping();
        if sweeping.is_empty() {
            return Verdict::Fresh;
        }
        let key = subject.names.key;
        let swept = sweeping
            .iter()
            .filter(|sweep| subject.as_of < sweep.anchor && sweep.pattern.matches_key(key));
        Verdict::worst(swept.map(|sweep| Verdict::of(sweep.mode)))
    }
}

impl Verdict {
    /// What a record of this mode does to what it names.
    pub(crate) fn of(mode: Mode) -> Self {
        match mode {
            Mode::Hard => Verdict::Dead,
            Mode::Soft => Verdict::Stale,
        }
    }

    /// The worst of several verdicts; fresh if there is none.
    pub(crate) fn worst(verdicts: impl Iterator<Item = Verdict>) -> Self {
        verdicts.min().unwrap_or(Verdict::Fresh)
    }
}

/// A pattern whose finish is being applied to memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sweep {
    pub(crate) pattern: Pattern,
    pub(crate) mode: Mode,
    pub(crate) anchor: u64,
}
