//! A source of truth whose answers a test scripts.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use larder::clock::BoxFuture;
use larder::{Load, Loaded};
use tokio::sync::Semaphore;

/// Answers its n-th load with n, unless the script says otherwise.
#[derive(Clone, Default)]
pub(crate) struct Source(Arc<State>);

#[derive(Default)]
struct State {
    loads: AtomicU32,
    script: Mutex<VecDeque<Act>>,
}

/// What a load does: it waits, if it has a gate, and then ends.
struct Act {
    gate: Option<Gate>,
    end: End,
}

enum End {
    Answer,
    Fail,
    Panic,
}

/// Holds a load back until the test opens it.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Doors>);

struct Doors {
    begun: Semaphore,
    open: Semaphore,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Gate(Arc::new(Doors { begun: Semaphore::new(0), open: Semaphore::new(0) }))
    }

    /// Waits until the load has begun.
    pub(crate) async fn begun(&self) {
        self.0.begun.acquire().await.expect("never closed").forget();
    }

    /// Lets the load end.
    pub(crate) fn open(&self) {
        self.0.open.add_permits(1);
    }

    /// What a load does first.
    pub(crate) async fn pass(self) {
        self.0.begun.add_permits(1);
        self.0.open.acquire().await.expect("never closed").forget();
    }
}

impl Source {
    /// How many loads began.
    pub(crate) fn loads(&self) -> u32 {
        self.0.loads.load(Ordering::SeqCst)
    }

    fn script(&self) -> MutexGuard<'_, VecDeque<Act>> {
        self.0.script.lock().expect("no test panics in here")
    }

    fn then(&self, gate: Option<Gate>, end: End) {
        self.script().push_back(Act { gate, end });
    }

    fn gated(&self, end: End) -> Gate {
        let gate = Gate::new();
        self.then(Some(gate.clone()), end);
        gate
    }

    /// The next load that nothing is scripted for fails.
    pub(crate) fn fails(&self) {
        self.then(None, End::Fail);
    }

    /// The next load that nothing is scripted for panics.
    pub(crate) fn panics(&self) {
        self.then(None, End::Panic);
    }

    /// The next load that nothing is scripted for waits for the gate.
    pub(crate) fn waits(&self) -> Gate {
        self.gated(End::Answer)
    }

    /// The next load that nothing is scripted for fails once the gate is open.
    pub(crate) fn waits_and_fails(&self) -> Gate {
        self.gated(End::Fail)
    }

    /// The next load that nothing is scripted for panics once the gate is open.
    pub(crate) fn waits_and_panics(&self) -> Gate {
        self.gated(End::Panic)
    }

    /// A loader of a number.
    pub(crate) fn load(
        &self,
    ) -> impl FnOnce(Load<u32>) -> BoxFuture<'static, io::Result<u32>> + Send + use<> {
        let source = self.clone();
        move |_| source.next()
    }

    /// A loader of a number with a tag.
    pub(crate) fn tagged(
        &self,
        tag: &'static str,
    ) -> impl FnOnce(Load<u32>) -> BoxFuture<'static, io::Result<Loaded<u32>>> + Send + use<> {
        self.shaped(move |number| Loaded::value(number).tag(tag))
    }

    /// A loader that makes of a number what it likes.
    pub(crate) fn shaped<T, S>(
        &self,
        shape: S,
    ) -> impl FnOnce(Load<u32>) -> BoxFuture<'static, io::Result<T>> + Send + use<T, S>
    where
        T: Send + 'static,
        S: FnOnce(u32) -> T + Send + 'static,
    {
        let source = self.clone();
        move |_| Box::pin(async move { Ok(shape(source.next().await?)) })
    }

    /// One load.
    pub(crate) fn next(&self) -> BoxFuture<'static, io::Result<u32>> {
        let number = self.0.loads.fetch_add(1, Ordering::SeqCst) + 1;
        let act = self.script().pop_front().unwrap_or(Act { gate: None, end: End::Answer });
        Box::pin(async move {
            if let Some(gate) = act.gate {
                gate.pass().await;
            }
            match act.end {
                End::Answer => Ok(number),
                End::Fail => Err(io::Error::other("the source is down")),
                End::Panic => panic!("the loader is broken"),
            }
        })
    }
}
