//! An outage with nodes that keep the bound: nobody reads what was invalidated more than
//! `staleness_max` ago, by a node that could not tell the others. That costs source reads, which are
//! counted.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use larder_rig::{RedisServer, Stopwatch};
use rand::Rng;
use tokio::task::JoinSet;
use yardstick::keys;
use yardstick::page::Page;
use yardstick::verdict::{Bound, Verdict};

use crate::history::{History, STALENESS_MAX};
use crate::nodes::Node;

const KEYS: usize = 200;
const ENTRIES: u64 = 10_000;
const READERS: u64 = 16;
const LOAD_TIME: Duration = Duration::from_millis(1);
/// Between two reads of a reader: a source can be asked by each of them all the time.
const READ_EVERY: Duration = Duration::from_millis(1);
const CHANGE_EVERY: Duration = Duration::from_millis(10);
/// Before, during and after the outage.
const PHASE: Duration = Duration::from_secs(4);
const SEED: u64 = 20_261_129;

struct World {
    reader: Node,
    writer: Node,
    texts: Vec<String>,
    keys: Vec<History>,
    clock: Stopwatch,
    over: AtomicBool,
    reads: AtomicU64,
    loads: AtomicU64,
    too_old: AtomicU64,
}

/// Kills the server under readers, and starts it again.
///
/// # Errors
/// The server does not start.
pub(crate) async fn run(verdict: &mut Verdict) -> anyhow::Result<()> {
    let mut server = RedisServer::start();
    let node = || Node::on(server.port(), ENTRIES);
    let [reads, loads, too_old] = [0, 0, 0].map(AtomicU64::new);
    let world = Arc::new(World {
        reader: node().await?,
        writer: node().await?,
        texts: keys::texts(KEYS as u64),
        keys: (0..KEYS).map(|_| History::new()).collect(),
        clock: Stopwatch::started(),
        over: AtomicBool::new(false),
        reads,
        loads,
        too_old,
    });
    let mut living = JoinSet::new();
    living.spawn(change(Arc::clone(&world)));
    for reader in 0..READERS {
        living.spawn(read(Arc::clone(&world), reader));
    }
    println!(
        "      bounded: seed {SEED}, {READERS} readers of {KEYS} keys, {CHANGE_EVERY:?} between changes"
    );
    world.phase("healthy").await;
    server.kill();
    world.phase("away").await;
    server.run();
    world.phase("back").await;
    world.over.store(true, Ordering::SeqCst);
    living.join_all().await;
    let too_old = world.too_old.load(Ordering::SeqCst) as f64;
    verdict.judge("reads older than the bound, in all phases", too_old, Bound::AtMost(0.0));
    Ok(())
}

impl World {
    /// Lets the world go on for a while, and says how often it asked its source.
    async fn phase(&self, what: &str) {
        let counts = || [&self.reads, &self.loads].map(|count| count.load(Ordering::SeqCst));
        let ([reads, loads], lasting) = (counts(), Stopwatch::started());
        tokio::time::sleep(PHASE).await;
        let seconds = lasting.elapsed().as_secs_f64();
        let [more_reads, more_loads] = counts();
        println!(
            "      {what}: {:.0} reads a second, {:.0} source reads a second",
            (more_reads - reads) as f64 / seconds,
            (more_loads - loads) as f64 / seconds
        );
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    async fn load(&self, key: usize) -> Page {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let version = self.keys[key].version();
        tokio::time::sleep(LOAD_TIME).await;
        Page::of(key as u64, version)
    }
}

/// Changes the source, and invalidates by a node of its own: nobody waits for the log.
async fn change(world: Arc<World>) {
    let mut chance = keys::seeded(SEED);
    let mut invalidating = JoinSet::new();
    while !world.is_over() {
        let key = chance.random_range(0..KEYS);
        let version = world.keys[key].change();
        let telling = Arc::clone(&world);
        invalidating.spawn(async move {
            drop(telling.writer.cache.invalidate(&telling.texts[key]).await);
        });
        world.keys[key].make_known(version, &world.clock);
        while invalidating.try_join_next().is_some() {}
        tokio::time::sleep(CHANGE_EVERY).await;
    }
    invalidating.join_all().await;
}

async fn read(world: Arc<World>, reader: u64) {
    let mut chance = keys::seeded(SEED + 1 + reader);
    while !world.is_over() {
        let key = chance.random_range(0..KEYS);
        let began = world.clock.elapsed();
        let source = Arc::clone(&world);
        let load = move |_| async move { Ok::<_, Infallible>(source.load(key).await) };
        let read = world.reader.cache.get_or_load(&world.texts[key], load).await;
        let version = read.expect("the source is healthy").version;
        world.reads.fetch_add(1, Ordering::SeqCst);
        let before = began.checked_sub(STALENESS_MAX);
        if before.is_some_and(|at| world.keys[key].newer_at(at, version).is_some()) {
            world.too_old.fetch_add(1, Ordering::SeqCst);
        }
        tokio::time::sleep(READ_EVERY).await;
    }
}
