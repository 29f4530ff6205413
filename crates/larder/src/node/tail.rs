//! Follows the log of each shard: by poll, on request, and by what is pushed.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::select;

use super::tailing::Tailed;
use super::view::View;
use super::{COARSE_LAG_MAX, Node, RECORDS_MAX};
use crate::event::Event;
use crate::key::EncodedKey;
use crate::record::LogRecord;
use crate::shard::{Epoch, Listener, TailRequest};
use crate::sync::Ordering;
use crate::wait;

/// A suspend shorter than this is not told from the coarseness of two clock readings.
const SUSPEND_NOTICED: Duration = Duration::from_millis(50);

impl Node {
    /// Sends what is pending once more, before the node is closed.
    pub(crate) async fn flush(self: &Arc<Self>) {
        for view in &self.views {
            self.retry_pending(view).await;
        }
    }

    /// Starts the tasks that keep this node current: they end when the node is closed or gone.
    pub(super) fn start_tailing(self: &Arc<Self>) {
        for view in &self.views {
            let listener = ViewListener { node: Arc::downgrade(self), shard: view.index };
            view.shard.subscribe(Arc::new(listener));
            self.tasks.spawn(Box::pin(follow(Arc::downgrade(self), view.index)));
            self.tasks.spawn(Box::pin(resend(Arc::downgrade(self), view.index)));
        }
    }

    /// Watches for suspends of the machine, during which the log went on and the clock did not.
    pub(super) fn start_suspend_watch(self: &Arc<Self>) {
        let weak = Arc::downgrade(self);
        let work = async move {
            while let Some(node) = sleep_one_poll(&weak).await {
                node.check_suspend();
            }
        };
        self.tasks.spawn(Box::pin(work));
    }

    fn check_suspend(&self) {
        let gap = self.clock.with_suspend().since(self.clock.precise());
        let before = Duration::from_nanos(self.suspend_gap.load(Ordering::SeqCst));
        if gap > before + SUSPEND_NOTICED {
            self.forget_memory();
            self.emit(Event::Suspended { slept: gap - before });
        }
        self.remember_suspend_gap(gap);
    }

    pub(crate) fn measure_suspend(&self) {
        let gap = self.clock.with_suspend().since(self.clock.precise());
        self.remember_suspend_gap(gap);
    }

    /// A process that stands still right after its machine slept has had no poll that could have
    /// noticed the sleep: its clock is trusted for two polls only.
    fn remember_suspend_gap(&self, gap: Duration) {
        self.suspend_gap.store(crate::clock::nanos(gap), Ordering::SeqCst);
        let polls = self.limits.poll_interval.saturating_mul(2);
        let until = self.now().plus(polls).minus(COARSE_LAG_MAX);
        self.views.iter().for_each(|view| view.trust_clock_until(until));
    }

    /// Asks once, and applies the answer.
    async fn tail(&self, view: &View) -> Tailed {
        let asked_at = self.now();
        let ask = view.next_ask();
        let place = view.place();
        let request =
            TailRequest { epoch: place.epoch, from: place.applied, records_max: RECORDS_MAX };
        let Ok(reply) = self.within(self.limits.call_timeout, view.shard.tail(request)).await else {
            return Tailed::Failed;
        };
        if self.apply_tail(view, ask, &reply) {
            // Counted from when it was asked: the answer may have been on its way for long.
            view.trust_until(asked_at.plus(self.limits.staleness_max).minus(COARSE_LAG_MAX));
        } else {
            view.tailing.request();
        }
        if place.epoch != Some(reply.epoch) || reply.table.is_some() {
            self.emit(Event::Resynced { shard: view.index, head: reply.head });
        }
        Tailed::Answered { epoch: reply.epoch, head: reply.head }
    }
}

/// Tails one shard every poll interval, and whenever somebody asks.
async fn follow(weak: Weak<Node>, shard: usize) {
    let Some(first) = open(&weak) else { return };
    let (clock, tailing) = (first.clock.clone(), Arc::clone(&first.views[shard].tailing));
    let (closing, interval) = (Arc::clone(&first.closing), first.limits.poll_interval);
    drop(first);
    let mut next_poll = clock.precise();
    loop {
        let closed = pin!(closing.wait());
        let stop = select(clock.sleep_until(next_poll), closed);
        wait::until(tailing.asked_for(), stop).await;
        let Some(node) = open(&weak) else { return };
        tailing.start();
        let tailed = node.tail(&node.views[shard]).await;
        tailing.end(tailed, clock.precise());
        if clock.precise() >= next_poll {
            next_poll = clock.precise().plus(interval);
        }
    }
}

/// Sends what one shard has not acknowledged, every poll interval.
async fn resend(weak: Weak<Node>, shard: usize) {
    while let Some(node) = sleep_one_poll(&weak).await {
        node.retry_pending(&node.views[shard]).await;
    }
}

async fn sleep_one_poll(weak: &Weak<Node>) -> Option<Arc<Node>> {
    let interval = open(weak)?.limits.poll_interval;
    sleep(weak, interval).await
}

/// Waits, without keeping the node alive. `None`: it was closed meanwhile, or is gone.
pub(super) async fn sleep(weak: &Weak<Node>, time: Duration) -> Option<Arc<Node>> {
    let (timer, closing) = {
        let node = open(weak)?;
        (node.clock.sleep_until(node.now().plus(time)), Arc::clone(&node.closing))
    };
    wait::until(timer, closing.wait()).await;
    open(weak)
}

pub(super) fn open(weak: &Weak<Node>) -> Option<Arc<Node>> {
    weak.upgrade().filter(|node| !node.is_closed())
}

/// What a shard says unasked, for one view.
struct ViewListener {
    node: Weak<Node>,
    shard: usize,
}

impl Listener for ViewListener {
    fn pushed(&self, epoch: Epoch, records: Vec<LogRecord>) {
        if let Some(node) = open(&self.node) {
            let view = &node.views[self.shard];
            if !node.apply_pushed(view, epoch, &records) {
                view.tailing.request();
            }
        }
    }

    fn woken(&self, key: &EncodedKey) {
        if let Some(node) = open(&self.node) {
            node.wakeups.wake(key);
        }
    }
}
