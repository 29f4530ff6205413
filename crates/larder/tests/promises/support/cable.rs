//! Nodes that share one server, each over a cable that can be cut, muted and counted, and on which
//! single messages can be held back.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use larder::clock::Moment;
use larder::conformance::manual::{ManualClock, SeededRandom};
use larder::conformance::server::{ValueServer, ValueShard};
use larder::key::EncodedKey;
use larder::key::pattern::Pattern;
use larder::record::{LogRecord, Mode, Record};
use larder::shard::parameters::Parameters;
use larder::shard::state::{ShardSettings, ShardState, Values};
use larder::shard::{
    Appended, Epoch, Fill, FillReply, LeaseReply, Listener, ReadReply, Reply, Scan, ScanReply,
    ServerTime, Shard, TailReply, TailRequest, Token, Unreachable,
};
use larder::{Larder, LarderBuilder};

use super::{Gate, SEED};

const TAG_SLOTS: usize = 1024;

/// One server and its clock.
pub(crate) struct Fleet {
    pub(crate) clock: ManualClock,
    pub(crate) server: Arc<ValueServer>,
    settings: ShardSettings,
    nodes: AtomicU64,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        Fleet::with_log_of(100)
    }

    /// A fleet whose log keeps so many records.
    pub(crate) fn with_log_of(log_records_max: usize) -> Self {
        Fleet::on(ManualClock::default(), log_records_max)
    }

    /// One more server, whose nodes go by the same clock.
    pub(crate) fn beside(&self) -> Self {
        Fleet::on(self.clock.clone(), self.settings.log_records_max)
    }

    fn on(clock: ManualClock, log_records_max: usize) -> Self {
        println!("seed {SEED:#x}");
        let random = Arc::new(SeededRandom::new(SEED));
        let lease_ttl = Duration::from_secs(10);
        let settings = ShardSettings { log_records_max, lease_ttl, values: Values::Kept };
        let server = ValueServer::new(settings, Arc::new(clock.clone()), random);
        Fleet { clock, server, settings, nodes: AtomicU64::new(0) }
    }

    /// A node with a cable of its own.
    pub(crate) fn node(&self) -> (Larder, Arc<Cable>) {
        self.node_with(|builder| builder)
    }

    /// A node with a cable and settings of its own.
    pub(crate) fn node_with(
        &self,
        set: impl FnOnce(LarderBuilder) -> LarderBuilder,
    ) -> (Larder, Arc<Cable>) {
        let cable = self.cable();
        // Tokens must differ between nodes.
        let random = SeededRandom::new(SEED ^ (self.nodes.fetch_add(1, Ordering::SeqCst) + 1));
        let builder = Larder::builder("test")
            .clock(Arc::new(self.clock.clone()))
            .random(Arc::new(random))
            .tag_slots(TAG_SLOTS)
            .shards(vec![Arc::clone(&cable) as Arc<dyn Shard>]);
        (set(builder).build().expect("valid settings"), cable)
    }

    /// A way to the server.
    pub(crate) fn cable(&self) -> Arc<Cable> {
        let parameters = Parameters::new(1, TAG_SLOTS).expect("in range");
        Arc::new(Cable {
            shard: self.server.connect(parameters),
            cut: AtomicBool::new(false),
            deaf: Arc::default(),
            calls: Mutex::default(),
            refused: Mutex::default(),
            held: Mutex::default(),
        })
    }

    /// What a server holds that was never asked.
    pub(crate) fn nothing(&self) -> ShardState {
        ShardState::new(self.settings)
    }

    /// The server comes back without anything.
    pub(crate) fn restart_empty(&self) {
        self.server.restart(self.nothing());
    }

    /// What the server holds now.
    pub(crate) fn remember(&self) -> ShardState {
        self.server.with_state(|state| state.clone())
    }

    /// A replica that lags takes over, and no connection notices.
    pub(crate) fn restart_old(&self, old: &ShardState) {
        self.server.restart(old.clone());
    }

    /// From now on reads end at a former primary that still stands where it stood. Answers what
    /// the right one holds.
    pub(crate) fn swap_primary(&self, state: &ShardState) -> ShardState {
        self.server.with_state(|there| std::mem::replace(there, state.clone()))
    }
}

/// The way of one node to the server.
pub(crate) struct Cable {
    shard: ValueShard,
    cut: AtomicBool,
    deaf: Arc<AtomicBool>,
    calls: Mutex<HashMap<&'static str, usize>>,
    /// How many more calls of a verb get through.
    refused: Mutex<HashMap<&'static str, usize>>,
    held: Mutex<HashMap<&'static str, VecDeque<Held>>>,
}

/// Which half of a call waits.
enum Held {
    Request(Gate),
    Answer(Gate),
}

impl Cable {
    /// Nothing gets through any more.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    pub(crate) fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }

    /// What the server says unasked is lost.
    pub(crate) fn deafen(&self) {
        self.deaf.store(true, Ordering::SeqCst);
    }

    /// Only so many more calls of this verb get through.
    pub(crate) fn refuse_after(&self, calls: usize, verb: &'static str) {
        self.refused.lock().expect("unpoisoned").insert(verb, calls);
    }

    /// The next call of this verb waits for the gate on its way to the server.
    pub(crate) fn hold(&self, verb: &'static str) -> Gate {
        self.hold_as(Held::Request, verb)
    }

    /// The next call of this verb reaches the server at once, and its answer waits for the gate.
    pub(crate) fn hold_answer(&self, verb: &'static str) -> Gate {
        self.hold_as(Held::Answer, verb)
    }

    fn hold_as(&self, half: impl FnOnce(Gate) -> Held, verb: &'static str) -> Gate {
        let gate = Gate::new();
        let mut held = self.held.lock().expect("unpoisoned");
        held.entry(verb).or_default().push_back(half(gate.clone()));
        gate
    }

    fn refuses(&self, verb: &str) -> bool {
        match self.refused.lock().expect("unpoisoned").get_mut(verb) {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        }
    }

    fn held_now(&self, verb: &str) -> Option<Held> {
        self.held.lock().expect("unpoisoned").get_mut(verb)?.pop_front()
    }

    /// How often a verb was called.
    pub(crate) fn calls(&self, verb: &str) -> usize {
        self.calls.lock().expect("unpoisoned").get(verb).copied().unwrap_or(0)
    }

    fn send<'a, T: Send + 'a>(
        &'a self,
        verb: &'static str,
        reply: impl FnOnce(&'a ValueShard) -> Reply<'a, T>,
    ) -> Reply<'a, T> {
        *self.calls.lock().expect("unpoisoned").entry(verb).or_default() += 1;
        if self.cut.load(Ordering::SeqCst) || self.refuses(verb) {
            return Box::pin(async { Err(Unreachable::new("the cable is cut")) });
        }
        let call = reply(&self.shard);
        match self.held_now(verb) {
            None => call,
            Some(Held::Request(gate)) => Box::pin(async move {
                gate.pass().await;
                call.await
            }),
            Some(Held::Answer(gate)) => Box::pin(async move {
                let answer = call.await;
                gate.pass().await;
                answer
            }),
        }
    }
}

/// Hands on what the server says, unless the cable is deaf.
struct Ear {
    listener: Arc<dyn Listener>,
    deaf: Arc<AtomicBool>,
}

impl Ear {
    fn hears(&self) -> bool {
        !self.deaf.load(Ordering::SeqCst)
    }
}

impl Listener for Ear {
    fn pushed(&self, epoch: Epoch, records: Vec<LogRecord>) {
        if self.hears() {
            self.listener.pushed(epoch, records);
        }
    }

    fn woken(&self, key: &EncodedKey) {
        if self.hears() {
            self.listener.woken(key);
        }
    }
}

impl Shard for Cable {
    fn keeps_values(&self) -> bool {
        true
    }

    fn subscribe(&self, listener: Arc<dyn Listener>) {
        self.shard.subscribe(Arc::new(Ear { listener, deaf: Arc::clone(&self.deaf) }));
    }

    fn read(&self, keys: Vec<EncodedKey>) -> Reply<'_, ReadReply> {
        self.send("read", |shard| shard.read(keys))
    }

    fn lease(&self, key: EncodedKey, token: Token, seen: Option<u128>) -> Reply<'_, LeaseReply> {
        self.send("lease", |shard| shard.lease(key, token, seen))
    }

    fn renew(&self, key: EncodedKey, token: Token) -> Reply<'_, bool> {
        self.send("renew", |shard| shard.renew(key, token))
    }

    fn release(&self, key: EncodedKey, token: Token) -> Reply<'_, ()> {
        self.send("release", |shard| shard.release(key, token))
    }

    fn fill(&self, fill: Fill) -> Reply<'_, FillReply> {
        self.send("fill", |shard| shard.fill(fill))
    }

    fn append(&self, records: Vec<Record>) -> Reply<'_, Appended> {
        self.send("append", |shard| shard.append(records))
    }

    fn write_through(&self, fill: Fill, records: Vec<Record>) -> Reply<'_, (Appended, FillReply)> {
        self.send("write_through", |shard| shard.write_through(fill, records))
    }

    fn tail(&self, request: TailRequest) -> Reply<'_, TailReply> {
        self.send("tail", |shard| shard.tail(request))
    }

    fn anchor(&self) -> Reply<'_, Appended> {
        self.send("anchor", Shard::anchor)
    }

    fn scan(&self, scan: Scan) -> Reply<'_, ScanReply> {
        self.send("scan", |shard| shard.scan(scan))
    }

    fn finish(&self, pattern: Pattern, mode: Mode, anchor: Appended) -> Reply<'_, Option<Appended>> {
        self.send("finish", |shard| shard.finish(pattern, mode, anchor))
    }

    fn server_time(&self, now: Moment) -> ServerTime {
        self.shard.server_time(now)
    }
}
