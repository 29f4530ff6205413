//! One server, and the connections to it: who dials, when, and whether calls may go there. Knows
//! no verb of a shard.

pub(crate) mod backoff;
pub(crate) mod batch;
pub(crate) mod breaker;
pub(crate) mod dial;
pub(crate) mod ears;
pub(crate) mod line;
pub(crate) mod locator;
pub(crate) mod scout;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use larder::clock::Moment;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::address::Address;
use crate::fault::{Fault, FaultKind};
use crate::options::RedisOptions;
use backoff::Backoff;
use breaker::{Breaker, BreakerState, Sample};
use ears::Ear;
use line::Line;
use locator::Locator;

/// How the connection to a server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHealth {
    /// The server; `None` while Sentinel has not named it.
    pub address: Option<Address>,
    /// Whether there is a connection.
    pub connected: bool,
    /// What the breaker lets through.
    pub breaker: BreakerState,
    /// How many connections this process has to it: one for commands and, if it is told anything unasked,
    /// one that listens.
    pub connections: usize,
    /// How often a connection was made.
    pub connects: u64,
    /// Why there is none, or why the last one ended.
    pub last_fault: Option<String>,
    /// How long the last answer took.
    pub latency: Duration,
}

/// A server that is dialled for as long as this lives.
pub(crate) struct Server {
    inner: Arc<Inner>,
    _supervisor: JoinSet<()>,
}

struct Inner {
    locator: Locator,
    /// Where it was dialled last.
    address: Mutex<Option<Address>>,
    options: RedisOptions,
    ears: Arc<[Arc<Ear>]>,
    line: ArcSwapOption<Line>,
    breaker: Mutex<Breaker>,
    last_fault: Mutex<Option<Fault>>,
    connects: AtomicU64,
    latency_us: AtomicU64,
    /// Whether there is a line, for those who wait for one.
    connected: watch::Sender<bool>,
}

/// Whether a call can be done without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A reader waits for it, and can go on without: a server that is slow is not asked.
    Optional,
    /// It keeps a promise, or others wait for it: tried for as long as there is a connection.
    Essential,
}

impl Server {
    /// Dials from now on, in the tokio runtime of the caller.
    pub(crate) fn open(locator: Locator, options: RedisOptions, ears: Arc<[Arc<Ear>]>) -> Self {
        let address = match &locator {
            Locator::Fixed(address) => Some(address.clone()),
            Locator::Master { .. } => None,
        };
        let inner = Arc::new(Inner {
            locator,
            address: Mutex::new(address),
            breaker: Mutex::new(Breaker::new(options.breaker.clone())),
            options,
            ears,
            line: ArcSwapOption::empty(),
            last_fault: Mutex::new(None),
            connects: AtomicU64::new(0),
            latency_us: AtomicU64::new(0),
            connected: watch::Sender::new(false),
        });
        let mut supervisor = JoinSet::new();
        supervisor.spawn(Arc::clone(&inner).supervise());
        Server { inner, _supervisor: supervisor }
    }

    /// The line to use for a call, if one may go now.
    pub(crate) fn line(&self, need: Need) -> Result<Arc<Line>, Fault> {
        let Some(line) = self.inner.line.load_full() else { return Err(self.inner.away()) };
        if need == Need::Optional && !self.inner.breaker.lock().admits(|| self.inner.now()) {
            let reason = "the server is slow or fails; its breaker is open";
            return Err(Fault::new(FaultKind::Lost, "breaker", reason));
        }
        Ok(line)
    }

    /// Counts how a call on this line went that began then.
    pub(crate) fn record<T>(&self, line: &Line, began: Moment, answer: &Result<T, Fault>) {
        self.inner.record(line, began, answer);
    }

    /// Completes once there is a connection.
    pub(crate) async fn connected(&self) {
        let mut connected = self.inner.connected.subscribe();
        // The sender lives as long as this.
        drop(connected.wait_for(|connected| *connected).await);
    }

    /// Completes once there is another line than this one.
    pub(crate) async fn line_after(&self, last: &Arc<Line>) {
        let mut connected = self.inner.connected.subscribe();
        while self.inner.line.load().as_ref().is_none_or(|line| Arc::ptr_eq(line, last)) {
            // The sender lives as long as this.
            drop(connected.changed().await);
        }
    }

    /// Completes once there is no connection.
    pub(crate) async fn lost(&self) {
        let mut connected = self.inner.connected.subscribe();
        // The sender lives as long as this.
        drop(connected.wait_for(|connected| !*connected).await);
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.inner.line.load().is_some()
    }

    pub(crate) fn now(&self) -> Moment {
        self.inner.now()
    }

    pub(crate) fn health(&self) -> ServerHealth {
        let inner = &self.inner;
        let connected = self.is_connected();
        ServerHealth {
            address: inner.address.lock().clone(),
            connected,
            breaker: inner.breaker.lock().state(),
            connections: if connected { 1 + usize::from(!inner.ears.is_empty()) } else { 0 },
            connects: inner.connects.load(Ordering::Relaxed),
            last_fault: inner.last_fault.lock().as_ref().map(Fault::to_string),
            latency: Duration::from_micros(inner.latency_us.load(Ordering::Relaxed)),
        }
    }
}

impl Inner {
    fn now(&self) -> Moment {
        self.options.clock.precise()
    }

    async fn supervise(self: Arc<Self>) {
        let RedisOptions { backoff_step, backoff_max, .. } = self.options;
        let mut backoff = Backoff::new(backoff_step, backoff_max);
        loop {
            match self.dial().await {
                Ok((address, line)) => {
                    let began = self.now();
                    self.publish(&line);
                    tokio::select! {
                        () = line.ended() => {}
                        () = self.locator.moved(&address, &self.options) => line.end(),
                        fault = line.silent(&self.options) => {
                            *self.last_fault.lock() = Some(fault);
                            line.end();
                        }
                    }
                    self.withdraw();
                    // A line that did not last is one more failed try.
                    if self.now().since(began) > backoff_max {
                        backoff.reset();
                    }
                }
                Err(fault) => *self.last_fault.lock() = Some(fault),
            }
            let wait = backoff.next(self.options.random.next_unit());
            self.options.clock.sleep_until(self.now().plus(wait)).await;
        }
    }

    async fn dial(&self) -> Result<(Address, Arc<Line>), Fault> {
        let address = self.locator.locate().await?;
        *self.address.lock() = Some(address.clone());
        let line = Line::dial(&address, &self.options, Arc::clone(&self.ears)).await?;
        Ok((address, Arc::new(line)))
    }

    fn publish(&self, line: &Arc<Line>) {
        *self.breaker.lock() = Breaker::new(self.options.breaker.clone());
        self.connects.fetch_add(1, Ordering::Relaxed);
        self.line.store(Some(Arc::clone(line)));
        self.connected.send_replace(true);
    }

    fn withdraw(&self) {
        // In this order, so that who waits for a connection never takes this one for it.
        self.connected.send_replace(false);
        self.line.store(None);
    }

    fn away(&self) -> Fault {
        let fault = self.last_fault.lock().clone();
        fault.unwrap_or_else(|| Fault::new(FaultKind::Lost, "connect", "not connected yet"))
    }

    fn record<T>(&self, line: &Line, began: Moment, answer: &Result<T, Fault>) {
        let now = self.now();
        let took = now.since(began);
        let kind = answer.as_ref().err().map(|fault| fault.kind);
        let sample = match kind {
            None | Some(FaultKind::Refused | FaultKind::Full | FaultKind::Moved) => {
                Sample::Answered(took)
            }
            Some(_) => Sample::Failed,
        };
        if let Sample::Answered(took) = sample {
            let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.latency_us.store(took_us, Ordering::Relaxed);
        }
        if let Err(fault) = answer {
            *self.last_fault.lock() = Some(fault.clone());
        }
        let opened = self.breaker.lock().record(sample, now) == Some(BreakerState::Open);
        match kind {
            // The next line goes to the server that is the one to ask then.
            Some(FaultKind::Lost | FaultKind::Elsewhere) => line.end(),
            // Nobody knows what a server that does not answer has done with this connection.
            Some(FaultKind::TimedOut) if opened => line.end(),
            _ => {}
        }
    }
}
