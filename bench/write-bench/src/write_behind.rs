//! Write-behind over an SQLite journal on this machine's disk. Two sides of one journal: a caller who
//! waits for each write, and a hundred at once; then a Zipf load with every default.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use larder::behind::{Change, WriteBehind};
use larder_sql::journal::SqliteJournal;
use tokio::runtime::{Builder, Runtime};
use yardstick::clocks::elapsed;
use yardstick::home;
use yardstick::keys::zipf;
use yardstick::page::Page;
use yardstick::rounds::interleave;
use yardstick::verdict::{Bound, Verdict};

pub(crate) const ROUNDS: usize = 11;
/// Writes of a round: by one caller, and by each of a hundred.
const WRITES: u64 = 30;
const IN_FLIGHT: u64 = 100;
const GAIN_MIN: f64 = 20.0;

const KEYS: u32 = 10_000;
const EXPONENT: f64 = 0.99;
const ZIPF_WRITES: usize = 200_000;
const SEED: u64 = 0x11_2026;
const SPARED_MIN: f64 = 5.0;

/// # Errors
/// A bound was not kept, or the journal failed.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let directory = tempfile::tempdir()?;
    let mut verdict = Verdict::default();
    group_commit(&runtime, directory.path(), rounds, &mut verdict)?;
    runtime.block_on(spared(directory.path(), &mut verdict))?;
    verdict.end()
}

type Writes = WriteBehind<u64, Page>;

async fn open(path: &Path, flush_after: Duration, taken: &Arc<AtomicU64>) -> anyhow::Result<Writes> {
    let (_larder, cache) = home::node::<u64, Page>(u64::from(KEYS) * 2)?;
    let journal = Arc::new(SqliteJournal::open(path).await?);
    let taken = Arc::clone(taken);
    let builder = WriteBehind::builder(&cache, journal).flush_after(flush_after);
    let opened = builder.open(move |batch: Arc<[Change<u64, Page>]>| {
        taken.fetch_add(batch.len() as u64, Ordering::Relaxed);
        async { Ok(()) }
    });
    Ok(opened.await?)
}

fn group_commit(
    runtime: &Runtime,
    directory: &Path,
    rounds: usize,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let never = Duration::from_secs(3_600);
    let writes = runtime.block_on(open(&directory.join("commits"), never, &Arc::default()))?;
    let single = || runtime.block_on(written(&writes, 0));
    let many = || {
        runtime.block_on(async {
            try_join_all((0..IN_FLIGHT).map(|caller| written(&writes, caller))).await
        })
    };
    let mut failed = Vec::new();
    let mut failures = Vec::new();
    let measured = interleave(
        rounds,
        &mut [&mut || elapsed(|| failed.extend(single().err())), &mut || {
            elapsed(|| failures.extend(many().err()))
        }],
    );
    if let Some(error) = failed.into_iter().chain(failures).next() {
        return Err(error);
    }
    // A hundred callers wrote a hundred times as much.
    let gain = measured.ratio(0, 1) * IN_FLIGHT as f64;
    let (alone, shared) =
        (measured.median_ns(0) / WRITES as f64, measured.median_ns(1) / (WRITES * IN_FLIGHT) as f64);
    println!("      a write alone {:.0} µs, of a hundred {:.1} µs", alone / 1e3, shared / 1e3);
    verdict.judge(
        "acknowledged writes a second, 100 in flight / one at a time",
        gain,
        Bound::AtLeast(GAIN_MIN),
    );
    Ok(())
}

async fn written(writes: &Writes, caller: u64) -> anyhow::Result<()> {
    for write in 0..WRITES {
        let key = caller * WRITES + write;
        writes.put(&key, Page::of(key, write)).await?;
    }
    Ok(())
}

async fn spared(directory: &Path, verdict: &mut Verdict) -> anyhow::Result<()> {
    let taken = Arc::default();
    let writes = open(&directory.join("zipf"), Duration::from_secs(1), &taken).await?;
    let keys = zipf(KEYS, EXPONENT, ZIPF_WRITES, SEED)?;
    let writer = &writes;
    let shares = keys.chunks(ZIPF_WRITES / IN_FLIGHT as usize).map(|share| async move {
        for (version, key) in share.iter().enumerate() {
            writer.put(key, Page::of(*key, version as u64)).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(shares).await?;
    let drained = writes.close(Duration::from_secs(60)).await;
    anyhow::ensure!(drained.left == 0, "{} writes are left", drained.left);
    let taken = taken.load(Ordering::Relaxed);
    println!("      seed {SEED:#x}: {ZIPF_WRITES} writes of {KEYS} keys, {taken} reached the source");
    verdict.judge(
        "writes / source writes, Zipf, every default",
        ZIPF_WRITES as f64 / taken as f64,
        Bound::AtLeast(SPARED_MIN),
    );
    Ok(())
}
