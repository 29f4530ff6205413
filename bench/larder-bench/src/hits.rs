//! What does a memory hit through get-or-load cost, beside quick_cache's own get-or-load?
//!
//! Both sides await the same way, for the same keys in the same order. Larder's answer shares its
//! value, so quick_cache holds an `Arc` of the same value.

use std::convert::Infallible;
use std::hash::Hash;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use larder::{Cache, Key, LarderBuilder};
use quick_cache::sync::Cache as Quick;
use rand::seq::IndexedRandom;
use tokio::runtime::{Builder, Handle};
use yardstick::clocks::{elapsed, on_cpu};
use yardstick::page::Page;
use yardstick::rounds::{Rounds, interleave};
use yardstick::verdict::{Bound, Verdict};
use yardstick::{home, keys};

/// Hot keys.
pub(crate) const KEYS: u64 = 1_000;
/// Hits of one side in one round: some milliseconds, so that few rounds are interrupted.
pub(crate) const HITS: usize = 50_000;
pub(crate) const ROUNDS: usize = 201;
/// Larder takes at most this many times as long, with text keys.
const TEXT_RATIO_MAX: f64 = 1.4;
/// Larder takes at most this much longer a hit, with number keys.
const NUMBER_NS_MAX: f64 = 15.0;

/// Measures both kinds of key on one and two threads.
///
/// # Errors
/// A bound was not kept.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _entered = runtime.enter();
    let mut verdict = Verdict::default();
    for threads in [1, 2] {
        let texts = Sides::new(keys::texts(KEYS), home::with_room(2 * KEYS))?.measured(
            runtime.handle(),
            rounds,
            threads,
        );
        told("text keys", threads, &texts);
        let what = format!("text keys, {threads} threads, larder / quick_cache");
        verdict.judge(&what, texts.ratio(0, 1), Bound::AtMost(TEXT_RATIO_MAX));
        let numbers = Sides::new((0..KEYS).collect(), home::with_room(2 * KEYS))?.measured(
            runtime.handle(),
            rounds,
            threads,
        );
        told("number keys", threads, &numbers);
        let what = format!("number keys, {threads} threads, larder − quick_cache, ns a hit");
        let longer = numbers.difference_ns(0, 1) / HITS as f64;
        verdict.judge(&what, longer, Bound::AtMost(NUMBER_NS_MAX));
    }
    verdict.end()
}

fn told(keys: &str, threads: usize, rounds: &Rounds) {
    let [larder, quick] = [0, 1].map(|side| rounds.median_ns(side) / HITS as f64);
    println!("      {keys}, {threads} threads: larder {larder:.1} ns, quick_cache {quick:.1} ns");
}

/// Both caches, warm.
pub(crate) struct Sides<K> {
    larder: Cache<K, Page>,
    quick: Quick<K, Arc<Page>>,
    keys: Vec<K>,
    order: Vec<usize>,
}

impl<K: Key + Hash + Eq + Clone> Sides<K> {
    pub(crate) fn new(keys: Vec<K>, node: LarderBuilder) -> anyhow::Result<Self> {
        let (_, larder) = home::set_up(node)?;
        let indices: Vec<usize> = (0..keys.len()).collect();
        let mut chance = keys::seeded(1);
        let order = (0..HITS).filter_map(|_| indices.choose(&mut chance).copied()).collect();
        let quick = Quick::new(2 * KEYS as usize);
        Ok(Sides { larder, quick, keys, order })
    }

    fn measured(&self, handle: &Handle, rounds: usize, threads: usize) -> Rounds {
        interleave(
            rounds,
            &mut [&mut || on_threads(threads, || handle.block_on(self.larder_hits())), &mut || {
                on_threads(threads, || handle.block_on(self.quick_hits()))
            }],
        )
    }

    pub(crate) async fn larder_hits(&self) {
        for &key in &self.order {
            let load = |_| async { Ok::<_, Infallible>(Page::of(1, 1)) };
            let hit = self.larder.get_or_load(&self.keys[key], load).await;
            black_box(hit.expect("it does not fail").version);
        }
    }

    pub(crate) async fn quick_hits(&self) {
        for &key in &self.order {
            let load = async { Ok::<_, Infallible>(Arc::new(Page::of(1, 1))) };
            let hit = self.quick.get_or_insert_async(&self.keys[key], load).await;
            black_box(hit.expect("it does not fail").version);
        }
    }
}

/// One thread is timed by what it ran. Two are timed by the wall: what they wait for each other
/// must count.
fn on_threads(threads: usize, work: impl Fn() + Sync) -> Duration {
    if threads == 1 {
        return on_cpu(work);
    }
    elapsed(|| {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(&work);
            }
        })
    })
}
