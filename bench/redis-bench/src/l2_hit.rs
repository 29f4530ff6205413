//! What does a hit in the shared tier cost, as a typed value? Larder, a bare client and the peers
//! read the same keys in the same order, with as many tasks. Memory is left out on all sides. What it
//! costs that a read puts its value there, and drops the one that it replaces, shows beside a Larder
//! as it comes.

use std::sync::Arc;
use std::time::Duration;

use larder::Codec;
use larder_rig::RedisServer;
use tokio::runtime::Runtime;
use yardstick::keys;
use yardstick::rounds::{Rounds, interleave};
use yardstick::verdict::{Bound, Verdict};

use crate::nodes::{Node, runtime};
use crate::sides::{Bare, KEYS, MultiTier, OxRedis, Shared, Side, together};

const EXPONENT: f64 = 0.99;
const SEED: u64 = 20_261_129;
const TASKS: [usize; 2] = [64, 256];
pub(crate) const ROUNDS: usize = 15;
/// Of each side, in one round.
pub(crate) const OPERATIONS: usize = 40_000;
/// Larder makes at least this many times as many hits a second.
const TIMES_BARE_MIN: f64 = 1.0;
const TIMES_PEER_MIN: f64 = 1.2;

const NAMES: [&str; 6] = [
    "larder, JSON",
    "bare client and serde_json",
    "larder, postcard",
    "larder, JSON, with its memory",
    "multi-tier-cache",
    "oxcache",
];

/// Measures all sides.
///
/// # Errors
/// A bound was not kept, or the server fails.
pub(crate) fn run(rounds: usize, operations: usize) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let server = RedisServer::start();
    let sides = runtime.block_on(Sides::on(&server))?;
    println!("      seed {SEED}, {rounds} rounds of {operations} hits a side");
    let mut verdict = Verdict::default();
    for tasks in TASKS {
        let work = Arc::new(Work::new(tasks, operations)?);
        let measured = sides.measure(&runtime, rounds, &work);
        report(&measured, tasks, work.operations(), &mut verdict);
    }
    verdict.end()
}

fn report(measured: &Rounds, tasks: usize, operations: usize, verdict: &mut Verdict) {
    for (side, name) in NAMES.iter().enumerate() {
        let a_second = operations as f64 / measured.median_ns(side) * 1e6;
        println!("      {tasks} tasks, {name}: {a_second:.1} thousand hits a second");
    }
    let peer = |side| measured.ratio(4, side).min(measured.ratio(5, side));
    println!(
        "      {tasks} tasks, hits a second, larder with postcard / bare: {:.3}",
        measured.ratio(1, 2)
    );
    println!(
        "      {tasks} tasks, hits a second, larder with its memory / bare: {:.3}, / best peer: {:.3}",
        measured.ratio(1, 3),
        peer(3)
    );
    verdict.judge(
        &format!("{tasks} tasks, hits a second, larder / bare"),
        measured.ratio(1, 0),
        Bound::AtLeast(TIMES_BARE_MIN),
    );
    verdict.judge(
        &format!("{tasks} tasks, hits a second, larder / best peer"),
        peer(0),
        Bound::AtLeast(TIMES_PEER_MIN),
    );
}

/// What each task reads.
struct Work {
    texts: Vec<String>,
    traces: Vec<Vec<u64>>,
}

impl Work {
    fn new(tasks: usize, operations: usize) -> anyhow::Result<Self> {
        anyhow::ensure!(operations >= tasks, "--operations must give each of {tasks} tasks one");
        let trace = |task| keys::zipf(KEYS, EXPONENT, operations / tasks, SEED ^ task);
        Ok(Work {
            texts: keys::texts(u64::from(KEYS)),
            traces: (0..tasks as u64).map(trace).collect::<Result<_, _>>()?,
        })
    }

    fn operations(&self) -> usize {
        self.traces.iter().map(Vec::len).sum()
    }
}

struct Sides {
    json: Arc<Shared>,
    bare: Arc<Bare>,
    postcard: Arc<Shared>,
    with_memory: Arc<Shared>,
    multi_tier: Arc<MultiTier>,
    ox: Arc<OxRedis>,
}

impl Sides {
    async fn on(server: &RedisServer) -> anyhow::Result<Self> {
        let texts = keys::texts(u64::from(KEYS));
        let node = async || Node::on(server.port(), u64::from(KEYS)).await;
        let json = Shared::without_memory(node().await?, Codec::Json)?;
        json.fill(&texts).await?;
        let postcard = Shared::without_memory(node().await?, Codec::Postcard)?;
        postcard.fill(&texts).await?;
        let with_memory = Shared::with_memory(node().await?);
        with_memory.fill(&texts).await?;
        let bare = Bare::on(server).await?;
        bare.fill(&texts).await?;
        let multi_tier = MultiTier::on(server).await?;
        multi_tier.fill(&texts).await?;
        let ox = OxRedis::on(server).await?;
        ox.fill(&texts).await?;
        Ok(Sides {
            json: Arc::new(json),
            bare: Arc::new(bare),
            postcard: Arc::new(postcard),
            with_memory: Arc::new(with_memory),
            multi_tier: Arc::new(multi_tier),
            ox: Arc::new(ox),
        })
    }

    fn measure(&self, runtime: &Runtime, rounds: usize, work: &Arc<Work>) -> Rounds {
        interleave(
            rounds,
            &mut [
                &mut || hits(runtime, &self.json, work),
                &mut || hits(runtime, &self.bare, work),
                &mut || hits(runtime, &self.postcard, work),
                &mut || hits(runtime, &self.with_memory, work),
                &mut || hits(runtime, &self.multi_tier, work),
                &mut || hits(runtime, &self.ox, work),
            ],
        )
    }
}

fn hits<S: Side>(runtime: &Runtime, side: &Arc<S>, work: &Arc<Work>) -> Duration {
    together(runtime, work.traces.len(), |task| {
        let (side, work) = (Arc::clone(side), Arc::clone(work));
        async move {
            for &key in &work.traces[task] {
                side.one(&work.texts[key as usize]).await;
            }
        }
    })
}
