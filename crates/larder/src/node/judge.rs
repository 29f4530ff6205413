//! Decides whether an entry is dead, stale or fresh. The reading order is load-bearing
//! (`docs/protocol.md` §3): a fact moves from pending to unsure or the tables, and from there to
//! epoch and mark; whoever moves it writes the new place before deleting the old, so a reader who
//! goes the same way cannot miss it.

use super::subject::{Residence, Subject};
use super::view::View;
use crate::memory::verdict::Verdict;

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
        let key_kills = subject.residence == Residence::Elsewhere && key.hard > subject.key_as_of;
        if tags.hard > subject.as_of || key_kills {
            Verdict::Dead
        } else if tags.soft > subject.as_of || key.soft > subject.key_as_of {
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
