//! Who waits for the log: readers share one running tail and one queued one.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::clock::Moment;
use crate::shard::Epoch;
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::wait::{Place, Waiters};

/// The number of an ask: orders what was asked, before what was acknowledged or resynced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ask(u64);

impl Ask {
    pub(super) fn number(number: u64) -> Self {
        Ask(number)
    }
}

/// The tails of one shard, in the order in which they were started.
#[derive(Debug, Default)]
pub(crate) struct Tailing {
    inner: Mutex<Inner>,
    /// When the last one failed, for hits; 0: it did not.
    failed_at: AtomicU64,
}

#[derive(Debug, Default)]
struct Inner {
    started: u64,
    ended: u64,
    wanted: u64,
    last: Option<Tailed>,
    tailer: Option<Waker>,
    readers: Waiters,
}

/// How a tail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tailed {
    /// The shard answered with this epoch and head, and the answer was applied.
    Answered { epoch: Epoch, head: u64 },
    /// The shard could not be reached.
    Failed,
}

/// A tail that starts after it was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requested(u64);

impl Tailing {
    /// Asks for a tail that starts from now on.
    pub(crate) fn request(&self) -> Requested {
        let (requested, tailer) = {
            let mut inner = self.inner.lock();
            inner.wanted = inner.wanted.max(inner.started + 1);
            (Requested(inner.started + 1), inner.tailer.take())
        };
        if let Some(tailer) = tailer {
            tailer.wake();
        }
        requested
    }

    /// Waits for the end of a tail that was asked for.
    pub(crate) async fn ended(&self, requested: Requested) -> Tailed {
        let mut waiting = Reader { tailing: self, place: None };
        poll_fn(|context| waiting.poll(requested, context)).await
    }

    /// For the task that tails: waits until a tail is asked for.
    pub(super) async fn asked_for(&self) {
        poll_fn(|context| {
            let mut inner = self.inner.lock();
            if inner.wanted > inner.started {
                return Poll::Ready(());
            }
            inner.tailer = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    pub(super) fn start(&self) {
        self.inner.lock().started += 1;
    }

    /// Whether the last tail found nobody, not longer ago than this.
    #[inline]
    pub(crate) fn failed_within(&self, span: Duration, now: Moment) -> bool {
        let failed_at = self.failed_at.load(Ordering::Relaxed);
        failed_at > 0 && now < Moment::from_nanos(failed_at).plus(span)
    }

    pub(super) fn end(&self, tailed: Tailed, now: Moment) {
        let failed_at = if tailed == Tailed::Failed { now.as_nanos() } else { 0 };
        self.failed_at.store(failed_at, Ordering::Relaxed);
        let woken = {
            let mut inner = self.inner.lock();
            inner.ended = inner.started;
            inner.last = Some(tailed);
            inner.readers.all()
        };
        woken.into_iter().for_each(Waker::wake);
    }
}

struct Reader<'t> {
    tailing: &'t Tailing,
    place: Place,
}

impl Reader<'_> {
    fn poll(&mut self, requested: Requested, context: &Context<'_>) -> Poll<Tailed> {
        let mut inner = self.tailing.inner.lock();
        match inner.last {
            Some(tailed) if inner.ended >= requested.0 => Poll::Ready(tailed),
            _ => {
                inner.readers.enter(&mut self.place, context.waker());
                Poll::Pending
            }
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.tailing.inner.lock().readers.leave(self.place);
    }
}
