//! Writes on their way into the journal, numbered in the order in which they came.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{Notify, oneshot};

use super::error::WriteError;
use super::pended::{Pended, Wish};
use crate::clock::Moment;
use crate::sync::Mutex;

/// The most writes that share one append.
const APPEND_WRITES_MAX: usize = 1_024;
/// The most bytes that share one append, but for a single write that is larger.
const APPEND_BYTES_MAX: usize = 4 << 20;

/// A write that its caller waits for.
pub(super) struct Submission<K, V> {
    pub(super) key: K,
    pub(super) value: Option<V>,
    pub(super) write: Arc<Pended<V>>,
    pub(super) reply: oneshot::Sender<Result<u64, WriteError>>,
}

/// What a caller waits for.
pub(super) type Reply = oneshot::Receiver<Result<u64, WriteError>>;

/// The queue in front of the journal.
pub(super) struct Intake<K, V> {
    line: Mutex<Line<K, V>>,
    filled: Notify,
}

struct Line<K, V> {
    next: u64,
    waiting: VecDeque<Submission<K, V>>,
    is_open: bool,
}

impl<K, V> Intake<K, V> {
    /// The first write gets the number `next`.
    pub(super) fn new(next: u64) -> Self {
        let line = Line { next, waiting: VecDeque::new(), is_open: true };
        Intake { line: Mutex::new(line), filled: Notify::new() }
    }

    /// Numbers a write, and answers what its caller waits for.
    pub(super) fn submit(
        &self,
        key: K,
        value: Option<V>,
        wish: Wish,
        asked: Moment,
    ) -> Result<Reply, WriteError> {
        let (reply, answered) = oneshot::channel();
        {
            let mut line = self.line.lock();
            if !line.is_open {
                return Err(WriteError::Closed);
            }
            let write = Arc::new(Pended::new(line.next, wish, asked));
            line.next += 1;
            line.waiting.push_back(Submission { key, value, write, reply });
        }
        self.filled.notify_one();
        Ok(answered)
    }

    /// What goes into the journal together: all that wait, up to a limit.
    pub(super) fn take(&self) -> Vec<Submission<K, V>> {
        let mut line = self.line.lock();
        let (mut count, mut bytes) = (0, 0);
        for submission in line.waiting.iter().take(APPEND_WRITES_MAX) {
            bytes += submission.write.bytes();
            if count > 0 && bytes > APPEND_BYTES_MAX {
                break;
            }
            count += 1;
        }
        line.waiting.drain(..count).collect()
    }

    /// Completes once there is something to take, or the line was closed.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Takes no more writes; those that wait are still appended.
    pub(super) fn close(&self) {
        self.line.lock().is_open = false;
        self.filled.notify_one();
    }
}
