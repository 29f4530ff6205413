//! The hits benchmark in instructions: what noise cannot change. Runs this program under callgrind
//! with two numbers of passes, so that the difference holds nothing but hits. One thing is not in
//! it: the reading of the clock, because callgrind cannot follow it into the kernel's page.

use std::process::Command;
use std::sync::Arc;

use anyhow::Context;
use larder::clock::{BoxFuture, Clock, Moment};
use tokio::runtime::Builder;
use yardstick::verdict::{Bound, Verdict};
use yardstick::{home, keys};

use crate::hits::{HITS, KEYS, Sides};

/// The sides, as the counted runs are called.
const SIDES: [&str; 4] = ["larder-text", "quick-text", "larder-number", "quick-number"];
const PASSES: [usize; 2] = [2, 4];
/// The bound of the time, taken for instructions.
const TEXT_RATIO_MAX: f64 = 1.4;
/// 15 ns at three instructions a nanosecond, which is what such code reaches.
const NUMBER_INSTRUCTIONS_MAX: f64 = 45.0;

/// Counts and compares.
///
/// # Errors
/// A bound was not kept, or callgrind is missing.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut counts = Vec::new();
    for side in SIDES {
        let [few, many] = PASSES.map(|passes| counted(side, passes));
        let a_hit = (many? - few?) / ((PASSES[1] - PASSES[0]) * HITS) as f64;
        println!("      {side}: {a_hit:.1} instructions a hit");
        counts.push(a_hit);
    }
    let mut verdict = Verdict::default();
    let what = "text keys, larder / quick_cache, instructions";
    verdict.judge(what, counts[0] / counts[1], Bound::AtMost(TEXT_RATIO_MAX));
    let what = "number keys, larder − quick_cache, instructions a hit";
    verdict.judge(what, counts[2] - counts[3], Bound::AtMost(NUMBER_INSTRUCTIONS_MAX));
    verdict.end()
}

fn counted(side: &str, passes: usize) -> anyhow::Result<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["instructions", side, &passes.to_string()])
        .output()
        .context("cannot run valgrind; it is a package of that name")?;
    let told = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "callgrind of {side} failed: {told}");
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.with_context(|| format!("no count in {told}"))?;
    Ok(count.trim().parse()?)
}

/// What runs under callgrind: `passes` times all hits of one side.
///
/// # Errors
/// There is no such side.
pub(crate) fn count(side: &str, passes: usize) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let node = home::with_room(2 * KEYS).clock(Arc::new(Standing));
    match side {
        "larder-text" | "quick-text" => {
            let sides = Sides::new(keys::texts(KEYS), node)?;
            runtime.block_on(passed(&sides, side, passes));
        }
        "larder-number" | "quick-number" => {
            let sides = Sides::new((0..KEYS).collect::<Vec<u64>>(), node)?;
            runtime.block_on(passed(&sides, side, passes));
        }
        _ => anyhow::bail!("no side is called {side:?}; there are {}", SIDES.join(", ")),
    }
    Ok(())
}

async fn passed<K>(sides: &Sides<K>, side: &str, passes: usize)
where
    K: larder::Key + std::hash::Hash + Eq + Clone,
{
    for _ in 0..passes {
        if side.starts_with("larder") {
            sides.larder_hits().await;
        } else {
            sides.quick_hits().await;
        }
    }
}

/// A clock that stands still.
struct Standing;

impl Clock for Standing {
    fn coarse(&self) -> Moment {
        Moment::from_nanos(1)
    }

    fn precise(&self) -> Moment {
        Moment::from_nanos(1)
    }

    fn with_suspend(&self) -> Moment {
        Moment::from_nanos(1)
    }

    fn sleep_until(&self, _: Moment) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}
