//! What callers leave for the relay, and what it shows of its work.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use larder::Ticket;

use super::rows::RowId;

/// The most rows of which a relay is told. Of the others it learns when it looks: they are sent
/// once more.
const SETTLED_MAX: usize = 10_000;

/// How far the invalidation of a row has come whose commit is certain.
#[derive(Debug)]
pub(super) enum Settled {
    /// Every shard has it: the row can go.
    Shared(RowId),
    /// Its ticket says when.
    Local(RowId, Ticket),
}

/// The outbox's numbers, as of the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboxStats {
    /// Rows that wait: until they are sent, or until what was sent is removed.
    pub waiting: u64,
    /// How long the oldest of them has been there. Compares the clocks of two machines, so it is for
    /// people.
    pub oldest_age: Duration,
    /// Rows that no process was able to read: kept for people to look at.
    pub parked: u64,
    /// Rows that this process sent in the place of whoever wrote them, since its start.
    pub relayed: u64,
    /// How often the relay has looked, since its start.
    pub looks: u64,
}

/// A row whose writer, in this process, is about to say how its transaction has ended.
#[derive(Debug)]
pub(super) struct OpenRow {
    id: RowId,
    desk: Arc<Desk>,
}

impl OpenRow {
    /// Every shard has the invalidation, or this ticket says when.
    pub(super) fn settle(self, ticket: Option<&Ticket>) {
        let id = self.id.clone();
        self.desk.put(match ticket {
            None => Settled::Shared(id),
            Some(ticket) => Settled::Local(id, ticket.clone()),
        });
    }
}

impl Drop for OpenRow {
    fn drop(&mut self) {
        locked(&self.desk.open).remove(&self.id);
    }
}

/// Shared by an outbox and its relays.
#[derive(Debug, Default)]
pub(super) struct Desk {
    open: Mutex<HashSet<RowId>>,
    settled: Mutex<Vec<Settled>>,
    stats: Mutex<OutboxStats>,
}

impl Desk {
    /// The row is the writer's, until what this gives is dropped.
    pub(super) fn open(self: &Arc<Self>, id: RowId) -> OpenRow {
        locked(&self.open).insert(id.clone());
        OpenRow { id, desk: Arc::clone(self) }
    }

    /// The rows that are their writers' now. Asked for before [`take`](Self::take), each row is in one
    /// of the two answers until it is settled.
    pub(super) fn opened(&self) -> HashSet<RowId> {
        locked(&self.open).clone()
    }

    fn put(&self, settled: Settled) {
        let mut all = locked(&self.settled);
        if all.len() < SETTLED_MAX {
            all.push(settled);
        }
    }

    pub(super) fn take(&self) -> Vec<Settled> {
        std::mem::take(&mut locked(&self.settled))
    }

    pub(super) fn stats(&self) -> OutboxStats {
        *locked(&self.stats)
    }

    pub(super) fn show(&self, change: impl FnOnce(&mut OutboxStats)) {
        change(&mut locked(&self.stats));
    }
}

/// Nothing in here panics while it holds a lock.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
