//! What do readers notice while the server is away? First with nodes that serve what they have,
//! then with nodes that keep the bound.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use larder::Origin;
use larder_rig::{RedisServer, Stopwatch};
use yardstick::page::Page;
use yardstick::verdict::{Bound, Verdict};
use yardstick::{keys, rounds};

use crate::history::STALENESS_MAX;
use crate::nodes::{Node, runtime};
use crate::outage_bounded;
use crate::spread::Spread;

pub(crate) const ROUNDS: usize = 5;
/// Hot keys.
const KEYS: u64 = 1_000;
const ENTRIES: u64 = 10_000;
/// Of each round, healthy and away.
const HITS: usize = 1_000_000;
/// Timed at a time: where the clock steps by 100 ns, it cannot tell one hit from another.
const HITS_TIMED: usize = 10;
const LOAD_TIME: Duration = Duration::from_millis(20);
/// Hits while the server is away take at most so many times as long.
const HIT_RATIO_MAX: f64 = 1.2;
const MISS_BEYOND_MS_MAX: f64 = 50.0;
const RECOVERED_S_MAX: f64 = 2.0;
/// What takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs both parts.
///
/// # Errors
/// A bound was not kept, or the server does not start.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let mut verdict = Verdict::default();
    println!("      {rounds} outages, {HITS} hits each time, timed by {HITS_TIMED}");
    let serving = runtime.spawn(async move { serving(rounds).await });
    runtime.block_on(serving)??.judge(&mut verdict);
    runtime.block_on(outage_bounded::run(&mut verdict))?;
    verdict.end()
}

/// What was measured in each round.
#[derive(Default)]
struct Serving {
    healthy_p99_ms: Vec<f64>,
    away_p99_ms: Vec<f64>,
    miss_ms: Vec<f64>,
    recovered_s: Vec<f64>,
}

impl Serving {
    fn judge(&self, verdict: &mut Verdict) {
        let median = |values: &[f64]| rounds::median(values.iter().copied());
        let most = |values: &[f64]| values.iter().copied().fold(f64::NAN, f64::max);
        println!(
            "      hits, p99: {:.6} ms healthy, {:.6} ms away",
            median(&self.healthy_p99_ms),
            median(&self.away_p99_ms)
        );
        let pairs = self.away_p99_ms.iter().zip(&self.healthy_p99_ms);
        let ratio = rounds::median(pairs.map(|(away, healthy)| away / healthy));
        verdict.judge("p99 of memory hits, away / healthy", ratio, Bound::AtMost(HIT_RATIO_MAX));
        let beyond = most(&self.miss_ms) - LOAD_TIME.as_secs_f64() * 1e3;
        verdict.judge(
            "first miss beyond its load, worst, ms",
            beyond,
            Bound::AtMost(MISS_BEYOND_MS_MAX),
        );
        verdict.judge(
            "server back → shared again, worst, s",
            most(&self.recovered_s),
            Bound::AtMost(RECOVERED_S_MAX),
        );
    }
}

async fn serving(rounds: usize) -> anyhow::Result<Serving> {
    let mut server = RedisServer::start();
    let builder = || Node::builder().entries_max(ENTRIES).serve_stale_when_partitioned(true);
    let node = Node::set_up(server.port(), builder()).await?;
    let witness = Node::set_up(server.port(), builder()).await?;
    let texts = keys::texts(KEYS);
    let mut measured = Serving::default();
    for round in 0..rounds as u64 {
        for text in &texts {
            load(&node, text, Duration::ZERO).await;
        }
        measured.healthy_p99_ms.push(hits(&node, &texts).await?.at_ms(0.99));
        server.kill();
        // The first miss comes before the node has noticed anything.
        let missing = Stopwatch::started();
        load(&node, &keys::text(KEYS + 2 * round), LOAD_TIME).await;
        measured.miss_ms.push(missing.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(STALENESS_MAX * 2).await;
        let away = hits(&node, &texts).await?;
        away.print("hits while away");
        measured.away_p99_ms.push(away.at_ms(0.99));
        server.run();
        let back = Stopwatch::started();
        let cold = keys::text(KEYS + 2 * round + 1);
        shared_again(&node, &witness, &cold).await?;
        measured.recovered_s.push(back.elapsed().as_secs_f64());
    }
    Ok(measured)
}

/// Reads each key by turns; none may be loaded.
async fn hits(node: &Node, texts: &[String]) -> anyhow::Result<Spread> {
    let mut spread = Spread::default();
    let mut texts = texts.iter().cycle();
    for _ in 0..HITS / HITS_TIMED {
        let asking = Stopwatch::started();
        for text in texts.by_ref().take(HITS_TIMED) {
            let load = |_| async { Ok::<_, Infallible>(Page::of(0, 0)) };
            let hit = node.cache.get_or_load(text, load).await?;
            anyhow::ensure!(hit.origin() == Origin::Memory, "{text} came from {:?}", hit.origin());
        }
        spread.add(asking.elapsed() / HITS_TIMED as u32);
    }
    Ok(spread)
}

async fn load(node: &Node, text: &String, takes: Duration) {
    let load = move |_| async move {
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        Ok::<_, Infallible>(Page::of(1, 1))
    };
    node.cache.get_or_load(text, load).await.expect("the source is healthy");
}

/// Completes once what one node loads is read by another from the server.
async fn shared_again(node: &Node, witness: &Node, text: &String) -> anyhow::Result<()> {
    let sharing = async {
        loop {
            let load = |_| async { Ok::<_, Infallible>(Page::of(1, 1)) };
            let filled = node.cache.read(text).skip_memory().await_fill().get_or_load(load).await;
            let read = witness.cache.read(text).skip_memory().get().await;
            if filled.is_ok() && read.is_some_and(|lookup| !lookup.is_stale()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, sharing).await.context("nothing was shared again")
}
