//! What the cache saves: the same Zipf load over every read route on two servers, one with the
//! cache on and one with it off, taking turns; then over the list routes, where the processor time
//! of the servers counts.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use yardstick::rounds::median;
use yardstick::verdict::{Bound, Verdict};

use crate::load::{Read, Routes, reads};
use crate::side::Side;

pub(crate) const ROUNDS: usize = 8;
/// Of each side, in each round.
pub(crate) const REQUESTS: usize = 10_000;
/// So much of the rounds comes before the count: an empty cache saves nothing at first.
const WARM_UP_SHARE: usize = 5;
const CONNECTIONS: usize = 16;
const SEED: u64 = 20_261_129;
/// Source reads that the cache saves, in percent.
const SAVED_MIN: f64 = 95.0;
/// How many times as much processor time a list costs without the cache.
const CHEAPER_MIN: f64 = 5.0;

/// Runs both loads.
///
/// # Errors
/// A request failed, or a bound was not kept.
pub(crate) async fn run(rounds: usize, requests: usize) -> anyhow::Result<()> {
    println!("      seed {SEED}, {rounds} rounds of {requests} requests a side");
    let sides = [Side::start("on").await?, Side::start("off").await?];
    let mut verdict = Verdict::default();
    let warm_up = rounds.div_ceil(WARM_UP_SHARE);
    rounds_of(&sides, Routes::Every, 0..warm_up, requests).await?;
    let before = [source_reads(&sides[0]).await?, source_reads(&sides[1]).await?];
    println!(
        "      source reads of {warm_up} rounds on an empty cache: {} and {}",
        before[0], before[1]
    );
    rounds_of(&sides, Routes::Every, warm_up..warm_up + rounds, requests).await?;
    let made =
        [source_reads(&sides[0]).await? - before[0], source_reads(&sides[1]).await? - before[1]];
    println!("      source reads then: {} with the cache, {} without", made[0], made[1]);
    let saved = 100.0 - made[0] as f64 * 100.0 / made[1] as f64;
    verdict.judge("source reads saved, percent", saved, Bound::AtLeast(SAVED_MIN));
    let costs = rounds_of(&sides, Routes::Lists, 0..rounds, requests).await?;
    let [on, off] = [0, 1].map(|side| median(costs.iter().map(|cost| cost[side])));
    println!("      server CPU ms per 1,000 list requests: {on:.1} with the cache, {off:.1} without");
    let ratio = median(costs.iter().map(|[on, off]| off / on));
    verdict.judge("CPU of list routes, off / on", ratio, Bound::AtLeast(CHEAPER_MIN));
    for side in sides {
        side.stop().await?;
    }
    verdict.end()
}

/// Lets the sides take turns; gives the milliseconds of processor time that 1,000 requests of each
/// took in each round.
async fn rounds_of(
    sides: &[Side; 2],
    routes: Routes,
    rounds: Range<usize>,
    requests: usize,
) -> anyhow::Result<Vec<[f64; 2]>> {
    let mut costs = Vec::new();
    for round in rounds {
        let load = Arc::new(reads(routes, requests, SEED + round as u64)?);
        let mut cost = [0.0; 2];
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for side in order {
            let took = driven(&sides[side], &load).await?;
            cost[side] = took.as_secs_f64() * 1e6 / requests as f64;
        }
        costs.push(cost);
    }
    Ok(costs)
}

/// Makes every read of `load` and gives the processor time that the server used for it.
async fn driven(side: &Side, load: &Arc<Vec<Read>>) -> anyhow::Result<Duration> {
    let before = side.processor_time()?;
    let mut driving = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let (client, load) = (side.client.clone(), Arc::clone(load));
        let mut tokens = std::collections::HashMap::new();
        for read in load.iter().skip(connection).step_by(CONNECTIONS) {
            if let Some(user) = read.user {
                tokens.entry(user).or_insert(side.player(user)?);
            }
        }
        driving.spawn(async move {
            for read in load.iter().skip(connection).step_by(CONNECTIONS) {
                let token = read.user.and_then(|user| tokens.get(&user)).map(String::as_str);
                let answer = client.get(&read.path, token).await?;
                anyhow::ensure!(answer.status == 200, "{} of {}", answer.status, read.path);
            }
            Ok(())
        });
    }
    for driven in driving.join_all().await {
        driven?;
    }
    Ok(side.processor_time()?.saturating_sub(before))
}

/// How often the server has asked its database for something to be read.
async fn source_reads(side: &Side) -> anyhow::Result<u64> {
    let metrics = side.client.get("/metrics", None).await?;
    let text = String::from_utf8_lossy(&metrics.body).into_owned();
    let reads = text.lines().filter(|line| line.starts_with("source_reads_total"));
    let counts =
        reads.map(|line| line.rsplit(' ').next().and_then(|count| count.parse::<f64>().ok()));
    let sum: Option<f64> = counts.sum();
    Ok(sum.context("no count of source reads")? as u64)
}
