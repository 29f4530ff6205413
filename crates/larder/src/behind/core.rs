//! What the parts of one cache's write-behind share.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::intake::Intake;
use super::journal::{Journal, JournalError};
use super::pending::Pending;
use super::sink::Sink;
use crate::cache::Cache;
use crate::clock::{BoxFuture, nanos};
use crate::node::Node;
use crate::node::queue::Ticket;
use crate::sync::Mutex;
use crate::{Entry, Key, wait};

/// A key that can be read back from a journal: one that serde knows. Keys are kept as JSON.
pub trait StoredKey: Key + Clone + Serialize + DeserializeOwned {}

impl<K: Key + Clone + Serialize + DeserializeOwned> StoredKey for K {}

/// Flushed writes, and the invalidation that tells the other nodes; `None` once they know.
pub(super) type Announcement = (Option<Ticket>, Vec<u64>);

/// The write-behind of one cache.
pub(super) struct Behind<K, V> {
    pub(super) cache: Cache<K, V>,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) sink: Sink<K, V>,
    pub(super) pending: Arc<Pending<V>>,
    pub(super) intake: Intake<K, V>,
    /// Flushed writes whose records stay until every node knows, in their order. Locked before the state of
    /// what is pending, which counts them.
    pub(super) announcing: Mutex<VecDeque<Announcement>>,
    /// Whose turn it is to let the journal forget.
    pub(super) forgetting: tokio::sync::Mutex<()>,
    pub(super) stop: CancellationToken,
}

impl<K: StoredKey, V: Entry> Behind<K, V> {
    pub(super) fn node(&self) -> &Arc<Node> {
        &self.cache.core.node
    }

    /// Asks the journal, which must answer in time.
    pub(super) async fn asked<T>(
        &self,
        question: BoxFuture<'_, Result<T, JournalError>>,
    ) -> Result<T, JournalError> {
        let limit = self.pending.bounds().journal_timeout;
        let late = JournalError::TimedOut { after_ms: nanos(limit) / 1_000_000 };
        wait::until(question, self.passed(limit)).await.unwrap_or(Err(late))
    }

    /// Completes once so much time has passed.
    pub(super) fn passed(&self, span: Duration) -> BoxFuture<'static, ()> {
        let node = self.node();
        node.clock.sleep_until(node.now().plus(span))
    }

    /// Completes once no work is to be begun any more: what is left stays in the journal.
    pub(super) async fn stopped(&self) {
        wait::until(self.stop.cancelled(), self.node().closing.wait()).await;
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled() || self.node().closing.get().is_some()
    }
}
