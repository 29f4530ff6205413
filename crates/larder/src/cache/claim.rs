//! The right to store the value of a key that is being written: its lease, and the proof that
//! nothing named the entry between the write and the lease. Knows no value.

use std::sync::Arc;

use super::core::{CacheCore, Sought};
use crate::Entry;
use crate::node::RECORDS_MAX;
use crate::node::subject::Names;
use crate::node::view::Place;
use crate::read::lead::Lease;
use crate::record::{Change, LogRecord, Name, NameHash};
use crate::shard::{Epoch, LeaseReply, TailRequest, Token};

/// How often the lease is asked for of a key whose value somebody keeps replacing.
const TRIES: usize = 3;

/// The lease of a key that is being written; given back when it is dropped unused.
pub(super) struct Claim {
    pub(super) lease: Lease,
    pub(super) epoch: Epoch,
    pub(super) as_of: u64,
}

impl<V: Entry> CacheCore<V> {
    /// The lease of a key, whatever its value is now. `None`: another caller of the fleet has it,
    /// or the shard cannot be reached.
    pub(super) async fn claim(self: &Arc<Self>, sought: &Sought) -> Option<Claim> {
        let node = &self.node;
        let shard = &self.view(sought).shard;
        let token = Token(node.random.next_u128());
        let lease = Lease::new(node, sought, token);
        let mut seen = None;
        for _ in 0..TRIES {
            let asked = shard.lease(sought.names.key.clone(), token, seen);
            // Unanswered, it may be ours all the same: dropping it gives it back.
            match node.within(node.limits.call_timeout, asked).await.ok()? {
                LeaseReply::Granted { epoch, as_of } => return Some(Claim { lease, epoch, as_of }),
                LeaseReply::Filled { entry, .. } => seen = Some(entry.id),
                LeaseReply::Held => break,
            }
        }
        lease.spend();
        None
    }

    /// The lease of a key that was written while nobody held it. `before` is where the log stood
    /// before the write: whoever wrote the entry after us appends above it.
    ///
    /// `None` also if anything up to the lease names the entry, or may: then the order of the two
    /// writes is not known. What comes after the lease rejects the value by the lease's own rules.
    pub(super) async fn claim_since(
        self: &Arc<Self>,
        sought: &Sought,
        tags: &[NameHash],
        before: Place,
    ) -> Option<Claim> {
        let claim = self.claim(sought).await?;
        let epoch = before.epoch.filter(|epoch| *epoch == claim.epoch)?;
        if claim.as_of == before.applied {
            return Some(claim);
        }
        let (node, shard) = (&self.node, &self.view(sought).shard);
        let request =
            TailRequest { epoch: Some(epoch), from: before.applied, records_max: RECORDS_MAX };
        let reply = node.within(node.limits.call_timeout, shard.tail(request)).await.ok()?;
        let all = reply.epoch == epoch
            && reply.table.is_none()
            && reply.records.last().is_some_and(|last| last.position >= claim.as_of);
        let names = Names { tags, ..sought.names() };
        let unnamed = reply
            .records
            .iter()
            .filter(|record| record.position <= claim.as_of)
            .all(|record| !may_name(record, names));
        (all && unnamed).then_some(claim)
    }
}

/// Whether a step of the log names an entry of these names. Every pattern may.
fn may_name(record: &LogRecord, entry: Names<'_>) -> bool {
    let Change::Invalidated(record) = &record.change else { return true };
    let hash = record.name.hash();
    [Name::root().hash(), entry.cache, entry.key.hash()].contains(&hash)
        || entry.prefixes.contains(&hash)
        || entry.tags.contains(&hash)
}
