//! 4 processes with 1,000 callers each ask for one cold key at the same time. How many loads does
//! that cost, and how much longer than the load does a caller wait?

use std::sync::Arc;
use std::time::Duration;

use larder_rig::{RedisServer, Stopwatch};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tokio::task::JoinSet;
use yardstick::keys;
use yardstick::page::Page;
use yardstick::verdict::{Bound, Verdict};

use crate::nodes::{Node, runtime};
use crate::process::{self, Process};
use crate::spread::Spread;

const PROCESSES: usize = 4;
const CALLERS: usize = 1_000;
const LOAD_TIME: Duration = Duration::from_millis(100);
pub(crate) const ROUNDS: usize = 20;
/// A caller waits so much longer than the load, in milliseconds.
const BEYOND_MS_MAX: f64 = 15.0;
const ENTRIES: u64 = 10_000;

/// Runs every round, each with another key.
///
/// # Errors
/// A bound was not kept, or a process failed.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let server = RedisServer::start();
    let mut callers = Vec::new();
    for _ in 0..PROCESSES {
        callers.push(Process::start(&["cold-key", "caller", &server.port().to_string()])?);
    }
    println!("      {rounds} rounds of {PROCESSES} × {CALLERS} callers, loader {LOAD_TIME:?}");
    let (mut waits, mut loads_most, mut loads_least) = (Spread::default(), 0, u64::MAX);
    let mut worst_p99 = 0.0_f64;
    // The first round is not kept: there, processes do everything for the first time.
    for round in 0..=rounds as u64 {
        let took = asked(&mut callers, round)?;
        if round > 0 {
            let loads: u64 = server.ask(redis::cmd("GET").arg(counter(round)));
            (loads_most, loads_least) = (loads_most.max(loads), loads_least.min(loads));
            let mut spread = Spread::default();
            spread.extend(took.iter().copied());
            worst_p99 = worst_p99.max(spread.at_ms(0.99));
            waits.extend(took);
        }
    }
    waits.print("waits");
    println!("      worst round: p99 {worst_p99:.3} ms");
    let mut verdict = Verdict::default();
    verdict.judge("loads of a round, most", loads_most as f64, Bound::AtMost(1.0));
    verdict.judge("loads of a round, least", loads_least as f64, Bound::AtLeast(1.0));
    let beyond = waits.at_ms(0.99) - LOAD_TIME.as_secs_f64() * 1e3;
    verdict.judge("p99 of waits beyond the load, ms", beyond, Bound::AtMost(BEYOND_MS_MAX));
    verdict.end()
}

/// All processes ask for the key of this round; how long each caller waited.
fn asked(callers: &mut [Process], round: u64) -> anyhow::Result<Vec<Duration>> {
    for process in &mut *callers {
        process.tell(&round.to_string())?;
    }
    let mut waits = Vec::with_capacity(PROCESSES * CALLERS);
    for process in callers {
        for word in process.answer()?.split_whitespace() {
            waits.push(Duration::from_micros(word.parse()?));
        }
    }
    Ok(waits)
}

/// Where the loads of a round are counted: outside of Larder's namespace.
fn counter(round: u64) -> String {
    format!("loads of round {round}")
}

/// What a process of callers does: asks for the key of each line, and answers with every wait in
/// microseconds.
///
/// # Errors
/// The server is not there.
pub(crate) fn call(port: u16) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let node = Arc::new(runtime.block_on(Node::on(port, ENTRIES))?);
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
    let count = runtime.block_on(client.get_multiplexed_async_connection())?;
    process::serve(|round| {
        let waits = runtime.block_on(waits(&node, &count, round.parse()?));
        let waits: Vec<String> = waits.iter().map(|wait| wait.as_micros().to_string()).collect();
        Ok(waits.join(" "))
    })
}

async fn waits(node: &Arc<Node>, count: &MultiplexedConnection, round: u64) -> Vec<Duration> {
    let mut calling = JoinSet::new();
    for _ in 0..CALLERS {
        let (node, count) = (Arc::clone(node), count.clone());
        calling.spawn(async move {
            let waiting = Stopwatch::started();
            let load = move |_| load(count, round);
            let page = node.cache.get_or_load(&keys::text(round), load).await;
            assert_eq!(page.expect("the source answers").version, 1);
            waiting.elapsed()
        });
    }
    calling.join_all().await
}

async fn load(mut count: MultiplexedConnection, round: u64) -> Result<Page, redis::RedisError> {
    count.incr::<_, _, ()>(counter(round), 1).await?;
    tokio::time::sleep(LOAD_TIME).await;
    Ok(Page::of(round, 1))
}
