//! Appends that a shard has not acknowledged, in the order in which they were asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::marks::Target;
use crate::position::Position;
use crate::record::Mode;
use crate::shard::Epoch;
use crate::sync::Mutex;
use crate::wait::Signal;

use super::tailing::Ask;

/// What one call invalidates: one local sequence for all of it.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) records: Vec<(Target, Mode)>,
    pub(crate) sequence: u64,
}

/// One batch on its way to one shard.
#[derive(Debug, Clone)]
pub(crate) struct PendingAppend {
    pub(crate) batch: Arc<Batch>,
    /// Who is told when this shard has acknowledged.
    pub(crate) tickets: Vec<Ticket>,
    /// It was unsure from this local sequence on, and its unsure marks stay until it leaves.
    pub(crate) unsure_since: Option<u64>,
}

/// A batch whose acknowledgement came from an epoch that the view did not have.
#[derive(Debug, Clone)]
pub(crate) struct UnsureAppend {
    pub(crate) append: PendingAppend,
    /// The local sequence at which it became unsure.
    pub(crate) sequence: u64,
    pub(crate) epoch: Epoch,
    /// The position of its last record.
    pub(crate) position: u64,
    /// The anchor, if it was the scan of a pattern.
    pub(crate) anchor: Option<u64>,
    /// The last ask before the acknowledgement arrived.
    pub(crate) acknowledged_at: Ask,
}

/// The appends of one shard that are pending or unsure.
#[derive(Debug, Default)]
pub(crate) struct AppendQueue {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    pending: BTreeMap<u64, (PendingAppend, Sending)>,
    unsure: Vec<UnsureAppend>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    InFlight,
    Waiting,
}

/// The place of an append in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueId(u64);

impl AppendQueue {
    /// Enters an append that the caller is about to send.
    pub(crate) fn enter(&self, append: PendingAppend) -> QueueId {
        let mut inner = self.inner.lock();
        inner.next += 1;
        let id = inner.next;
        inner.pending.insert(id, (append, Sending::InFlight));
        QueueId(id)
    }

    /// The send failed or was dropped: the poll sends it again.
    pub(crate) fn park(&self, id: QueueId) {
        if let Some((_, sending)) = self.inner.lock().pending.get_mut(&id.0) {
            *sending = Sending::Waiting;
        }
    }

    /// Takes out what was acknowledged. `None`: somebody else's send of it was acknowledged.
    pub(crate) fn settle(&self, id: QueueId) -> Option<PendingAppend> {
        self.inner.lock().pending.remove(&id.0).map(|(append, _)| append)
    }

    /// The oldest append that nobody is sending, now being sent by the caller.
    pub(crate) fn resume(&self) -> Option<(QueueId, PendingAppend)> {
        let mut inner = self.inner.lock();
        let (id, (append, sending)) =
            inner.pending.iter_mut().find(|(_, (_, sending))| *sending == Sending::Waiting)?;
        *sending = Sending::InFlight;
        Some((QueueId(*id), append.clone()))
    }

    pub(crate) fn add_unsure(&self, unsure: UnsureAppend) {
        self.inner.lock().unsure.push(unsure);
    }

    /// Takes out the unsure appends that `leaves` says so of.
    pub(crate) fn take_unsure(
        &self,
        mut leaves: impl FnMut(&UnsureAppend) -> bool,
    ) -> Vec<UnsureAppend> {
        let mut inner = self.inner.lock();
        let (left, kept) =
            std::mem::take(&mut inner.unsure).into_iter().partition(|unsure| leaves(unsure));
        inner.unsure = kept;
        left
    }

    /// Enters an append again that was sent before: to be sent by the next poll.
    pub(crate) fn reenter(&self, append: PendingAppend) {
        let id = self.enter(append);
        self.park(id);
    }

    /// Takes out every append that nobody is sending.
    pub(crate) fn take_waiting(&self) -> Vec<PendingAppend> {
        let mut inner = self.inner.lock();
        let (waiting, sending) = std::mem::take(&mut inner.pending)
            .into_iter()
            .partition(|(_, (_, state))| *state == Sending::Waiting);
        inner.pending = sending;
        let waiting: BTreeMap<u64, (PendingAppend, Sending)> = waiting;
        waiting.into_values().map(|(append, _)| append).collect()
    }

    /// How many records wait for a shard.
    pub(crate) fn backlog(&self) -> usize {
        let inner = self.inner.lock();
        let unsure = inner.unsure.iter().map(|unsure| &unsure.append);
        inner
            .pending
            .values()
            .map(|(append, _)| append)
            .chain(unsure)
            .map(|append| append.batch.records.len())
            .sum()
    }
}

/// The promise that an invalidation reaches the log. It holds on this node from the start, and on
/// the others once it is [`shared`](Ticket::shared).
#[derive(Debug, Clone)]
pub struct Ticket {
    inner: Arc<TicketState>,
}

#[derive(Debug)]
struct TicketState {
    open: Mutex<Open>,
    done: Signal<Position>,
}

#[derive(Debug)]
struct Open {
    shards: usize,
    position: Position,
}

impl Ticket {
    pub(crate) fn new(shards: usize) -> Self {
        let open = Mutex::new(Open { shards, position: Position::default() });
        let ticket = Ticket { inner: Arc::new(TicketState { open, done: Signal::default() }) };
        if shards == 0 {
            ticket.inner.done.set(Position::default());
        }
        ticket
    }

    /// One shard has acknowledged.
    pub(crate) fn acknowledge(&self, at: &Position) {
        let all = {
            let mut open = self.inner.open.lock();
            open.position = std::mem::take(&mut open.position).merge(at);
            open.shards = open.shards.saturating_sub(1);
            (open.shards == 0).then(|| open.position.clone())
        };
        if let Some(position) = all {
            self.inner.done.set(position);
        }
    }

    /// The position, once every shard has acknowledged.
    pub fn position(&self) -> Option<Position> {
        self.inner.done.get()
    }

    /// Waits until every shard has acknowledged.
    ///
    /// # Cancel safety
    /// Dropping the future forgets nothing: the invalidation is retried all the same.
    pub async fn shared(&self) -> Position {
        self.inner.done.wait().await
    }
}
