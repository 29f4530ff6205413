//! What does a memory hit through typed get-or-load cost, beside Larder's? The same text keys in
//! the same order, the same value, one thread, timed by what it ran.

use std::convert::Infallible;
use std::hint::black_box;

use multi_tier_cache::CacheStrategy;
use oxcache::Cache as Ox;
use tokio::runtime::Builder;
use yardstick::clocks::on_cpu;
use yardstick::page::Page;
use yardstick::rounds::interleave;
use yardstick::verdict::{Bound, Verdict};
use yardstick::{home, keys};

use crate::multi_tier;

/// Hot keys.
const KEYS: u64 = 1_000;
/// Each key is hit this often in one round.
const PASSES: usize = 5;
/// A peer takes at least this many times as long as Larder.
const RATIO_MIN: f64 = 20.0;

/// Measures all three.
///
/// # Errors
/// A bound was not kept.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _entered = runtime.enter();
    let texts = keys::texts(KEYS);
    let (_node, larder) = home::node::<String, Page>(2 * KEYS)?;
    let multi_tier = runtime.block_on(multi_tier::manager())?;
    let ox: Ox<String, Page> = runtime.block_on(Ox::builder().capacity(2 * KEYS).build())?;
    let larder_hits = async || {
        for key in (0..PASSES).flat_map(|_| &texts) {
            let load = |_| async { Ok::<_, Infallible>(Page::of(1, 1)) };
            black_box(larder.get_or_load(key, load).await.expect("it does not fail").version);
        }
    };
    let multi_tier_hits = async || {
        for key in (0..PASSES).flat_map(|_| &texts) {
            let load = || async { Ok(Page::of(1, 1)) };
            let hit = multi_tier.get_or_compute_typed(key, CacheStrategy::MediumTerm, load).await;
            black_box(hit.expect("it does not fail").version);
        }
    };
    let ox_hits = async || {
        for key in (0..PASSES).flat_map(|_| &texts) {
            let load = || async { Ok(Page::of(1, 1)) };
            black_box(ox.get_or(key, load).await.expect("it does not fail").version);
        }
    };
    let measured = interleave(
        rounds,
        &mut [
            &mut || on_cpu(|| runtime.block_on(larder_hits())),
            &mut || on_cpu(|| runtime.block_on(multi_tier_hits())),
            &mut || on_cpu(|| runtime.block_on(ox_hits())),
        ],
    );
    let mut verdict = Verdict::default();
    for (side, name) in ["larder", "multi-tier-cache, typed", "oxcache"].iter().enumerate() {
        let hits = (PASSES * texts.len()) as f64;
        println!("      {name}: {:.0} ns a hit", measured.median_ns(side) / hits);
        if side > 0 {
            let what = format!("{name} / larder");
            verdict.judge(&what, measured.ratio(side, 0), Bound::AtLeast(RATIO_MIN));
        }
    }
    verdict.end()
}
