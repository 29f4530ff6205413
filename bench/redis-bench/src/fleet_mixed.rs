//! Stale reads and speed under the mixed load over one server: 95 % get-or-load, 5 % update and
//! invalidate, 64 tasks, a loader of a millisecond, memory for a tenth of the keys; on one node and
//! on three.
//!
//! A read is stale on its own node when its version is older than an invalidation that had completed
//! on that node before the read began. It is stale elsewhere when an invalidation by any node had
//! completed longer than `staleness_max` before.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder_rig::{RedisServer, Stopwatch};
use moka::future::Cache as Moka;
use rand::Rng;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tokio::runtime::Runtime;
use yardstick::keys;
use yardstick::page::Page;
use yardstick::rounds::interleave;
use yardstick::verdict::{Bound, Verdict};

use crate::history::{History, STALENESS_MAX};
use crate::nodes::{Node, runtime};
use crate::sides::{connection, together};

const KEYS: u32 = 100_000;
const EXPONENT: f64 = 0.99;
const CAPACITY: u64 = 10_000;
const TASKS: usize = 64;
const LOAD_TIME: Duration = Duration::from_millis(1);
const SEED: u64 = 20_261_129;
const FLEETS: [usize; 2] = [1, 3];
pub(crate) const ROUNDS: usize = 20;
/// Of each side, in all rounds together, on each fleet.
pub(crate) const OPERATIONS: usize = 10_000_000;
/// By hand, values stay in the server for so long.
const BY_HAND_SECONDS: u64 = 300;
/// Larder makes at least this share of the operations a second that are made by hand.
const SPEED_MIN: f64 = 0.9;

/// Runs the load on both sides, for each size of a fleet.
///
/// # Errors
/// A bound was not kept, or the server fails.
pub(crate) fn run(rounds: usize, operations: usize) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let work = Arc::new(work(operations / rounds / TASKS)?);
    println!("      seed {SEED}, {rounds} rounds, {operations} operations a side");
    let mut verdict = Verdict::default();
    for nodes in FLEETS {
        measure(&runtime, nodes, rounds, &work, &mut verdict)?;
    }
    verdict.end()
}

fn measure(
    runtime: &Runtime,
    nodes: usize,
    rounds: usize,
    work: &Arc<Vec<Script>>,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let server = RedisServer::start();
    let larder = Side::new(runtime.block_on(LarderFleet::on(&server, nodes))?, nodes);
    let by_hand = Side::new(runtime.block_on(HandFleet::on(&server, nodes))?, nodes);
    let measured = interleave(
        rounds,
        &mut [&mut || larder.round(runtime, work), &mut || by_hand.round(runtime, work)],
    );
    let done = (work.len() * work[0].len()) as f64;
    for (side, counts, name) in
        [(0, &larder.source.counts, "larder"), (1, &by_hand.source.counts, "by hand")]
    {
        counts.print(&format!("{nodes} nodes, {name}"), done / measured.median_ns(side) * 1e6);
    }
    larder.fleet.print_stats();
    let counts = &larder.source.counts;
    for (what, count) in [("own node", &counts.own_stale), ("older than the bound", &counts.too_old)]
    {
        let count = count.load(Ordering::SeqCst) as f64;
        verdict.judge(
            &format!("{nodes} nodes, stale reads, larder, {what}"),
            count,
            Bound::AtMost(0.0),
        );
    }
    verdict.judge(
        &format!("{nodes} nodes, operations a second, larder / by hand"),
        measured.ratio(1, 0),
        Bound::AtLeast(SPEED_MIN),
    );
    Ok(())
}

/// What one task does in one round.
type Script = Vec<Operation>;

#[derive(Clone, Copy)]
enum Operation {
    Read(usize),
    Update(usize),
}

fn work(of_each: usize) -> anyhow::Result<Vec<Script>> {
    anyhow::ensure!(of_each > 0, "--operations must give each of {TASKS} tasks one in each round");
    (0..TASKS as u64)
        .map(|task| {
            let mut chance = keys::seeded(SEED + task);
            let trace = keys::zipf(KEYS, EXPONENT, of_each, SEED ^ task)?;
            let operation = |key| match chance.random_ratio(1, 20) {
                true => Operation::Update(key as usize),
                false => Operation::Read(key as usize),
            };
            Ok(trace.into_iter().map(operation).collect())
        })
        .collect()
}

/// Caches of several nodes under this load.
trait Fleet: Send + Sync + 'static {
    /// Gets or loads the version of a key on a node.
    fn read(&self, node: usize, key: usize, source: &Arc<Source>)
    -> impl Future<Output = u64> + Send;
    /// Whether all nodes know, or will know before they are asked for more than the bound.
    fn invalidate(&self, node: usize, key: usize) -> impl Future<Output = Known> + Send;
}

/// How far an invalidation has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Everywhere,
    /// It could not be told to the others in time.
    Here,
}

#[derive(Default)]
struct Counts {
    reads: AtomicU64,
    loads: AtomicU64,
    own_stale: AtomicU64,
    too_old: AtomicU64,
    /// Older than what had completed anywhere, and not necessarily too old.
    behind: AtomicU64,
    local: AtomicU64,
}

impl Counts {
    fn print(&self, who: &str, thousands_a_second: f64) {
        let count = |count: &AtomicU64| count.load(Ordering::SeqCst) as f64;
        let reads = count(&self.reads);
        let in_a_million = |some| count(some) / reads * 1e6;
        println!(
            "      {who}: {thousands_a_second:.1} thousand operations a second, {:.3} of the reads \
             without a load",
            1.0 - count(&self.loads) / reads
        );
        println!(
            "      {who}: stale reads in a million: {:.0} of the own node, {:.0} older than the bound, \
             {:.0} older than any invalidation; {} invalidations not shared in time",
            in_a_million(&self.own_stale),
            in_a_million(&self.too_old),
            in_a_million(&self.behind),
            count(&self.local)
        );
    }
}

/// The source of truth, and what readers may no longer see.
struct Source {
    keys: Vec<History>,
    /// The version whose invalidation has completed on a node, by node and key.
    invalidated: Vec<Vec<AtomicU64>>,
    clock: Stopwatch,
    counts: Counts,
}

impl Source {
    fn new(nodes: usize) -> Self {
        let zeros = || (0..KEYS).map(|_| AtomicU64::new(0)).collect();
        Source {
            keys: (0..KEYS).map(|_| History::new()).collect(),
            invalidated: (0..nodes).map(|_| zeros()).collect(),
            clock: Stopwatch::started(),
            counts: Counts::default(),
        }
    }

    /// Reads its version first and is slow after that, as a query is that works on a snapshot.
    async fn load(&self, key: usize) -> Page {
        let version = self.keys[key].version();
        self.counts.loads.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(LOAD_TIME).await;
        Page::of(key as u64, version)
    }
}

struct Side<F> {
    fleet: Arc<F>,
    source: Arc<Source>,
    nodes: usize,
}

impl<F: Fleet> Side<F> {
    fn new(fleet: F, nodes: usize) -> Self {
        Side { fleet: Arc::new(fleet), source: Arc::new(Source::new(nodes)), nodes }
    }

    fn round(&self, runtime: &Runtime, work: &Arc<Vec<Script>>) -> Duration {
        together(runtime, work.len(), |task| {
            let (fleet, source) = (Arc::clone(&self.fleet), Arc::clone(&self.source));
            let (work, node) = (Arc::clone(work), task % self.nodes);
            async move { followed(&work[task], node, &*fleet, &source).await }
        })
    }
}

async fn followed<F: Fleet>(script: &Script, node: usize, fleet: &F, source: &Arc<Source>) {
    let counts = &source.counts;
    let mut reads = 0;
    for &operation in script {
        match operation {
            Operation::Read(key) => {
                let invalidated = source.invalidated[node][key].load(Ordering::SeqCst);
                let began = source.clock.elapsed();
                reads += 1;
                let version = fleet.read(node, key, source).await;
                counts.own_stale.fetch_add(u64::from(version < invalidated), Ordering::Relaxed);
                judge(&source.keys[key], began, version, counts);
            }
            Operation::Update(key) => {
                let version = source.keys[key].change();
                let known = fleet.invalidate(node, key).await;
                source.invalidated[node][key].fetch_max(version, Ordering::SeqCst);
                match known {
                    Known::Everywhere => source.keys[key].make_known(version, &source.clock),
                    Known::Here => drop(counts.local.fetch_add(1, Ordering::Relaxed)),
                }
            }
        }
    }
    counts.reads.fetch_add(reads, Ordering::SeqCst);
}

fn judge(history: &History, began: Duration, version: u64, counts: &Counts) {
    if history.newer_at(began, version).is_none() {
        return;
    }
    counts.behind.fetch_add(1, Ordering::Relaxed);
    if let Some(at) = began.checked_sub(STALENESS_MAX)
        && history.newer_at(at, version).is_some()
    {
        counts.too_old.fetch_add(1, Ordering::Relaxed);
    }
}

struct LarderFleet {
    nodes: Vec<Node>,
    keys: Vec<String>,
}

impl LarderFleet {
    async fn on(server: &RedisServer, count: usize) -> anyhow::Result<Self> {
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(Node::on(server.port(), CAPACITY).await?);
        }
        Ok(LarderFleet { nodes, keys: keys::texts(u64::from(KEYS)) })
    }
}

impl LarderFleet {
    /// Where the answers came from, so that a slow run can be told from one whose shared tier was of
    /// no use.
    fn print_stats(&self) {
        for (node, number) in self.nodes.iter().zip(1..) {
            let stats = node.cache.stats();
            println!(
                "      node {number}, larder: {} hits in memory, {} in the server, {} misses, \
                 {} bypasses, {} loads, {} fills refused",
                stats.hits,
                stats.shared_hits,
                stats.misses,
                stats.bypasses,
                stats.loads,
                stats.fills_rejected
            );
        }
    }
}

impl Fleet for LarderFleet {
    async fn read(&self, node: usize, key: usize, source: &Arc<Source>) -> u64 {
        let source = Arc::clone(source);
        let load = move |_| async move { Ok::<_, Infallible>(source.load(key).await) };
        let read = self.nodes[node].cache.get_or_load(&self.keys[key], load).await;
        read.expect("it does not fail").version
    }

    async fn invalidate(&self, node: usize, key: usize) -> Known {
        let invalidated = self.nodes[node].cache.invalidate(&self.keys[key]).await;
        match invalidated.position() {
            Some(_) => Known::Everywhere,
            None => Known::Here,
        }
    }
}

/// One node as a careful team writes it: values by a single load in memory, then in the server.
struct Hand {
    memory: Moka<String, Arc<Page>>,
    server: MultiplexedConnection,
}

struct HandFleet {
    nodes: Vec<Hand>,
    keys: Vec<String>,
}

impl HandFleet {
    async fn on(server: &RedisServer, count: usize) -> anyhow::Result<Self> {
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(Hand { memory: Moka::new(CAPACITY), server: connection(server).await? });
        }
        Ok(HandFleet { nodes, keys: keys::texts(u64::from(KEYS)) })
    }
}

impl Hand {
    async fn shared_or_loaded(
        &self,
        text: &String,
        key: usize,
        source: &Source,
    ) -> anyhow::Result<Arc<Page>> {
        let mut server = self.server.clone();
        let stored: Option<Vec<u8>> = server.get(text).await?;
        if let Some(json) = stored {
            return Ok(Arc::new(serde_json::from_slice(&json)?));
        }
        let page = source.load(key).await;
        server.set_ex::<_, _, ()>(text, serde_json::to_vec(&page)?, BY_HAND_SECONDS).await?;
        Ok(Arc::new(page))
    }
}

impl Fleet for HandFleet {
    async fn read(&self, node: usize, key: usize, source: &Arc<Source>) -> u64 {
        let (hand, text) = (&self.nodes[node], &self.keys[key]);
        let missed = hand.shared_or_loaded(text, key, source);
        hand.memory.try_get_with_by_ref(text, missed).await.expect("the server answers").version
    }

    async fn invalidate(&self, node: usize, key: usize) -> Known {
        let (hand, text) = (&self.nodes[node], &self.keys[key]);
        hand.server.clone().del::<_, ()>(text).await.expect("the server answers");
        hand.memory.invalidate(text).await;
        Known::Everywhere
    }
}
