//! A write of the source whose outcome is not known yet.

use std::sync::Arc;

use crate::invalidation::{Invalidated, Invalidation};
use crate::node::Node;
use crate::node::marks::Target;
use crate::record::Mode;

/// A write of the source that is under way, made by [`Larder::writing`](crate::Larder::writing).
///
/// Whatever becomes of the write, what it changes is invalidated, unless it is known to have changed
/// nothing. Dropped without a word, as when its caller is cancelled, it invalidates too: the source
/// may have committed.
#[must_use = "dropped at once, it invalidates before the write"]
pub struct Writing {
    node: Arc<Node>,
    records: Vec<(Target, Mode)>,
}

impl Writing {
    pub(crate) fn new(node: &Arc<Node>, invalidation: Invalidation) -> Self {
        Writing::of(node, invalidation.into_records())
    }

    pub(crate) fn of(node: &Arc<Node>, records: Vec<(Target, Mode)>) -> Self {
        Writing { node: Arc::clone(node), records }
    }

    /// The source has committed, and who asks invalidates: `first`, and then what else was named.
    pub(crate) fn records_with(mut self, first: (Target, Mode)) -> Vec<(Target, Mode)> {
        let named = std::mem::take(&mut self.records);
        let others = named.into_iter().filter(|record| *record != first);
        std::iter::once(first.clone()).chain(others).collect()
    }

    /// Names more: what was not known before the write, such as the key of a new row.
    pub fn also(&mut self, invalidation: Invalidation) {
        self.records.extend(invalidation.into_records());
    }

    /// The source has committed, or nobody knows: invalidates, see
    /// [`Larder::invalidate`](crate::Larder::invalidate).
    ///
    /// # Cancel safety
    /// Dropping the future forgets nothing.
    pub async fn committed(mut self) -> Invalidated {
        let records = std::mem::take(&mut self.records);
        self.node.invalidate(records).await
    }

    /// The source is known to have changed nothing: what is cached stays.
    pub fn rolled_back(mut self) {
        self.records.clear();
    }
}

impl Drop for Writing {
    /// Hidden on this node at once, before anybody reads again; others are told by a task. No timer
    /// is made here: whoever drops this may be on a thread without a runtime.
    fn drop(&mut self) {
        if self.records.is_empty() {
            return;
        }
        let node = Arc::clone(&self.node);
        let hidden = node.hide(std::mem::take(&mut self.records));
        let tasks = Arc::clone(&node.tasks);
        tasks.spawn(Box::pin(async move { drop(node.publish(hidden).await) }));
    }
}
