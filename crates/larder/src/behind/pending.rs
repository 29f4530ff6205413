//! The writes that wait, shared between writers, readers and the flusher: room is waited for in
//! turn, and who waits for something is woken. What waits for what is decided in `state`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::bounds::Bounds;
use super::pended::Pended;
use super::state::State;
use crate::clock::Moment;
use crate::key::EncodedKey;
use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering};

/// The writes of one cache that its source does not have yet.
pub(crate) struct Pending<V> {
    state: Mutex<State<V>>,
    bounds: Bounds,
    /// Writers that wait for room get it in turn.
    turn: tokio::sync::Mutex<()>,
    /// Room was given back, or the last write has left.
    eased: Notify,
    /// There is something to do for the flusher.
    stirred: Notify,
    /// Nothing waits for its turn any more: write-behind is being closed.
    hurried: AtomicBool,
}

impl<V> Pending<V> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Pending {
            state: Mutex::new(State::default()),
            bounds,
            turn: tokio::sync::Mutex::new(()),
            eased: Notify::new(),
            stirred: Notify::new(),
            hurried: AtomicBool::new(false),
        }
    }

    /// The last acknowledged write of this key, if the source does not have it.
    pub(crate) fn of(&self, key: &EncodedKey) -> Option<Arc<Pended<V>>> {
        self.state.lock().of(key).map(Arc::clone)
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock()
    }

    /// Waits until there is room for one more write of so many bytes, and takes it.
    pub(super) async fn room(&self, bytes: usize) {
        let _turn = self.turn.lock().await;
        loop {
            let eased = self.eased.notified();
            if self.takes(bytes) {
                return;
            }
            // Half full is when the flusher hurries: it may not know yet.
            self.stir();
            eased.await;
        }
    }

    fn takes(&self, bytes: usize) -> bool {
        let mut state = self.state();
        let fits = state.used.writes < self.bounds.writes_max
            && state.used.bytes + bytes <= self.bounds.bytes_max;
        if fits {
            state.used.take(bytes);
        }
        fits
    }

    /// How long a key may wait for its turn: not at all while room is short.
    pub(super) fn delay(&self) -> Duration {
        if self.is_hurried() {
            return Duration::ZERO;
        }
        let used = self.state().used;
        let short =
            used.writes * 2 >= self.bounds.writes_max || used.bytes * 2 >= self.bounds.bytes_max;
        if short { Duration::ZERO } else { self.bounds.flush_after }
    }

    /// From now on everything is flushed at once.
    pub(super) fn hurry(&self) {
        self.hurried.store(true, Ordering::Release);
        self.stir();
    }

    pub(super) fn is_hurried(&self) -> bool {
        self.hurried.load(Ordering::Acquire)
    }

    /// Wakes the flusher.
    pub(super) fn stir(&self) {
        self.stirred.notify_one();
    }

    /// Completes once the flusher was woken.
    pub(super) async fn stirred(&self) {
        self.stirred.notified().await;
    }

    /// Wakes those who wait for room, or for the end.
    pub(super) fn ease(&self) {
        self.eased.notify_waiters();
    }

    /// Completes once nothing waits any more, neither for the source nor to be forgotten.
    pub(super) async fn settled(&self) {
        loop {
            let eased = self.eased.notified();
            if self.state().is_settled() {
                return;
            }
            eased.await;
        }
    }

    /// For how long the oldest write waits.
    pub(super) fn oldest_age(&self, now: Moment) -> Option<Duration> {
        self.state().oldest().map(|oldest| now.since(oldest))
    }
}
