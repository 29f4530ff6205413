//! Invalidations on their way into the log: pending from before anything is sent until every
//! shard has acknowledged.

use std::sync::Arc;

use super::marks::Target;
use super::queue::{Batch, PendingAppend, QueueId, Ticket, UnsureAppend};
use super::subject::Names;
use super::view::View;
use super::writers::concerns;
use super::{Node, PATTERNS_MAX, RECORDS_MAX};
use crate::event::Event;
use crate::key::pattern::Pattern;
use crate::position::Position;
use crate::record::{Mode, Name, Record};
use crate::shard::{Appended, Fill, FillReply, Scan, Unreachable};
use crate::wait;

/// The keys that one batch of a scan looks at. A server of one thread does nothing else meanwhile:
/// with a thousand, other commands took nine times as long.
const SCAN_BATCH: usize = 25;

/// A batch on its way: pending on this node from the moment this exists.
///
/// # Cancel safety
/// Dropping it leaves the batch pending; the poll sends it.
pub(crate) struct Appending {
    node: Arc<Node>,
    pub(crate) ticket: Ticket,
    /// The local sequence of the batch.
    pub(crate) sequence: u64,
    /// Somebody else's invalidation on this node names the watched key, and is not in the log yet.
    pub(crate) others_name_it: bool,
    legs: Vec<Leg>,
}

/// One append to one shard; parked when it is dropped unacknowledged.
struct Leg {
    node: Arc<Node>,
    shard: usize,
    id: QueueId,
    append: PendingAppend,
    acknowledged: bool,
}

impl Drop for Leg {
    fn drop(&mut self) {
        if !self.acknowledged {
            self.node.views[self.shard].queue.park(self.id);
        }
    }
}

/// What a shard acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acknowledged {
    at: Appended,
    /// The anchor, if it was the scan of a pattern.
    anchor: Option<u64>,
    /// How many values the scan matched.
    matched: u64,
}

impl Node {
    /// Hides what the records name on this node at once, and prepares to send them.
    /// `watched` are the names of an entry that is about to be written through.
    pub(crate) fn begin_append(
        self: &Arc<Self>,
        records: Vec<(Target, Mode)>,
        watched: Option<Names<'_>>,
    ) -> Appending {
        let chunks = chunked(records);
        let legs: Vec<(usize, usize)> = (0..chunks.len())
            .flat_map(|chunk| (0..self.views.len()).map(move |shard| (chunk, shard)))
            .filter(|&(chunk, shard)| {
                chunks[chunk].iter().any(|(target, _)| concerns(self, target, shard))
            })
            .collect();
        let ticket = Ticket::new(legs.len());
        let (sequence, others_name_it, entered) = self.write(|write| {
            let named_already = |view: &View| watched.is_some_and(|names| view.skips_shared(names));
            let others_name_it = self.views.iter().any(named_already);
            let batch = |records| Arc::new(Batch { records, sequence: write.l });
            let batches: Vec<Arc<Batch>> = chunks.into_iter().map(batch).collect();
            batches.iter().for_each(|batch| write.enter_pending(batch, &self.views));
            let enter = |(chunk, shard): (usize, usize)| {
                let batch = Arc::clone(&batches[chunk]);
                let append =
                    PendingAppend { batch, tickets: vec![ticket.clone()], unsure_since: None };
                (shard, self.views[shard].queue.enter(append.clone()), append)
            };
            (write.l, others_name_it, legs.into_iter().map(enter).collect::<Vec<_>>())
        });
        let leg = |(shard, id, append)| Leg {
            node: Arc::clone(self),
            shard,
            id,
            append,
            acknowledged: false,
        };
        Appending {
            node: Arc::clone(self),
            ticket,
            sequence,
            others_name_it,
            legs: entered.into_iter().map(leg).collect(),
        }
    }

    /// Sends what is pending on a shard, oldest first; stops at the first failure.
    pub(super) async fn retry_pending(self: &Arc<Self>, view: &View) {
        self.collapse_backlog(view);
        while let Some((id, append)) = view.queue.resume() {
            let leg =
                Leg { node: Arc::clone(self), shard: view.index, id, append, acknowledged: false };
            if leg.send().await.is_err() {
                return;
            }
        }
    }

    /// Too many pending names become one that names everything, entered before the others leave.
    fn collapse_backlog(self: &Arc<Self>, view: &View) {
        let backlog = view.queue.backlog();
        if backlog <= self.limits.pending_max && view.pending.pattern_count() <= PATTERNS_MAX {
            return;
        }
        let waiting = view.queue.take_waiting();
        let modes = waiting.iter().flat_map(|append| &append.batch.records).map(|(_, mode)| *mode);
        let Some(mode) = modes.reduce(harder) else { return };
        let root = (Target::Name(Name::root()), mode);
        let batch = self.write(|write| {
            let batch = Arc::new(Batch { records: vec![root], sequence: write.l });
            write.enter_pending(&batch, std::slice::from_ref(view));
            batch
        });
        let tickets = waiting.iter().flat_map(|append| append.tickets.clone()).collect();
        view.queue.reenter(PendingAppend { batch, tickets, unsure_since: None });
        waiting.iter().for_each(|append| self.leave_marks(view, append));
        self.emit(Event::BacklogCollapsed { shard: view.index, names: backlog });
    }

    /// Both places of a batch's names are free again.
    fn leave_marks(&self, view: &View, append: &PendingAppend) {
        let records =
            append.batch.records.iter().filter(|(target, _)| concerns(self, target, view.index));
        for (target, mode) in records {
            view.pending.leave(target, *mode, append.batch.sequence);
            if let Some(sequence) = append.unsure_since {
                view.unsure.leave(target, *mode, sequence);
            }
        }
    }

    /// A shard has our records: apply them if they are in the log that we follow.
    fn acknowledge(
        &self,
        view: &View,
        append: &PendingAppend,
        acknowledged: Acknowledged,
    ) -> Standing {
        let at = acknowledged.at;
        let acknowledged_at = view.last_ask();
        view.learn_told(at.epoch, at.position);
        self.write(|write| {
            if view.place().epoch == Some(at.epoch) {
                write.apply_own(view, &append.batch.records, acknowledged.anchor, at);
                return Standing::Applied;
            }
            let unsure = UnsureAppend {
                // Who waits is told once: a second acknowledgement must not pass for that of
                // another shard.
                append: PendingAppend { tickets: Vec::new(), ..append.clone() },
                sequence: write.l,
                epoch: at.epoch,
                position: at.position,
                anchor: acknowledged.anchor,
                acknowledged_at,
            };
            write.enter_unsure(view, unsure);
            Standing::Unsure
        })
    }

    /// Looks through the values of one shard for a pattern.
    async fn scan(
        &self,
        view: &View,
        pattern: &Pattern,
        mode: Mode,
    ) -> Result<Acknowledged, Unreachable> {
        let limit = self.limits.call_timeout;
        let anchor = self.within(limit, view.shard.anchor()).await?;
        let mut matched = 0;
        let mut cursor = Some(Vec::new());
        while let Some(at) = cursor {
            let batch = Scan {
                pattern: pattern.clone(),
                mode,
                epoch: anchor.epoch,
                cursor: at,
                batch_max: SCAN_BATCH,
            };
            let reply = self.within(limit, view.shard.scan(batch)).await?;
            matched += reply.matched;
            cursor = reply.cursor;
        }
        let finished = self.within(limit, view.shard.finish(pattern.clone(), mode, anchor)).await?;
        let at = finished
            .ok_or_else(|| Unreachable::new("the shard began a new epoch during the scan"))?;
        Ok(Acknowledged { at, anchor: Some(anchor.position), matched })
    }
}

/// Where the records of an acknowledged append are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Applied,
    Unsure,
}

fn harder(a: Mode, b: Mode) -> Mode {
    if a == Mode::Hard { a } else { b }
}

/// Names in chunks that one append may carry; each pattern on its own, for it takes a scan.
fn chunked(records: Vec<(Target, Mode)>) -> Vec<Vec<(Target, Mode)>> {
    let (names, patterns): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|(target, _)| matches!(target, Target::Name(_)));
    let names = names.chunks(RECORDS_MAX).map(<[_]>::to_vec);
    names.chain(patterns.into_iter().map(|pattern| vec![pattern])).collect()
}

impl Leg {
    fn view(&self) -> &View {
        &self.node.views[self.shard]
    }

    /// The records that this shard has to know of.
    fn records(&self) -> Vec<Record> {
        let named = self.append.batch.records.iter().filter_map(|(target, mode)| match target {
            Target::Name(name) if concerns(&self.node, target, self.shard) => {
                Some(Record { name: name.clone(), mode: *mode })
            }
            _ => None,
        });
        named.collect()
    }

    async fn send(mut self) -> Result<u64, Unreachable> {
        let node = Arc::clone(&self.node);
        let view = &node.views[self.shard];
        let acknowledged = match self.append.batch.records.first() {
            Some((Target::Pattern(pattern), mode)) => node.scan(view, pattern, *mode).await?,
            _ => {
                let at =
                    node.within(node.limits.call_timeout, view.shard.append(self.records())).await?;
                Acknowledged { at, anchor: None, matched: 0 }
            }
        };
        self.settle(acknowledged);
        Ok(acknowledged.matched)
    }

    /// Sends the records together with a value to store at their position.
    async fn send_with(mut self, fill: Fill) -> Result<(Appended, FillReply), Unreachable> {
        let node = Arc::clone(&self.node);
        let shard = &node.views[self.shard].shard;
        let (at, stored) =
            node.within(node.limits.call_timeout, shard.write_through(fill, self.records())).await?;
        self.settle(Acknowledged { at, anchor: None, matched: 0 });
        Ok((at, stored))
    }

    fn settle(&mut self, acknowledged: Acknowledged) {
        self.acknowledged = true;
        let view = self.view();
        let standing = self.node.acknowledge(view, &self.append, acknowledged);
        // Another send of it, by the poll, may have been acknowledged first.
        if let Some(append) = view.queue.settle(self.id) {
            self.node.leave_marks(view, &append);
            let at = Position::at(self.shard, acknowledged.at.epoch, acknowledged.at.position);
            append.tickets.iter().for_each(|ticket| ticket.acknowledge(&at));
        }
        if standing == Standing::Unsure {
            view.tailing.request();
        }
    }
}

impl Appending {
    /// Sends to every shard that was not sent to. Says how many values scans matched.
    pub(crate) async fn send(self) -> u64 {
        let sends = self.legs.into_iter().map(Leg::send);
        wait::all(sends).await.into_iter().filter_map(Result::ok).sum()
    }

    /// Sends what one shard has to know, and stores `fill` there with it. The rest is to be
    /// [sent](Self::send) after it: the scan of a pattern would bar what was leased before.
    pub(crate) async fn send_with(&mut self, fill: Fill) -> Option<(Appended, FillReply)> {
        let shard = self.node.shard_of(&fill.key);
        let own = self.legs.iter().position(|leg| leg.shard == shard)?;
        self.legs.remove(own).send_with(fill).await.ok()
    }
}
