//! Does memory keep the right entries? The share of hits on the same traces, beside quick_cache of
//! the same capacity. All entries weigh the same.

use std::convert::Infallible;

use larder::Origin;
use quick_cache::sync::Cache as Quick;
use rand::Rng;
use tokio::runtime::Builder;
use yardstick::verdict::{Bound, Verdict};
use yardstick::{home, keys};

const KEYS: u32 = 100_000;
const READS: usize = 1_000_000;
/// Scans read this many keys in a row that nobody reads again.
const SCAN: usize = 1_000;
/// Larder may lose this much against quick_cache, in points of a hundred.
const POINTS_MAX: f64 = 0.5;
const SEED: u64 = 20_261_121;

/// Measures every row of the table.
///
/// # Errors
/// A bound was not kept.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("      seed {SEED}, {KEYS} keys, {READS} reads");
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut verdict = Verdict::default();
    for exponent in [0.8, 0.99] {
        let plain = keys::zipf(KEYS, exponent, READS, SEED)?;
        let scanned = with_scans(&plain);
        for (name, trace) in [("no scans", &plain), ("a fifth scans", &scanned)] {
            for share in [100, 10] {
                let capacity = u64::from(KEYS) / share;
                let larder = runtime.block_on(larder_ratio(trace, capacity))?;
                let quick = quick_ratio(trace, capacity);
                let what = format!(
                    "Zipf {exponent}, {name}, capacity {capacity}: larder {larder:.2} %, quick_cache {quick:.2} %, points"
                );
                verdict.judge(&what, larder - quick, Bound::AtLeast(-POINTS_MAX));
            }
        }
    }
    verdict.end()
}

/// The same length, a fifth of it scans of keys that occur once.
fn with_scans(trace: &[u64]) -> Vec<u64> {
    let mut chance = keys::seeded(SEED);
    let mut once = u64::from(KEYS)..;
    let mut plain = trace.iter().copied();
    let mut mixed = Vec::with_capacity(READS);
    while mixed.len() < READS {
        if chance.random_ratio(1, 5) {
            mixed.extend(once.by_ref().take(SCAN));
        } else {
            mixed.extend(plain.by_ref().take(SCAN));
        }
    }
    mixed.truncate(READS);
    mixed
}

async fn larder_ratio(trace: &[u64], capacity: u64) -> anyhow::Result<f64> {
    let (_larder, cache) = home::node::<u64, u64>(capacity)?;
    let mut hits = 0;
    for &key in trace {
        let hit = cache.get_or_load(&key, move |_| async move { Ok::<_, Infallible>(key) }).await?;
        hits += usize::from(hit.origin() == Origin::Memory);
    }
    Ok(percent(hits, trace.len()))
}

fn quick_ratio(trace: &[u64], capacity: u64) -> f64 {
    let cache = Quick::new(capacity as usize);
    let mut hits = 0;
    for &key in trace {
        if cache.get(&key).is_some() {
            hits += 1;
        } else {
            cache.insert(key, key);
        }
    }
    percent(hits, trace.len())
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}
