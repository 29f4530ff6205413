//! What do other commands notice while a pattern is invalidated among a million values, and while those are
//! counted? A bare client asks for one key after the other, alone, and beside each.

use std::time::Duration;

use larder::key::EncodedKey;
use larder::{Invalidation, Outcome, Pattern};
use larder_rig::{RedisServer, Stopwatch};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use yardstick::rounds::median;
use yardstick::verdict::{Bound, Verdict};

use crate::nodes::{Node, runtime};
use crate::sides::connection;
use crate::spread::Spread;

const VALUES: u32 = 1_000_000;
/// Of one value, as many as an entry of a few numbers has.
const VALUE_BYTES: usize = 150;
const WRITTEN_AT_ONCE: usize = 1_000;
pub(crate) const ROUNDS: usize = 7;
/// How long is measured without a scan.
const ALONE: Duration = Duration::from_secs(2);
/// Between two of the commands that are measured.
const REST: Duration = Duration::from_micros(200);
/// The p99 of other commands beside the scan is at most this many times theirs without.
const TIMES_MAX: f64 = 1.5;

/// Runs every round.
///
/// # Errors
/// The bound was not kept, or the server fails.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let server = RedisServer::start();
    // On a worker, as a program's own tasks are: the thread of `block_on` is woken by another.
    let measuring = runtime.spawn(async move { measured(&server, rounds).await });
    let times = runtime.block_on(measuring)??;
    let mut verdict = Verdict::default();
    for (what, times) in [
        ("p99 of other commands, beside a scan / alone", times.scan),
        ("p99 of other commands, beside a count / alone", times.count),
    ] {
        verdict.judge(what, median(times.into_iter()), Bound::AtMost(TIMES_MAX));
    }
    verdict.end()
}

/// How many times as long the p99 was, in each round.
#[derive(Default)]
struct Times {
    scan: Vec<f64>,
    count: Vec<f64>,
}

async fn measured(server: &RedisServer, rounds: usize) -> anyhow::Result<Times> {
    let node = Node::on(server.port(), 1_000).await?;
    let mut others = connection(server.port()).await?;
    fill(&mut others).await?;
    let mut times = Times::default();
    for round in 0..rounds {
        let until = tokio::time::sleep(ALONE);
        let alone = asked(others.clone(), until).await?;
        let began = Stopwatch::started();
        let beside = asked(others.clone(), scanned(&node, few(round)?)).await?;
        println!("      round {}: the scan took {:.2?}", round + 1, began.elapsed());
        alone.print("alone");
        beside.print("beside the scan");
        times.scan.push(beside.at_ms(0.99) / alone.at_ms(0.99));
        let beside = asked(others.clone(), counted(&node)).await?;
        beside.print("beside the count");
        times.count.push(beside.at_ms(0.99) / alone.at_ms(0.99));
    }
    Ok(times)
}

/// Completes when the pattern is in the log.
async fn scanned(node: &Node, pattern: Pattern) {
    let invalidated = node.larder.invalidate(Invalidation::new().pattern(pattern)).await;
    if let Outcome::Local(ticket) = invalidated.outcome() {
        ticket.shared().await;
    }
}

/// Counts for as long as is measured alone.
async fn counted(node: &Node) {
    let counted = node.redis.count_keys(ALONE).await.expect("the server answers");
    println!("      {} values were counted", counted.values);
}

/// A pattern that a thousandth of the values match, others in each round.
fn few(round: usize) -> anyhow::Result<Pattern> {
    Ok(Pattern::glob(&format!("pages:*{:03}", round % 1_000))?)
}

async fn fill(server: &mut MultiplexedConnection) -> anyhow::Result<()> {
    let value = [7_u8; VALUE_BYTES];
    let numbers: Vec<u32> = (0..VALUES).collect();
    for some in numbers.chunks(WRITTEN_AT_ONCE) {
        let mut pipeline = redis::pipe();
        for number in some {
            let key = EncodedKey::new("pages", &number.to_string());
            let name = [b"{bench.1.0}:v:", key.as_bytes()].concat();
            pipeline.cmd("SET").arg(name).arg(&value[..]).ignore();
        }
        pipeline.query_async::<()>(server).await?;
    }
    Ok(())
}

/// How long commands take, one after the other, until `end` has completed.
async fn asked(
    mut server: MultiplexedConnection,
    end: impl Future<Output = ()>,
) -> anyhow::Result<Spread> {
    let mut spread = Spread::default();
    let asking = async {
        loop {
            let began = Stopwatch::started();
            let answer: redis::RedisResult<Option<Vec<u8>>> = server.get("other").await;
            let took = began.elapsed();
            if let Err(error) = answer {
                return error;
            }
            spread.add(took);
            tokio::time::sleep(REST).await;
        }
    };
    tokio::select! {
        error = asking => Err(error.into()),
        () = end => Ok(spread),
    }
}
