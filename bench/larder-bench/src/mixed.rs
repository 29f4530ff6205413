//! Stale reads and speed under a mixed load: 95 % get-or-load, 5 % update and invalidate, 64
//! tasks, a loader of a millisecond, memory for a tenth of the keys.
//!
//! A read is stale when its version is older than an invalidation that had completed, in this
//! process, before the read began. The loader reads its version first and is slow after that, as a
//! query is that works on a snapshot.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder::{Cache, Larder};
use moka::future::Cache as Moka;
use rand::Rng;
use tokio::runtime::{Builder, Runtime};
use yardstick::clocks::elapsed;
use yardstick::page::Page;
use yardstick::rounds::interleave;
use yardstick::verdict::{Bound, Verdict};
use yardstick::{home, keys};

const KEYS: u32 = 100_000;
const EXPONENT: f64 = 0.99;
const CAPACITY: u64 = 10_000;
const TASKS: usize = 64;
const LOAD_TIME: Duration = Duration::from_millis(1);
const SEED: u64 = 20_261_121;
pub(crate) const ROUNDS: usize = 20;
/// Of each side, in all rounds together.
pub(crate) const OPERATIONS: usize = 10_000_000;
/// Larder makes at least this share of moka's operations a second.
const SPEED_MIN: f64 = 0.9;

/// Runs the load on both sides.
///
/// # Errors
/// A stale read, or a bound that was not kept.
pub(crate) fn run(rounds: usize, operations: usize) -> anyhow::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let _entered = runtime.enter();
    let work = Arc::new(work(operations / rounds / TASKS)?);
    println!("      seed {SEED}, {rounds} rounds, {operations} operations a side");
    let texts = Arc::new(keys::texts(u64::from(KEYS)));
    let (node, cache) = home::node(CAPACITY)?;
    let larder = Side::new(LarderStore { _node: node, cache, keys: Arc::clone(&texts) });
    let moka = Side::new(MokaStore { cache: Moka::new(CAPACITY), keys: texts });
    let measured = interleave(
        rounds,
        &mut [&mut || larder.round(&runtime, &work), &mut || moka.round(&runtime, &work)],
    );
    let mut verdict = Verdict::default();
    let [larder_stale, moka_stale] = [larder.stale(), moka.stale()];
    let reads = larder.reads() as f64;
    println!(
        "      {reads} reads; moka: {moka_stale} stale, {:.0} in a million",
        moka_stale as f64 / moka.reads() as f64 * 1e6
    );
    let done = (work.len() * work[0].len()) as f64;
    let [fast, moka_fast] = [0, 1].map(|side| done / measured.median_ns(side) * 1e6);
    println!("      thousand operations a second: larder {fast:.1}, moka {moka_fast:.1}");
    verdict.judge("stale reads, larder", larder_stale as f64, Bound::AtMost(0.0));
    verdict.judge(
        "operations a second, larder / moka",
        measured.ratio(1, 0),
        Bound::AtLeast(SPEED_MIN),
    );
    verdict.end()
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

/// A cache under this load.
trait Store: Send + Sync + 'static {
    /// Gets or loads the version of a key.
    fn read(&self, key: usize, source: &Arc<Source>) -> impl Future<Output = u64> + Send;
    fn invalidate(&self, key: usize) -> impl Future<Output = ()> + Send;
}

/// The source of truth, and what readers may no longer see.
struct Source {
    versions: Vec<AtomicU64>,
    /// The version whose invalidation has completed.
    invalidated: Vec<AtomicU64>,
    stale: AtomicU64,
    reads: AtomicU64,
}

impl Source {
    fn new() -> Self {
        let zeros = || (0..KEYS).map(|_| AtomicU64::new(0)).collect();
        let [stale, reads] = [0, 0].map(AtomicU64::new);
        Source { versions: zeros(), invalidated: zeros(), stale, reads }
    }

    async fn load(&self, key: usize) -> Page {
        let version = self.versions[key].load(Ordering::SeqCst);
        tokio::time::sleep(LOAD_TIME).await;
        Page::of(key as u64, version)
    }
}

struct Side<S> {
    store: Arc<S>,
    source: Arc<Source>,
}

impl<S: Store> Side<S> {
    fn new(store: S) -> Self {
        Side { store: Arc::new(store), source: Arc::new(Source::new()) }
    }

    fn round(&self, runtime: &Runtime, work: &Arc<Vec<Script>>) -> Duration {
        elapsed(|| {
            runtime.block_on(async {
                let mut tasks = tokio::task::JoinSet::new();
                for task in 0..work.len() {
                    let (store, source) = (Arc::clone(&self.store), Arc::clone(&self.source));
                    let work = Arc::clone(work);
                    tasks.spawn(async move { followed(&work[task], &*store, &source).await });
                }
                tasks.join_all().await
            })
        })
    }

    fn stale(&self) -> u64 {
        self.source.stale.load(Ordering::SeqCst)
    }

    fn reads(&self) -> u64 {
        self.source.reads.load(Ordering::SeqCst)
    }
}

async fn followed<S: Store>(script: &Script, store: &S, source: &Arc<Source>) {
    let [mut reads, mut stale] = [0, 0];
    for &operation in script {
        match operation {
            Operation::Read(key) => {
                let invalidated = source.invalidated[key].load(Ordering::SeqCst);
                reads += 1;
                stale += u64::from(store.read(key, source).await < invalidated);
            }
            Operation::Update(key) => {
                let version = source.versions[key].fetch_add(1, Ordering::SeqCst) + 1;
                store.invalidate(key).await;
                source.invalidated[key].fetch_max(version, Ordering::SeqCst);
            }
        }
    }
    source.reads.fetch_add(reads, Ordering::SeqCst);
    source.stale.fetch_add(stale, Ordering::SeqCst);
}

struct LarderStore {
    _node: Larder,
    cache: Cache<String, Page>,
    keys: Arc<Vec<String>>,
}

impl Store for LarderStore {
    async fn read(&self, key: usize, source: &Arc<Source>) -> u64 {
        let source = Arc::clone(source);
        let load = move |_| async move { Ok::<_, Infallible>(source.load(key).await) };
        self.cache.get_or_load(&self.keys[key], load).await.expect("it does not fail").version
    }

    async fn invalidate(&self, key: usize) {
        let invalidated = self.cache.invalidate(&self.keys[key]).await;
        assert!(invalidated.position().is_some(), "the embedded log has every invalidation");
    }
}

struct MokaStore {
    cache: Moka<String, Arc<Page>>,
    keys: Arc<Vec<String>>,
}

impl Store for MokaStore {
    async fn read(&self, key: usize, source: &Arc<Source>) -> u64 {
        let load = async { Ok::<_, Infallible>(Arc::new(source.load(key).await)) };
        let page = self.cache.try_get_with_by_ref(&self.keys[key], load).await;
        page.expect("it does not fail").version
    }

    async fn invalidate(&self, key: usize) {
        self.cache.invalidate(&self.keys[key]).await;
    }
}
