//! How long after a commit has every other node applied what its row of the outbox names? Beside it, in
//! the same run: how long does a bare PUBLISH take until as many subscribers have it?
//!
//! Both begin before anything is sent to Redis, and are watched by a task that looks again and again.

use std::time::Duration;

use anyhow::Context;
use larder::Invalidation;
use larder_rig::{RedisServer, Stopwatch};
use larder_sql::outbox::{self, Outbox};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use tempfile::TempDir;
use yardstick::keys;
use yardstick::page::Page;
use yardstick::verdict::{Bound, Verdict};

use crate::bare::Bare;
use crate::invalidation::kept;
use crate::nodes::{Node, runtime};
use crate::spread::Spread;

pub(crate) const ROUNDS: usize = 2_000;
/// p99 beside that of a bare PUBLISH.
const RATIO_MAX: f64 = 5.0;
const KEYS: u64 = 100;
const ENTRIES: u64 = 10_000;
/// What takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs every round.
///
/// # Errors
/// The bound was not kept, or a server fails.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let server = RedisServer::start();
    // On a worker, as a program's own tasks are: the thread of `block_on` is woken by another.
    let measuring = runtime.spawn(async move { measured(&server, rounds).await });
    let [applied, received] = runtime.block_on(measuring)??;
    applied.print("committed → applied on both other nodes");
    received.print("PUBLISH → received by two others");
    let mut verdict = Verdict::default();
    let ratio = applied.at_ms(0.99) / received.at_ms(0.99);
    verdict.judge("p99 until applied / until received", ratio, Bound::AtMost(RATIO_MAX));
    verdict.end()
}

async fn measured(server: &RedisServer, rounds: usize) -> anyhow::Result<[Spread; 2]> {
    let writer = Writer::on(server).await?;
    let others = [Node::on(server.port(), ENTRIES).await?, Node::on(server.port(), ENTRIES).await?];
    let texts = keys::texts(KEYS);
    writer.node.fill(&texts).await?;
    let bare = [Bare::on(server).await?, Bare::on(server).await?];
    println!("      {rounds} rounds");
    let (mut applied, mut received) = (Spread::default(), Spread::default());
    let mut relay = writer.outbox.relay(writer.pool.clone());
    let measuring = async {
        for round in 0..rounds as u64 {
            let text = &texts[round as usize % texts.len()];
            applied.add(writer.until_applied(&others, text, round).await?);
            received.add(until_received(&bare, round + 1).await?);
        }
        anyhow::Ok(())
    };
    // As in a server: it removes the rows meanwhile.
    tokio::select! {
        () = relay.run() => anyhow::bail!("a relay does not end"),
        measured = measuring => measured?,
    }
    Ok([applied, received])
}

/// A node with a database of its own.
struct Writer {
    node: Node,
    pool: SqlitePool,
    outbox: Outbox,
    _directory: TempDir,
}

impl Writer {
    async fn on(server: &RedisServer) -> anyhow::Result<Self> {
        let node = Node::on(server.port(), ENTRIES).await?;
        let directory = tempfile::tempdir()?;
        let file = SqliteConnectOptions::new().filename(directory.path().join("bench.db"));
        let file = file.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        let pool = SqlitePool::connect_with(file).await?;
        outbox::migrate(&mut *pool.acquire().await?).await?;
        let outbox = Outbox::new(node.larder.clone());
        Ok(Writer { node, pool, outbox, _directory: directory })
    }

    async fn until_applied(
        &self,
        others: &[Node; 2],
        text: &String,
        version: u64,
    ) -> anyhow::Result<Duration> {
        let set = self.node.cache.set(text, Page::of(version, version)).await;
        anyhow::ensure!(set.stored, "{text} was not stored");
        for other in others {
            let kept = tokio::time::timeout(PATIENCE, kept(other, text, version));
            kept.await.context("it is not kept")?;
        }
        let mut transaction = self.pool.begin().await?;
        let wrong = Invalidation::new().key(&self.node.cache, text);
        let noted = self.outbox.invalidate(&mut *transaction, wrong).await?;
        transaction.commit().await?;
        let waiting = Stopwatch::started();
        let invalidated = noted.committed().await;
        anyhow::ensure!(invalidated.position().is_some(), "the invalidation is not in the log");
        while others.iter().any(|other| other.cache.peek(text).is_some()) {
            anyhow::ensure!(waiting.elapsed() < PATIENCE, "it was never applied");
            tokio::task::yield_now().await;
        }
        Ok(waiting.elapsed())
    }
}

async fn until_received(bare: &[Bare; 2], number: u64) -> anyhow::Result<Duration> {
    let waiting = Stopwatch::started();
    bare[0].publish(number).await?;
    while bare.iter().any(|other| !other.has(number)) {
        anyhow::ensure!(waiting.elapsed() < PATIENCE, "it was never received");
        tokio::task::yield_now().await;
    }
    Ok(waiting.elapsed())
}
