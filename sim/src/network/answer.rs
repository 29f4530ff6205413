//! The place where an answer is waited for. The first of answer and timeout wins.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use larder::shard::Unreachable;
use parking_lot::Mutex;

enum Place<T> {
    Waiting(Option<Waker>),
    Answered(Result<T, Unreachable>),
    Taken,
}

/// Both ends of one call: the network resolves it, the caller awaits it.
pub(super) struct Answer<T>(Arc<Mutex<Place<T>>>);

impl<T> Clone for Answer<T> {
    fn clone(&self) -> Self {
        Answer(Arc::clone(&self.0))
    }
}

impl<T> Answer<T> {
    pub(super) fn awaited() -> Self {
        Answer(Arc::new(Mutex::new(Place::Waiting(None))))
    }

    /// Whether nothing has answered yet.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.0.lock(), Place::Waiting(_))
    }

    /// Answers, unless something else did before.
    pub(super) fn resolve(&self, result: Result<T, Unreachable>) {
        let mut place = self.0.lock();
        if let Place::Waiting(waker) = &mut *place {
            let waker = waker.take();
            *place = Place::Answered(result);
            drop(place);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Future for Answer<T> {
    type Output = Result<T, Unreachable>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut place = self.0.lock();
        if let Place::Waiting(waker) = &mut *place {
            *waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        match std::mem::replace(&mut *place, Place::Taken) {
            Place::Answered(result) => Poll::Ready(result),
            Place::Waiting(_) | Place::Taken => panic!("an answer is awaited once"),
        }
    }
}
