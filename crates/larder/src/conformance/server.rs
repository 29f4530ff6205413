//! A shard server in process that keeps values: the reference that the suite is checked with, and
//! that stands in for a remote shard where none can run. It forgets what faults make it forget.

use std::sync::Arc;

use crate::clock::{Clock, Moment};
use crate::key::EncodedKey;
use crate::key::pattern::Pattern;
use crate::random::Random;
use crate::record::{Mode, Record};
use crate::shard::parameters::Parameters;
use crate::shard::state::{ConnectReply, Effects, RunId, ShardSettings, ShardState, Step};
use crate::shard::{
    Appended, Epoch, Fill, FillReply, LeaseReply, Listener, ReadReply, Reply, Scan, ScanReply,
    ServerTime, Shard, TailReply, TailRequest, Token, Unreachable,
};
use crate::sync::Mutex;

struct Process {
    run: RunId,
    state: ShardState,
    full: bool,
}

/// A server that connections share.
pub struct ValueServer {
    process: Mutex<Process>,
    listeners: Mutex<Vec<Arc<dyn Listener>>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl ValueServer {
    /// A server without any data.
    pub fn new(settings: ShardSettings, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Arc<Self> {
        let process = Process { run: RunId(1), state: ShardState::new(settings), full: false };
        let listeners = Mutex::new(Vec::new());
        Arc::new(ValueServer { process: Mutex::new(process), listeners, clock, random })
    }

    /// Runs the check that comes before the first verb of a connection.
    pub fn join(&self, parameters: Parameters) -> ConnectReply {
        let mut process = self.process.lock();
        let step = self.step(process.run, parameters);
        process.state.connect(&step)
    }

    /// A connection. It outlives the process it was opened to, as connections through a proxy do,
    /// and is not checked again.
    pub fn connect(self: &Arc<Self>, parameters: Parameters) -> ValueShard {
        self.join(parameters);
        ValueShard { server: Arc::clone(self), parameters }
    }

    /// Looks at the state, or meddles with it.
    pub fn with_state<T>(&self, look: impl FnOnce(&mut ShardState) -> T) -> T {
        look(&mut self.process.lock().state)
    }

    /// The process that runs now.
    pub fn run(&self) -> RunId {
        self.process.lock().run
    }

    /// Another process takes over, with this state.
    pub fn restart(&self, state: ShardState) {
        let mut process = self.process.lock();
        let run = RunId(process.run.0 + 1);
        *process = Process { run, state, full: false };
    }

    /// From now on refuses verbs that begin with a write other than a delete.
    pub fn fill_memory(&self) {
        self.process.lock().full = true;
    }

    fn step(&self, run: RunId, parameters: Parameters) -> Step {
        let now = server_time(self.clock.precise());
        Step { now, run, fresh: Epoch(self.random.next_u128()), parameters }
    }

    fn deliver(&self, effects: Effects) {
        let Effects { woken, pushed } = effects;
        let listeners = self.listeners.lock().clone();
        for listener in &listeners {
            if let Some((epoch, records)) = &pushed {
                listener.pushed(*epoch, records.clone());
            }
            for key in &woken {
                listener.woken(key);
            }
        }
    }
}

fn server_time(now: Moment) -> ServerTime {
    ServerTime(now.as_nanos() / 1_000_000)
}

/// One connection to a [`ValueServer`].
pub struct ValueShard {
    server: Arc<ValueServer>,
    parameters: Parameters,
}

impl ValueShard {
    /// The server behind it.
    pub fn server(&self) -> &ValueServer {
        &self.server
    }

    fn reply<'a, T: Send + 'a>(
        &'a self,
        verb: impl FnOnce(&mut ShardState, &Step, &mut Effects) -> T + Send + 'a,
    ) -> Reply<'a, T> {
        Box::pin(async move {
            let mut effects = Effects::default();
            let answer = {
                let mut process = self.server.process.lock();
                let step = self.server.step(process.run, self.parameters);
                verb(&mut process.state, &step, &mut effects)
            };
            self.server.deliver(effects);
            Ok(answer)
        })
    }
}

impl Shard for ValueShard {
    fn keeps_values(&self) -> bool {
        true
    }

    fn subscribe(&self, listener: Arc<dyn Listener>) {
        self.server.listeners.lock().push(listener);
    }

    fn read(&self, keys: Vec<EncodedKey>) -> Reply<'_, ReadReply> {
        self.reply(move |state, step, _| state.read(&keys, step.now))
    }

    fn lease(&self, key: EncodedKey, token: Token, seen: Option<u128>) -> Reply<'_, LeaseReply> {
        Box::pin(async move {
            if self.server.process.lock().full {
                return Err(Unreachable::new("the store takes no more data"));
            }
            self.reply(move |state, step, _| state.lease(step, &key, token, seen)).await
        })
    }

    fn renew(&self, key: EncodedKey, token: Token) -> Reply<'_, bool> {
        self.reply(move |state, step, _| state.renew(step, &key, token))
    }

    fn release(&self, key: EncodedKey, token: Token) -> Reply<'_, ()> {
        self.reply(move |state, step, effects| state.release(step, &key, token, effects))
    }

    fn fill(&self, fill: Fill) -> Reply<'_, FillReply> {
        self.reply(move |state, step, effects| state.fill(step, &fill, effects))
    }

    fn append(&self, records: Vec<Record>) -> Reply<'_, Appended> {
        self.reply(move |state, step, effects| state.append(step, records, effects))
    }

    fn write_through(&self, fill: Fill, records: Vec<Record>) -> Reply<'_, (Appended, FillReply)> {
        self.reply(move |state, step, effects| state.write_through(step, &fill, records, effects))
    }

    fn tail(&self, request: TailRequest) -> Reply<'_, TailReply> {
        self.reply(move |state, step, _| state.tail(step, &request))
    }

    fn anchor(&self) -> Reply<'_, Appended> {
        self.reply(|state, step, effects| state.anchor(step, effects))
    }

    fn scan(&self, scan: Scan) -> Reply<'_, ScanReply> {
        Box::pin(async move {
            let reply = self.reply(move |state, step, _| state.scan(step, &scan)).await?;
            reply.ok_or_else(|| Unreachable::new("the epoch of the scan's anchor is gone"))
        })
    }

    fn finish(&self, pattern: Pattern, mode: Mode, anchor: Appended) -> Reply<'_, Option<Appended>> {
        self.reply(move |state, step, effects| state.finish(step, pattern, mode, anchor, effects))
    }

    fn server_time(&self, now: Moment) -> ServerTime {
        server_time(now)
    }
}
