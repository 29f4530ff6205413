//! How long after an invalidation returned on one node has another applied it? Beside it, in the
//! same run: how long after a bare PUBLISH returned does a bare subscriber have the message?
//!
//! Both are watched by a task that looks again and again, so that neither waits to be woken twice.

use std::time::Duration;

use anyhow::Context;
use larder::Lookup;
use larder_rig::{RedisServer, Stopwatch};
use yardstick::keys;
use yardstick::page::Page;
use yardstick::verdict::{Bound, Verdict};

use crate::bare::Bare;
use crate::nodes::{Node, runtime};
use crate::spread::Spread;

pub(crate) const ROUNDS: usize = 2_000;
const P99_MS_MAX: f64 = 10.0;
const KEYS: u64 = 100;
const ENTRIES: u64 = 10_000;
/// What takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs every round.
///
/// # Errors
/// The bound was not kept, or the server fails.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let server = RedisServer::start();
    // On a worker, as a program's own tasks are: the thread of `block_on` is woken by another.
    let measuring = runtime.spawn(async move { measured(&server, rounds).await });
    let [applied, received] = runtime.block_on(measuring)??;
    applied.print("invalidation returned → applied elsewhere");
    received.print("PUBLISH returned → received elsewhere");
    let mut verdict = Verdict::default();
    verdict.judge("p99 until applied elsewhere, ms", applied.at_ms(0.99), Bound::AtMost(P99_MS_MAX));
    verdict.end()
}

async fn measured(server: &RedisServer, rounds: usize) -> anyhow::Result<[Spread; 2]> {
    let one = Node::on(server.port(), ENTRIES).await?;
    let other = Node::on(server.port(), ENTRIES).await?;
    let texts = keys::texts(KEYS);
    one.fill(&texts).await?;
    let bare = Bare::on(server).await?;
    println!("      {rounds} rounds");
    let (mut applied, mut received) = (Spread::default(), Spread::default());
    for round in 0..rounds {
        let text = &texts[round % texts.len()];
        applied.add(until_applied(&one, &other, text, round as u64).await?);
        received.add(until_received(&bare, round as u64 + 1).await?);
    }
    Ok([applied, received])
}

async fn until_applied(
    one: &Node,
    other: &Node,
    text: &String,
    round: u64,
) -> anyhow::Result<Duration> {
    let set = one.cache.set(text, Page::of(round, round)).await;
    anyhow::ensure!(set.stored, "{text} was not stored");
    tokio::time::timeout(PATIENCE, kept(other, text, round)).await.context("it is not kept")?;
    let invalidated = one.cache.invalidate(text).await;
    let waiting = Stopwatch::started();
    anyhow::ensure!(invalidated.position().is_some(), "the invalidation is not in the log");
    while other.cache.peek(text).is_some() {
        anyhow::ensure!(waiting.elapsed() < PATIENCE, "it was never applied");
        tokio::task::yield_now().await;
    }
    Ok(waiting.elapsed())
}

async fn until_received(bare: &Bare, number: u64) -> anyhow::Result<Duration> {
    bare.publish(number).await?;
    let waiting = Stopwatch::started();
    while !bare.has(number) {
        anyhow::ensure!(waiting.elapsed() < PATIENCE, "it was never received");
        tokio::task::yield_now().await;
    }
    Ok(waiting.elapsed())
}

/// Completes once this node has this version in its memory.
pub(crate) async fn kept(node: &Node, text: &String, version: u64) {
    let is_current =
        |lookup: Lookup<Page>| lookup.value().is_some_and(|page| page.version == version);
    while !node.cache.peek(text).is_some_and(is_current) {
        if node.cache.get(text).await.is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
