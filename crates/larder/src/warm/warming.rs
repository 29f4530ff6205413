//! What the clones of a warmer share, and the runs: one task reads the sets of one call, each set at
//! most once at a time.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::error::SaveError;
use super::hot::{HotKeys, Saved};
use super::limits::Limits;
use super::pace::Pace;
use super::progress::{Board, WarmProgress, WarmState};
use super::set::{Listed, WarmSet};
use crate::clock::BoxFuture;
use crate::event::Event;
use crate::node::Node;
use crate::sync::{AtomicBool, Ordering};
use crate::wait;

/// After so many failed batches in a row the source is left alone.
const FAILURES_MAX: usize = 3;

pub(super) struct Warming {
    pub(super) node: Arc<Node>,
    /// The hot keys first, if there are any.
    pub(super) sets: Vec<WarmSet>,
    pub(super) hot: Option<Arc<HotKeys>>,
    pub(super) board: Board,
    pub(super) pace: Pace,
    pub(super) limits: Limits,
    /// Wakes who waits for the end of runs.
    pub(super) ended: Notify,
    pub(super) stop: CancellationToken,
    pub(super) keeps_saving: AtomicBool,
    /// Whose turn it is to write the file.
    pub(super) saving: Arc<tokio::sync::Mutex<()>>,
}

/// The hot keys are the first set.
pub(super) const HOT: usize = 0;

impl Warming {
    /// Begins those of `sets` that nobody else runs.
    pub(super) fn begin(self: &Arc<Self>, sets: Vec<usize>) {
        let claimed = self.board.claim(sets);
        if !claimed.is_empty() {
            self.node.tasks.spawn(Box::pin(Arc::clone(self).run(claimed)));
        }
    }

    async fn run(self: Arc<Self>, sets: Vec<usize>) {
        for set in sets {
            let read = match self.stop.is_cancelled() {
                true => None,
                false => wait::until(self.read(set), self.stopped()).await,
            };
            let (state, error) = match read {
                Some(Ok(())) => (WarmState::Done, None),
                Some(Err(error)) => (WarmState::Failed, Some(error)),
                None => (WarmState::Stopped, None),
            };
            let progress = self.board.end(set, state, error, self.node.now());
            self.ended.notify_waiters();
            if state != WarmState::Stopped {
                self.node.emit(Event::SetWarmed {
                    set: &progress.set,
                    keys: progress.listed,
                    failed: progress.failed,
                    took: progress.elapsed,
                    error: progress.error.as_deref(),
                });
            }
        }
    }

    /// Reads the keys of a set, portion by portion.
    async fn read(&self, number: usize) -> Result<(), String> {
        let set = &self.sets[number];
        self.board.begin(number, self.node.now());
        let Listed { portions, left_out, lost } = self.listed(set).await?;
        for reason in &lost {
            self.node.emit(Event::HotKeysLost { reason });
        }
        let keys = portions.iter().map(|portion| portion.keys).sum();
        self.board.listed(number, keys, left_out, lost.into_iter().last());
        let mut failures = 0;
        for portion in portions {
            let missing = (portion.look)();
            self.board.add_present(number, portion.keys - missing.keys);
            if missing.keys == 0 {
                wait::turn().await;
                continue;
            }
            let now = self.node.now();
            let turn = self.pace.turn(missing.keys, set.keys_per_second, now);
            if turn > now {
                self.node.clock.sleep_until(turn).await;
            }
            let filled = missing.read.await;
            let failed = filled.failed == missing.keys;
            failures = if failed { failures + 1 } else { 0 };
            self.board.add(number, filled);
            if failures == FAILURES_MAX {
                return Err(format!("given up after {FAILURES_MAX} failed batches in a row"));
            }
        }
        Ok(())
    }

    async fn listed(&self, set: &WarmSet) -> Result<Listed, String> {
        let limit = self.limits.list_timeout;
        let listing = AssertUnwindSafe((set.list)(set.sizes)).catch_unwind();
        match wait::until(listing, self.passed(limit)).await {
            Some(Ok(Ok(listed))) => Ok(listed),
            Some(Ok(Err(error))) => Err(in_full(&*error)),
            Some(Err(_)) => Err("what lists its keys panicked".to_owned()),
            None => Err(format!("its keys were not listed within {limit:?}")),
        }
    }

    pub(super) async fn finished(&self) {
        loop {
            let ended = self.ended.notified();
            if !self.board.is_any_under_way() {
                return;
            }
            ended.await;
        }
    }

    pub(super) fn progress(&self) -> Vec<WarmProgress> {
        self.board.all(self.node.now())
    }

    /// Keeps the file up to date until the warmer stops.
    pub(super) fn keep_saving(self: &Arc<Self>) {
        if self.hot.is_none() || self.keeps_saving.swap(true, Ordering::SeqCst) {
            return;
        }
        let warming = Arc::clone(self);
        let saving = async move {
            let interval = warming.limits.save_interval;
            while wait::until(warming.passed(interval), warming.stopped()).await.is_some() {
                if let Err(error) = warming.save().await {
                    warming.node.emit(Event::HotKeysLost { reason: &in_full(&error) });
                }
            }
        };
        self.node.tasks.spawn(Box::pin(saving));
    }

    /// Whoever saves, the keys in the file are replaced once they were read; what could not be read has
    /// its time until users do. Else a process that ends soon after its start would forget what was hot.
    pub(super) async fn save(&self) -> Result<Option<Saved>, SaveError> {
        let Some(hot) = &self.hot else { return Ok(None) };
        let turn = Arc::clone(&self.saving).lock_owned().await;
        if !self.board.has_had_its_time(HOT, self.limits.save_interval, self.node.now()) {
            return Ok(None);
        }
        hot.save(&self.node, self.limits.hot_keys_max, turn).await.map(Some)
    }

    /// Completes once so much time has passed.
    fn passed(&self, span: Duration) -> BoxFuture<'static, ()> {
        self.node.clock.sleep_until(self.node.now().plus(span))
    }

    /// Completes once nothing is to be read any more.
    async fn stopped(&self) {
        wait::until(self.stop.cancelled(), self.node.closing.wait()).await;
    }
}

/// An error with its causes.
fn in_full(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
