//! The future of `get_or_load`, made by hand: its first poll answers a hit, and only a miss has a
//! state (`docs/decisions/0009-a-hit-is-two-words.md`). Knows no rule of when a hit is fresh.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::{BoxError, Cache};
use crate::clock::BoxFuture;
use crate::hit::Lookup;
use crate::loaded::{IntoLoaded, Load};
use crate::{Entry, Error, Key};

/// A `get_or_load` on its way, with the answer `A`.
#[must_use = "futures do nothing unless polled"]
pub(super) struct GetOrLoad<'c, K, V, M, A> {
    cache: &'c Cache<K, V>,
    key: &'c K,
    /// Makes the loader, which only a miss needs. Until the first poll.
    loader: Option<M>,
    /// From then on, if memory did not have the answer.
    miss: Option<BoxFuture<'c, Result<A, Error>>>,
}

impl<'c, K, V, M, A> GetOrLoad<'c, K, V, M, A> {
    #[inline]
    pub(super) fn new(cache: &'c Cache<K, V>, key: &'c K, loader: M) -> Self {
        GetOrLoad { cache, key, loader: Some(loader), miss: None }
    }
}

/// What makes the loader is moved out before it is called: nothing in here is pinned.
impl<K, V, M, A> Unpin for GetOrLoad<'_, K, V, M, A> {}

impl<K, V, M, F, Fut, L, E> Future for GetOrLoad<'_, K, V, M, L::Answer>
where
    K: Key,
    V: Entry,
    M: FnOnce() -> F,
    F: FnOnce(Load<V>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<L, E>> + Send + 'static,
    L: IntoLoaded<V>,
    E: Into<BoxError> + 'static,
{
    type Output = Result<L::Answer, Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some(loader) = this.loader.take() {
            if let Some((resident, told)) = this.cache.in_memory(this.key) {
                return Poll::Ready(L::shape(Lookup::of(resident, told)));
            }
            this.miss = Some(this.cache.missed(this.key, loader()));
        }
        this.poll_miss(context)
    }
}

impl<K, V, M, A> GetOrLoad<'_, K, V, M, A> {
    #[cold]
    fn poll_miss(&mut self, context: &mut Context<'_>) -> Poll<Result<A, Error>> {
        let miss = self.miss.as_mut().expect("a future is not polled after its end");
        miss.as_mut().poll(context)
    }
}
