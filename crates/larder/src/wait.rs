//! Small pieces of waiting that no runtime is needed for.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt;
use futures_util::future::{Either, JoinAll, Map, join_all, select};

use crate::sync::Mutex;

/// Tasks that wait for one thing. Each keeps its place, so that ten thousand of them cost no more
/// than one each.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    places: Vec<Option<Waker>>,
    free: Vec<usize>,
}

/// Where a task waits; `None` before its first poll.
pub(crate) type Place = Option<usize>;

impl Waiters {
    pub(crate) fn enter(&mut self, place: &mut Place, waker: &Waker) {
        match *place {
            Some(index) => self.places[index] = Some(waker.clone()),
            None => {
                let index = self.free.pop().unwrap_or_else(|| {
                    self.places.push(None);
                    self.places.len() - 1
                });
                self.places[index] = Some(waker.clone());
                *place = Some(index);
            }
        }
    }

    pub(crate) fn leave(&mut self, place: Place) {
        if let Some(index) = place {
            self.places[index] = None;
            self.free.push(index);
        }
    }

    /// Everyone, to be woken once the lock is released. Places stay taken.
    pub(crate) fn all(&mut self) -> Vec<Waker> {
        self.places.iter_mut().filter_map(Option::take).collect()
    }

    /// One of those who wait, to be woken once the lock is released.
    pub(crate) fn one(&mut self) -> Option<Waker> {
        self.places.iter_mut().find_map(Option::take)
    }
}

/// A value that is set once, and that any number of tasks wait for.
pub(crate) struct Signal<T> {
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    value: Option<T>,
    waiters: Waiters,
}

impl<T> Default for Signal<T> {
    fn default() -> Self {
        Signal { inner: Mutex::new(Inner { value: None, waiters: Waiters::default() }) }
    }
}

impl<T> fmt::Debug for Signal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").finish_non_exhaustive()
    }
}

impl<T: Clone> Signal<T> {
    /// Sets the value and wakes who waits; the first value stays.
    pub(crate) fn set(&self, value: T) {
        let woken = {
            let mut inner = self.inner.lock();
            if inner.value.is_some() {
                return;
            }
            inner.value = Some(value);
            inner.waiters.all()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn get(&self) -> Option<T> {
        self.inner.lock().value.clone()
    }

    fn poll(&self, place: &mut Place, context: &Context<'_>) -> Poll<T> {
        let mut inner = self.inner.lock();
        match &inner.value {
            Some(value) => Poll::Ready(value.clone()),
            None => {
                inner.waiters.enter(place, context.waker());
                Poll::Pending
            }
        }
    }

    /// Waits for the value.
    pub(crate) async fn wait(&self) -> T {
        let mut waiting = Waiting { signal: self, place: None };
        poll_fn(|context| waiting.signal.poll(&mut waiting.place, context)).await
    }
}

struct Waiting<'s, T> {
    signal: &'s Signal<T>,
    place: Place,
}

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        self.signal.inner.lock().waiters.leave(self.place);
    }
}

/// What `work` gives, unless `stop` completes first.
pub(crate) async fn until<T>(work: impl Future<Output = T>, stop: impl Future) -> Option<T> {
    match select(pin!(work), pin!(stop)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// Works that run at once, see [`all`].
type All<F> = Either<JoinAll<F>, Map<F, fn(<F as Future>::Output) -> Vec<<F as Future>::Output>>>;

/// What all of these give, which run at once. One alone, which is the usual case, needs no box.
pub(crate) fn all<F: Future>(works: impl IntoIterator<Item = F>) -> All<F> {
    let mut works = works.into_iter();
    match (works.next(), works.next()) {
        (Some(only), None) => Either::Right(only.map(|given| vec![given])),
        (first, second) => Either::Left(join_all(first.into_iter().chain(second).chain(works))),
    }
}

/// Lets other tasks run once.
pub(crate) async fn turn() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
