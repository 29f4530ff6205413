//! How warm is a process that has just started? The share of hits in the first seconds after a restart,
//! beside that of the process before, with its hot keys and without.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use larder::warm::{Supply, Warmer, WarmerBuilder};
use larder::{Cache, Larder, Origin};
use tokio::runtime::Builder;
use tokio::time::{MissedTickBehavior, interval};
use yardstick::verdict::{Bound, Verdict};
use yardstick::{home, keys};

pub(crate) const ROUNDS: usize = 3;

const KEYS: u32 = 100_000;
const EXPONENT: f64 = 0.99;
/// A tenth of the keys fit into memory.
const CAPACITY: u64 = KEYS as u64 / 10;
/// So many reads make memory steady, and so many of the last of them say what steady is.
const STEADY_READS: usize = 500_000;
const STEADY_WINDOW: usize = 100_000;
/// What counts after a restart.
const WINDOW: Duration = Duration::from_secs(5);
/// Slow enough that a cold process cannot warm itself within the window.
const READS_PER_SECOND: usize = 2_000;
const TICKS_PER_SECOND: usize = 100;
const SEED: u64 = 20_261_130;

/// Measures each round, and judges their medians.
///
/// # Errors
/// A bound was not kept.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    println!(
        "      seed {SEED}, {KEYS} keys, Zipf {EXPONENT}, {CAPACITY} entries, {READS_PER_SECOND} reads a second for {WINDOW:?}"
    );
    let file = std::env::temp_dir().join(format!("larder-bench-hot-keys-{}", std::process::id()));
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut measured = Vec::with_capacity(rounds);
    for round in 0..rounds {
        measured.push(runtime.block_on(measure(&file, SEED + round as u64))?);
        std::fs::remove_file(&file)?;
    }
    let median = |of: fn(&Round) -> f64| {
        let mut all: Vec<f64> = measured.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!("      steady: {:.1} % of reads are hits", 100.0 * median(|round| round.steady));
    println!(
        "      hot keys: {:.0}, restored within {:.2} s",
        median(|round| round.keys),
        median(|round| round.took)
    );
    println!("      after a cold restart / steady: {:.3}", median(|round| round.cold / round.steady));
    let mut verdict = Verdict::default();
    let warm = median(|round| round.warm / round.steady);
    verdict.judge("hits in the first 5 s, restart with hot keys / steady", warm, Bound::AtLeast(0.8));
    verdict.end()
}

/// Shares of hits, the number of hot keys, and the seconds that restoring took.
struct Round {
    steady: f64,
    cold: f64,
    warm: f64,
    keys: f64,
    took: f64,
}

/// A process: a node and its cache.
struct Process {
    larder: Larder,
    cache: Cache<u64, u64>,
}

impl Process {
    fn start() -> anyhow::Result<Self> {
        let (larder, cache) = home::node(CAPACITY)?;
        Ok(Process { larder, cache })
    }

    fn warmer(&self, file: &Path) -> WarmerBuilder {
        let rows = |keys: Vec<u64>| async move {
            Ok::<_, Infallible>(keys.into_iter().map(|key| (key, key)).collect::<HashMap<_, _>>())
        };
        let supply = Supply::batches(&self.cache, rows);
        Warmer::builder(&self.larder).restored(&supply).hot_keys_in(PathBuf::from(file))
    }

    /// How many of these reads are hits.
    async fn hits(&self, reads: &[u64]) -> anyhow::Result<usize> {
        let mut hits = 0;
        for &key in reads {
            let load = move |_| async move { Ok::<_, Infallible>(key) };
            let hit = self.cache.get_or_load(&key, load).await?;
            hits += usize::from(hit.origin() == Origin::Memory);
        }
        Ok(hits)
    }

    /// The share of hits of readers who come at their own pace, from now on.
    async fn share_in_window(&self, reads: &[u64]) -> anyhow::Result<f64> {
        let mut ticks = interval(Duration::from_secs(1) / TICKS_PER_SECOND as u32);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut hits = 0;
        for some in reads.chunks(READS_PER_SECOND / TICKS_PER_SECOND) {
            ticks.tick().await;
            hits += self.hits(some).await?;
        }
        Ok(hits as f64 / reads.len() as f64)
    }
}

async fn measure(file: &Path, seed: u64) -> anyhow::Result<Round> {
    let later = READS_PER_SECOND * WINDOW.as_secs() as usize;
    let trace = keys::zipf(KEYS, EXPONENT, STEADY_READS + later, seed)?;
    let (before, after) = trace.split_at(STEADY_READS);
    let (filling, steady) = before.split_at(STEADY_READS - STEADY_WINDOW);
    let old = Process::start()?;
    let warmer = old.warmer(file).build()?;
    // The first process has no hot keys yet. Only who looked for them may replace them.
    warmer.restore();
    warmer.finished().await;
    old.hits(filling).await?;
    let steady = old.hits(steady).await? as f64 / STEADY_WINDOW as f64;
    let saved = warmer.close().await?;
    let saved = saved.ok_or_else(|| anyhow::anyhow!("the hot keys were not saved"))?;
    drop(old);
    let new = Process::start()?;
    let warmer = new.warmer(file).build()?;
    warmer.start();
    let warm = new.share_in_window(after).await?;
    warmer.finished().await;
    let took = warmer.progress()[0].elapsed.as_secs_f64();
    let cold = Process::start()?.share_in_window(after).await?;
    Ok(Round { steady, cold, warm, keys: saved.keys as f64, took })
}
