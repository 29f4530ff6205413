//! A write of the source whose outcome is not known yet.

use std::sync::Arc;

use crate::asked::Asked;
use crate::invalidation::{Invalidated, Invalidation};
use crate::node::Node;
use crate::node::marks::Target;
use crate::record::Mode;

/// A write of the source that is under way, made by [`Larder::writing`](crate::Larder::writing).
///
/// Whatever becomes of the write, what it changes is invalidated, unless it is known to have changed
/// nothing. Dropped without a word, as when its caller is cancelled, it invalidates too: the source
/// may have committed.
///
/// What it cannot do alone: a process that dies between the commit and the invalidation has told
/// nobody, and a commit that lands only after its caller was cancelled comes after the record. A row
/// that commits with the change closes both: `larder_sql::outbox`, for SQLite and PostgreSQL.
#[must_use = "dropped at once, it invalidates before the write"]
pub struct Writing {
    node: Arc<Node>,
    asked: Asked,
}

impl Writing {
    pub(crate) fn new(node: &Arc<Node>, invalidation: Invalidation) -> Self {
        Writing::of(node, invalidation.into_asked())
    }

    pub(crate) fn of(node: &Arc<Node>, asked: Asked) -> Self {
        Writing { node: Arc::clone(node), asked }
    }

    /// The source has committed, and who asks invalidates: `first`, and then what else was named.
    pub(crate) fn asked_with(mut self, first: (Target, Mode)) -> Asked {
        let Asked { records, cause } = std::mem::take(&mut self.asked);
        let others = records.into_iter().filter(|record| *record != first);
        Asked { records: std::iter::once(first.clone()).chain(others).collect(), cause }
    }

    /// Names more: what was not known before the write, such as the key of a new row.
    pub fn also(&mut self, invalidation: Invalidation) {
        self.asked = std::mem::take(&mut self.asked).and(invalidation.into_asked());
    }

    /// The source has committed, or nobody knows: invalidates, see
    /// [`Larder::invalidate`](crate::Larder::invalidate).
    ///
    /// # Cancel safety
    /// Dropping the future forgets nothing.
    pub async fn committed(mut self) -> Invalidated {
        let asked = std::mem::take(&mut self.asked);
        self.node.invalidate(asked).await
    }

    /// The source is known to have changed nothing: what is cached stays.
    pub fn rolled_back(mut self) {
        self.asked.records.clear();
    }
}

impl Drop for Writing {
    /// Hidden on this node at once, before anybody reads again; others are told by a task. No timer
    /// is made here: whoever drops this may be on a thread without a runtime.
    fn drop(&mut self) {
        if self.asked.records.is_empty() {
            return;
        }
        let node = Arc::clone(&self.node);
        let hidden = node.hide(std::mem::take(&mut self.asked));
        let tasks = Arc::clone(&node.tasks);
        tasks.spawn(Box::pin(async move { drop(node.publish(hidden).await) }));
    }
}
