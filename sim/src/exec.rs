//! Decides which task runs next and what time it is. One thread; knows no node, shard or check.
//!
//! Each step polls one ready task, drawn by the seed, and moves virtual time by a random small
//! amount, so that timers fire between the steps of tasks that were ready before them.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Atomic};
use std::task::{Context, Poll, Wake, Waker};

use larder::clock::BoxFuture;
use parking_lot::Mutex;
use slab::Slab;

use crate::dice::Dice;

/// Polls that one simulation may take; a livelock ends here instead of hanging.
const POLLS_MAX: u64 = 3_000_000;

/// Who owns a task: one run of one node, or the world around the nodes. Tasks of an owner are
/// paused and dropped together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(pub(crate) u32);

impl Owner {
    /// The simulation itself: callers, the network, the driver. Never paused.
    pub(crate) const WORLD: Owner = Owner(0);
}

/// Virtual time in nanoseconds since the simulation began.
pub(crate) type Nanos = u64;

/// A span of whole milliseconds as virtual time.
pub(crate) const fn millis(span_ms: u64) -> Nanos {
    span_ms * 1_000_000
}

type Call = Box<dyn FnOnce() + Send>;

/// Something that happens at a time, to the first comer of equal times.
struct Event {
    at: Nanos,
    sequence: u64,
    call: Call,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}
impl Eq for Event {}
impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        // Reversed: the heap of the standard library keeps the largest on top.
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

struct Task {
    owner: Owner,
    serial: u64,
    queued: bool,
    waker: Waker,
    /// Taken out while it is polled.
    future: Option<BoxFuture<'static, ()>>,
}

#[derive(Default)]
struct Inner {
    tasks: Slab<Task>,
    ready: Vec<usize>,
    events: BinaryHeap<Event>,
    paused: Vec<(Owner, Vec<usize>)>,
    /// Owners whose tasks are dropped as soon as they are spawned.
    dead: Vec<Owner>,
    sequence: u64,
    polls: u64,
}

struct Shared {
    now: AtomicU64,
    dice: Dice,
    /// The most nanoseconds that one poll takes.
    poll_cost: Nanos,
    inner: Mutex<Inner>,
}

/// A handle to the executor of one simulation.
#[derive(Clone)]
pub(crate) struct Executor(Arc<Shared>);

struct Wakeup {
    shared: Arc<Shared>,
    task: usize,
    serial: u64,
}

impl Wake for Wakeup {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut inner = self.shared.inner.lock();
        let Some(task) = inner.tasks.get_mut(self.task) else { return };
        if task.serial == self.serial && !task.queued {
            task.queued = true;
            inner.ready.push(self.task);
        }
    }
}

impl Executor {
    /// An executor that draws from `dice`; a poll takes up to `poll_cost`, which is not zero.
    pub(crate) fn new(dice: Dice, poll_cost: Nanos) -> Self {
        Executor(Arc::new(Shared {
            now: AtomicU64::new(0),
            dice,
            poll_cost,
            inner: Mutex::new(Inner::default()),
        }))
    }

    /// Virtual time.
    pub(crate) fn now(&self) -> Nanos {
        self.0.now.load(Atomic::Relaxed)
    }

    /// Polls taken so far.
    pub(crate) fn polls(&self) -> u64 {
        self.0.inner.lock().polls
    }

    /// Whether the simulation ran away.
    pub(crate) fn exhausted(&self) -> bool {
        self.polls() >= POLLS_MAX
    }

    /// Takes ownership of `future`; it is first polled in a later step.
    pub(crate) fn spawn(&self, owner: Owner, future: BoxFuture<'static, ()>) {
        let mut inner = self.0.inner.lock();
        if inner.dead.contains(&owner) {
            drop(inner);
            // Outside the lock: dropping a task may wake or spawn others.
            drop(future);
            return;
        }
        inner.sequence += 1;
        let serial = inner.sequence;
        let entry = inner.tasks.vacant_entry();
        let task = entry.key();
        let waker = Waker::from(Arc::new(Wakeup { shared: Arc::clone(&self.0), task, serial }));
        entry.insert(Task { owner, serial, queued: true, waker, future: Some(future) });
        inner.ready.push(task);
    }

    /// Runs `call` at virtual time `at`, or in the next step if that has passed.
    pub(crate) fn at(&self, at: Nanos, call: impl FnOnce() + Send + 'static) {
        let mut inner = self.0.inner.lock();
        inner.sequence += 1;
        let sequence = inner.sequence;
        inner.events.push(Event { at, sequence, call: Box::new(call) });
    }

    /// Completes at virtual time `at`.
    pub(crate) fn timer(&self, at: Nanos) -> Timer {
        Timer { executor: self.clone(), at, waker: None }
    }

    /// No task of `owner` runs until [`resume`](Executor::resume).
    pub(crate) fn pause(&self, owner: Owner) {
        let mut inner = self.0.inner.lock();
        if !inner.paused.iter().any(|(paused, _)| *paused == owner) {
            inner.paused.push((owner, Vec::new()));
        }
    }

    /// Tasks of `owner` run again.
    pub(crate) fn resume(&self, owner: Owner) {
        let mut inner = self.0.inner.lock();
        if let Some(index) = inner.paused.iter().position(|(paused, _)| *paused == owner) {
            let (_, parked) = inner.paused.swap_remove(index);
            inner.ready.extend(parked);
        }
    }

    /// Whether `owner` is paused.
    pub(crate) fn is_paused(&self, owner: Owner) -> bool {
        self.0.inner.lock().paused.iter().any(|(paused, _)| *paused == owner)
    }

    /// Drops every task of `owner`, also those it spawns from now on.
    pub(crate) fn kill(&self, owner: Owner) {
        let mut inner = self.0.inner.lock();
        inner.dead.push(owner);
        inner.paused.retain(|(paused, _)| *paused != owner);
        let doomed: Vec<usize> = inner
            .tasks
            .iter()
            .filter(|(_, task)| task.owner == owner)
            .map(|(index, _)| index)
            .collect();
        let dropped: Vec<Task> = doomed.into_iter().map(|index| inner.tasks.remove(index)).collect();
        let Inner { tasks, ready, .. } = &mut *inner;
        ready.retain(|index| tasks.contains(*index));
        drop(inner);
        drop(dropped);
    }

    /// How many tasks `owner` has.
    pub(crate) fn running(&self, owner: Owner) -> usize {
        self.0.inner.lock().tasks.iter().filter(|(_, task)| task.owner == owner).count()
    }

    /// Drops everything. Tasks hold the executor, so without this a simulation would leak.
    pub(crate) fn shut_down(&self) {
        let mut inner = self.0.inner.lock();
        let tasks: Vec<Task> = inner.tasks.drain().collect();
        inner.ready.clear();
        let events = std::mem::take(&mut inner.events);
        drop(inner);
        drop(tasks);
        drop(events);
    }

    /// Runs until virtual time `end`, or until the polls are used up.
    pub(crate) fn run_until(&self, end: Nanos) {
        while self.now() < end && !self.exhausted() {
            self.fire_due();
            if self.poll_one() {
                let cost = 1 + self.0.dice.below(self.0.poll_cost);
                self.0.now.store(self.now() + cost, Atomic::Relaxed);
            } else {
                let next = self.0.inner.lock().events.peek().map_or(end, |event| event.at);
                self.0.now.store(next.clamp(self.now(), end), Atomic::Relaxed);
            }
        }
    }

    fn fire_due(&self) {
        loop {
            let now = self.now();
            let mut inner = self.0.inner.lock();
            let due = inner.events.peek().is_some_and(|event| event.at <= now);
            let event = due.then(|| inner.events.pop()).flatten();
            drop(inner);
            match event {
                Some(event) => (event.call)(),
                None => return,
            }
        }
    }

    /// Polls one ready task that is not paused. False: there is none.
    fn poll_one(&self) -> bool {
        let Some((index, serial, mut future, waker)) = self.draw() else { return false };
        let done = future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        let mut inner = self.0.inner.lock();
        match inner.tasks.get_mut(index) {
            Some(task) if task.serial == serial && !done => task.future = Some(future),
            Some(task) if task.serial == serial => {
                let ended = inner.tasks.remove(index);
                inner.ready.retain(|ready| *ready != index);
                drop(inner);
                drop((ended, future));
            }
            // It was killed while it ran.
            _ => {
                drop(inner);
                drop(future);
            }
        }
        true
    }

    fn draw(&self) -> Option<(usize, u64, BoxFuture<'static, ()>, Waker)> {
        let mut inner = self.0.inner.lock();
        let Inner { tasks, ready, paused, polls, .. } = &mut *inner;
        loop {
            if ready.is_empty() {
                return None;
            }
            let index = ready.swap_remove(self.0.dice.index(ready.len()));
            let task = &mut tasks[index];
            if let Some((_, parked)) = paused.iter_mut().find(|(owner, _)| *owner == task.owner) {
                parked.push(index);
                continue;
            }
            task.queued = false;
            *polls += 1;
            let future = task.future.take().expect("a queued task is not being polled");
            return Some((index, task.serial, future, task.waker.clone()));
        }
    }
}

/// Completes at a point of virtual time. Dropping it cancels the timer.
pub(crate) struct Timer {
    executor: Executor,
    at: Nanos,
    /// Where the pending event finds whom to wake.
    waker: Option<Arc<Mutex<Option<Waker>>>>,
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.executor.now() >= self.at {
            return Poll::Ready(());
        }
        if let Some(cell) = &self.waker {
            *cell.lock() = Some(context.waker().clone());
            return Poll::Pending;
        }
        let cell = Arc::new(Mutex::new(Some(context.waker().clone())));
        self.waker = Some(Arc::clone(&cell));
        self.executor.at(self.at, move || {
            let waker = cell.lock().take();
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(cell) = &self.waker {
            cell.lock().take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Stream;

    fn executor(seed: u64) -> Executor {
        Executor::new(Dice::new(seed, Stream::Scheduler), millis(1))
    }

    fn order_of_three(seed: u64) -> Vec<u32> {
        let executor = executor(seed);
        let order = Arc::new(Mutex::new(Vec::new()));
        for name in 0..3 {
            let (order, executor_of_task) = (Arc::clone(&order), executor.clone());
            executor.spawn(
                Owner::WORLD,
                Box::pin(async move {
                    order.lock().push(name);
                    executor_of_task.timer(millis(5)).await;
                    order.lock().push(name);
                }),
            );
        }
        executor.run_until(millis(50));
        assert_eq!(executor.running(Owner::WORLD), 0);
        order.lock().clone()
    }

    #[test]
    fn a_seed_decides_the_order_and_repeats_it() {
        assert_eq!(order_of_three(1), order_of_three(1));
        let distinct: std::collections::HashSet<_> = (0..50).map(order_of_three).collect();
        assert!(distinct.len() > 10, "only {} orders in 50 seeds", distinct.len());
    }

    #[test]
    fn a_paused_owner_stands_still_and_a_killed_one_is_dropped() {
        let executor = executor(3);
        let node = Owner(7);
        let ran = Arc::new(Mutex::new(0));
        let (counter, executor_of_task) = (Arc::clone(&ran), executor.clone());
        executor.pause(node);
        executor.spawn(
            node,
            Box::pin(async move {
                for step in 1..100 {
                    *counter.lock() += 1;
                    executor_of_task.timer(millis(10 * step)).await;
                }
            }),
        );
        executor.run_until(millis(20));
        assert_eq!(*ran.lock(), 0);
        executor.resume(node);
        executor.run_until(millis(100));
        let before = *ran.lock();
        assert!(before > 1);
        executor.kill(node);
        executor.run_until(millis(200));
        assert_eq!((*ran.lock(), executor.running(node)), (before, 0));
        assert_eq!(Arc::strong_count(&ran), 1, "the future of a killed task is dropped");
    }
}
