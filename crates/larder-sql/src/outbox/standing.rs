//! Decides, from what a look at the outbox has shown, which rows are to be sent and which are done
//! with. Pure: no clock, no database. Time is counted in looks.

use std::collections::{HashMap, HashSet};

use larder::Ticket;

use super::desk::Settled;
use super::rows::RowId;

/// A row is sent once it has been seen in so many looks: until then it may be that of a caller who
/// is about to send it.
const LOOKS_UNTIL_DUE: u8 = 4;

/// The most rows that are on their way, or done with and not removed yet.
pub(super) const KNOWN_MAX: usize = 10_000;

/// What becomes of a row once every shard has its invalidation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is removed.
    Goes,
    /// It is kept for people to look at, for this reason.
    IsParked(String),
}

#[derive(Debug)]
enum Standing {
    /// Nobody has told of it yet.
    Waits { looks: u8 },
    /// It is on its way.
    Sent(Ticket, Fate),
    /// Every shard has it.
    Shared(Fate),
}

/// Which of the rows in the outbox are sent without waiting for who wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Those that have been there for some looks.
    Some,
    /// All: at the start, after a crash, or when there are very many.
    None,
}

/// The rows that this process knows something of.
#[derive(Debug, Default)]
pub(super) struct Known {
    rows: HashMap<RowId, Standing>,
}

impl Known {
    /// Takes in how far callers have come.
    pub(super) fn hear(&mut self, settled: Vec<Settled>) {
        for settled in settled {
            match settled {
                Settled::Shared(row) => self.enter(row, Standing::Shared(Fate::Goes)),
                Settled::Local(row, ticket) => self.enter(row, Standing::Sent(ticket, Fate::Goes)),
            }
        }
        for standing in self.rows.values_mut() {
            if let Standing::Sent(ticket, fate) = standing
                && ticket.position().is_some()
            {
                *standing = Standing::Shared(fate.clone());
            }
        }
    }

    /// These rows were sent, and this ticket says when every shard has them.
    pub(super) fn sent(&mut self, rows: impl IntoIterator<Item = (RowId, Fate)>, ticket: &Ticket) {
        for (row, fate) in rows {
            self.enter(row, Standing::Sent(ticket.clone(), fate));
        }
    }

    /// These rows were sent, and every shard has them.
    pub(super) fn shared(&mut self, rows: impl IntoIterator<Item = (RowId, Fate)>) {
        for (row, fate) in rows {
            self.enter(row, Standing::Shared(fate));
        }
    }

    /// A row that is not entered is sent once more.
    fn enter(&mut self, row: RowId, standing: Standing) {
        if self.rows.len() < KNOWN_MAX || self.rows.contains_key(&row) {
            self.rows.insert(row, standing);
        }
    }

    /// The rows with which nothing is left to do but this.
    pub(super) fn done(&self) -> Vec<(RowId, Fate)> {
        let done = self.rows.iter().filter_map(|(row, standing)| match standing {
            Standing::Shared(fate) => Some((row.clone(), fate.clone())),
            Standing::Waits { .. } | Standing::Sent(..) => None,
        });
        done.collect()
    }

    /// Nothing is known of them any more. One that is seen again has come back with a late commit.
    pub(super) fn forget<'a>(&mut self, rows: impl IntoIterator<Item = &'a RowId>) {
        for row in rows {
            self.rows.remove(row);
        }
    }

    /// A look has shown these rows: those that are to be sent now, in their order. Those that are `open`
    /// have a writer in this process, who is given time in any case.
    pub(super) fn due(
        &mut self,
        seen: &[RowId],
        open: &HashSet<RowId>,
        patience: Patience,
    ) -> Vec<RowId> {
        let there: HashSet<&RowId> = seen.iter().collect();
        self.rows.retain(|row, standing| {
            !matches!(standing, Standing::Waits { .. }) || there.contains(row)
        });
        let due = seen.iter().filter(|row| {
            let patience = if open.contains(*row) { Patience::Some } else { patience };
            self.is_due(row, patience)
        });
        due.cloned().collect::<Vec<_>>()
    }

    fn is_due(&mut self, row: &RowId, patience: Patience) -> bool {
        match self.rows.get_mut(row) {
            Some(Standing::Sent(..) | Standing::Shared(_)) => false,
            Some(Standing::Waits { looks }) => {
                *looks = looks.saturating_add(1);
                *looks >= LOOKS_UNTIL_DUE || patience == Patience::None
            }
            None => {
                self.enter(row.clone(), Standing::Waits { looks: 1 });
                patience == Patience::None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(known: &mut Known, seen: &[RowId], patience: Patience) -> Vec<RowId> {
        known.due(seen, &HashSet::new(), patience)
    }

    fn rows(names: &[&str]) -> Vec<RowId> {
        names.iter().copied().map(RowId::named).collect()
    }

    #[test]
    fn a_row_is_left_to_its_writer_for_some_looks_and_then_sent() {
        let (mut known, seen) = (Known::default(), rows(&["a"]));
        for _ in 1..LOOKS_UNTIL_DUE {
            assert_eq!(due(&mut known, &seen, Patience::Some), []);
        }
        assert_eq!(due(&mut known, &seen, Patience::Some), seen);
    }

    #[test]
    fn at_the_start_nothing_is_waited_for() {
        let seen = rows(&["b", "a"]);
        assert_eq!(due(&mut Known::default(), &seen, Patience::None), seen);
    }

    #[test]
    fn a_row_whose_writer_is_at_work_is_not_taken_for_one_that_a_crash_left() {
        let seen = rows(&["a", "b"]);
        let open = seen[..1].iter().cloned().collect();
        assert_eq!(Known::default().due(&seen, &open, Patience::None), seen[1..]);
    }

    #[test]
    fn what_is_shared_is_not_sent_again_but_what_comes_back_is() {
        let (mut known, seen) = (Known::default(), rows(&["a", "b"]));
        known.hear(vec![Settled::Shared(seen[0].clone())]);
        assert_eq!(due(&mut known, &seen, Patience::None), seen[1..]);
        assert_eq!(known.done(), [(seen[0].clone(), Fate::Goes)]);
        known.forget(&seen[..1]);
        assert_eq!(due(&mut known, &seen, Patience::None), seen);
    }

    #[test]
    fn a_row_that_left_is_new_when_it_comes_back() {
        let (mut known, seen) = (Known::default(), rows(&["a"]));
        for _ in 1..LOOKS_UNTIL_DUE {
            due(&mut known, &seen, Patience::Some);
        }
        due(&mut known, &[], Patience::Some);
        assert_eq!(due(&mut known, &seen, Patience::Some), []);
    }

    #[test]
    fn no_more_rows_are_known_than_there_is_room_for() {
        let mut known = Known::default();
        let many: Vec<RowId> = (0..KNOWN_MAX + 7).map(|row| RowId::named(&row.to_string())).collect();
        known.hear(many.into_iter().map(Settled::Shared).collect());
        assert_eq!(known.done().len(), KNOWN_MAX);
    }
}
