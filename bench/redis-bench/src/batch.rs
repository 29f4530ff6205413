//! What do 100 keys at once cost, all in the shared tier, as typed values? Memory is left out on all
//! sides; a Larder as it comes is beside them. And is a batch one round trip, however many keys it has?

use std::sync::Arc;
use std::time::Duration;

use larder::Codec;
use larder_rig::{Fault, Proxy, RedisServer, Stopwatch};
use tokio::runtime::Runtime;
use yardstick::keys;
use yardstick::rounds::{Rounds, interleave};
use yardstick::verdict::{Bound, Verdict};

use crate::nodes::{Node, runtime};
use crate::sides::{Bare, Batches, KEYS, MultiTier, OxRedis, Shared, together};
use crate::spread::Spread;

const KEYS_A_BATCH: usize = 100;
/// Larder as it comes remembers next to nothing here, so that batches are answered by the server.
const ENTRIES: u64 = 2;
const SEED: u64 = 20_261_129;
const TASKS: [usize; 2] = [1, 16];
pub(crate) const ROUNDS: usize = 15;
/// Of each side, in one round.
const BATCHES: usize = 640;
/// Larder makes at least this many times as many batches a second.
const TIMES_BARE_MIN: f64 = 1.0;
const TIMES_PEER_MIN: f64 = 1.5;
/// What the proxy makes of one way.
const WAY: Duration = Duration::from_millis(20);
/// One, and half of one for the work itself.
const ROUND_TRIPS_MAX: f64 = 1.5;
const DELAYED_BATCHES: usize = 20;

const NAMES: [&str; 5] =
    ["larder", "bare MGET and serde_json", "multi-tier-cache", "oxcache", "larder, with its memory"];

/// Measures all sides, then counts round trips.
///
/// # Errors
/// A bound was not kept, or the server fails.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let server = RedisServer::start();
    let batches = Arc::new(batches());
    let sides = runtime.block_on(Sides::on(&server))?;
    println!("      seed {SEED}, {rounds} rounds of {BATCHES} batches of {KEYS_A_BATCH} keys a side");
    let mut verdict = Verdict::default();
    for tasks in TASKS {
        report(&sides.measure(&runtime, rounds, tasks, &batches), tasks, &mut verdict);
    }
    print_commands(&runtime, &server, &sides, &batches[0]);
    let stats = sides.with_memory.cache.stats();
    let shared = stats.shared_hits as f64 / (stats.shared_hits + stats.hits) as f64;
    println!("      {}: {:.3} % of its keys came from the server", NAMES[4], shared * 100.0);
    runtime.block_on(count_round_trips(&server, &batches, &mut verdict))?;
    verdict.end()
}

fn report(measured: &Rounds, tasks: usize, verdict: &mut Verdict) {
    for (side, name) in NAMES.iter().enumerate() {
        let a_second = BATCHES as f64 / measured.median_ns(side) * 1e9;
        println!("      {tasks} tasks, {name}: {a_second:.0} batches a second");
    }
    let times = |side| measured.ratio(side, 0);
    let best_peer = |side| measured.ratio(2, side).min(measured.ratio(3, side));
    println!(
        "      {tasks} tasks, batches a second, larder with its memory / bare: {:.3}, / best peer: {:.3}",
        measured.ratio(1, 4),
        best_peer(4)
    );
    verdict.judge(
        &format!("{tasks} tasks, batches a second, larder / bare"),
        times(1),
        Bound::AtLeast(TIMES_BARE_MIN),
    );
    verdict.judge(
        &format!("{tasks} tasks, batches a second, larder / best peer"),
        best_peer(0),
        Bound::AtLeast(TIMES_PEER_MIN),
    );
}

/// Different batches of different keys.
fn batches() -> Vec<Vec<String>> {
    let mut chance = keys::seeded(SEED);
    let batch = |_| {
        let drawn = rand::seq::index::sample(&mut chance, KEYS as usize, KEYS_A_BATCH);
        drawn.into_iter().map(|key| keys::text(key as u64)).collect()
    };
    (0..BATCHES).map(batch).collect()
}

struct Sides {
    larder: Arc<Shared>,
    bare: Arc<Bare>,
    multi_tier: Arc<MultiTier>,
    ox: Arc<OxRedis>,
    with_memory: Arc<Shared>,
}

impl Sides {
    async fn on(server: &RedisServer) -> anyhow::Result<Self> {
        let texts = keys::texts(u64::from(KEYS));
        let node = async || Node::on(server.port(), ENTRIES).await;
        let larder = Shared::without_memory(node().await?, Codec::Json)?;
        larder.fill(&texts).await?;
        let remembering = node().await?;
        remembering.fill(&texts).await?;
        remembering.larder.reset_stats();
        let bare = Bare::on(server).await?;
        bare.fill(&texts).await?;
        let multi_tier = MultiTier::on(server).await?;
        multi_tier.fill(&texts).await?;
        let ox = OxRedis::on(server).await?;
        ox.fill(&texts).await?;
        Ok(Sides {
            larder: Arc::new(larder),
            with_memory: Arc::new(Shared::with_memory(remembering)),
            bare: Arc::new(bare),
            multi_tier: Arc::new(multi_tier),
            ox: Arc::new(ox),
        })
    }

    fn measure(
        &self,
        runtime: &Runtime,
        rounds: usize,
        tasks: usize,
        batches: &Arc<Vec<Vec<String>>>,
    ) -> Rounds {
        interleave(
            rounds,
            &mut [
                &mut || made(runtime, &self.larder, tasks, batches),
                &mut || made(runtime, &self.bare, tasks, batches),
                &mut || made(runtime, &self.multi_tier, tasks, batches),
                &mut || made(runtime, &self.ox, tasks, batches),
                &mut || made(runtime, &self.with_memory, tasks, batches),
            ],
        )
    }
}

fn made<S: Batches>(
    runtime: &Runtime,
    side: &Arc<S>,
    tasks: usize,
    batches: &Arc<Vec<Vec<String>>>,
) -> Duration {
    together(runtime, tasks, |task| {
        let (side, batches) = (Arc::clone(side), Arc::clone(batches));
        async move {
            for batch in batches.iter().skip(task).step_by(tasks) {
                let versions = side.many(batch).await;
                assert_eq!(versions, batch.len() as u64, "every key has its first version");
            }
        }
    })
}

/// How many commands that read values one batch is.
fn print_commands(runtime: &Runtime, server: &RedisServer, sides: &Sides, batch: &[String]) {
    let counted = |name: &str, before: u64| {
        println!("      {name}: {} commands a batch read values", commands(server) - before);
    };
    let before = commands(server);
    runtime.block_on(sides.larder.many(batch));
    counted(NAMES[0], before);
    let before = commands(server);
    runtime.block_on(sides.bare.many(batch));
    counted(NAMES[1], before);
    let before = commands(server);
    runtime.block_on(sides.multi_tier.many(batch));
    counted(NAMES[2], before);
    let before = commands(server);
    runtime.block_on(sides.ox.many(batch));
    counted(NAMES[3], before);
}

/// Commands so far that read values or their times.
fn commands(server: &RedisServer) -> u64 {
    let info: String = server.ask(redis::cmd("INFO").arg("commandstats"));
    let of = |line: &str| {
        let counted = ["cmdstat_get:", "cmdstat_mget:", "cmdstat_pttl:"];
        let rest = counted.iter().find_map(|name| line.strip_prefix(name))?;
        rest.strip_prefix("calls=")?.split(',').next()?.parse::<u64>().ok()
    };
    info.lines().filter_map(of).sum()
}

/// Lets the network take its time: then a batch takes as long as it has round trips.
async fn count_round_trips(
    server: &RedisServer,
    batches: &[Vec<String>],
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let proxy = Proxy::before(server.port()).await;
    let far = Shared::with_memory(Node::on(proxy.port(), ENTRIES).await?);
    far.many(&batches[0]).await;
    proxy.inflict(Fault::Delay(WAY));
    let mut took = Spread::default();
    for batch in &batches[1..=DELAYED_BATCHES] {
        let asking = Stopwatch::started();
        far.many(batch).await;
        took.add(asking.elapsed());
    }
    took.print(&format!("a batch, each way delayed by {WAY:?}"));
    let round_trips = took.at_ms(0.5) / (WAY * 2).as_secs_f64() / 1e3;
    verdict.judge("larder, round trips a batch", round_trips, Bound::AtMost(ROUND_TRIPS_MAX));
    Ok(())
}
