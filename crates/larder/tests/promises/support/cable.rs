//! Nodes that share one server, each over a cable that can be cut, muted and counted.

use std::collections::HashMap;
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

use super::SEED;

const TAG_SLOTS: usize = 1024;

/// One server and its clock.
pub(crate) struct Fleet {
    pub(crate) clock: ManualClock,
    pub(crate) server: Arc<ValueServer>,
    nodes: AtomicU64,
}

fn settings() -> ShardSettings {
    let lease_ttl = Duration::from_secs(10);
    ShardSettings { log_records_max: 100, lease_ttl, values: Values::Kept }
}

impl Fleet {
    pub(crate) fn new() -> Self {
        println!("seed {SEED:#x}");
        let clock = ManualClock::default();
        let random = Arc::new(SeededRandom::new(SEED));
        let server = ValueServer::new(settings(), Arc::new(clock.clone()), random);
        Fleet { clock, server, nodes: AtomicU64::new(0) }
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
        let parameters = Parameters::new(1, TAG_SLOTS).expect("in range");
        let cable = Arc::new(Cable {
            shard: self.server.connect(parameters),
            cut: AtomicBool::new(false),
            deaf: Arc::default(),
            calls: Mutex::default(),
        });
        // Tokens must differ between nodes.
        let random = SeededRandom::new(SEED ^ (self.nodes.fetch_add(1, Ordering::SeqCst) + 1));
        let builder = Larder::builder("test")
            .clock(Arc::new(self.clock.clone()))
            .random(Arc::new(random))
            .tag_slots(TAG_SLOTS)
            .shards(vec![Arc::clone(&cable) as Arc<dyn Shard>]);
        (set(builder).build().expect("valid settings"), cable)
    }

    /// The server comes back without anything.
    pub(crate) fn restart_empty(&self) {
        self.server.restart(ShardState::new(settings()));
    }
}

/// The way of one node to the server.
pub(crate) struct Cable {
    shard: ValueShard,
    cut: AtomicBool,
    deaf: Arc<AtomicBool>,
    calls: Mutex<HashMap<&'static str, usize>>,
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
        if self.cut.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Unreachable::new("the cable is cut")) });
        }
        reply(&self.shard)
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
