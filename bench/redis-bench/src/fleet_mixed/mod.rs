//! Stale reads and speed under the mixed load over one server: 95 % get-or-load, 5 % update and
//! invalidate, 64 tasks, a loader of a millisecond, memory for a tenth of the keys; in one process
//! and in three.
//!
//! A read is stale in its own process when its version is older than an invalidation that had
//! completed there before the read began. It is stale elsewhere when an invalidation by any process
//! had completed longer than `staleness_max` before. A key is updated by one process alone, which
//! counts its versions; of three, each takes the keys nearest to those of the trace.

mod caches;
mod ledger;
mod node;

use std::path::Path;
use std::time::Duration;

use larder_rig::{RedisServer, Stopwatch};
use yardstick::rounds::interleave;
use yardstick::verdict::{Bound, Verdict};

use crate::process::Process;
use ledger::Counts;
pub(crate) use node::serve;

const KEYS: u32 = 100_000;
const EXPONENT: f64 = 0.99;
const CAPACITY: u64 = 10_000;
/// Of all processes of a fleet together.
const TASKS: usize = 64;
const LOAD_TIME: Duration = Duration::from_millis(1);
const SEED: u64 = 20_261_129;
const FLEETS: [usize; 2] = [1, 3];
pub(crate) const ROUNDS: usize = 20;
/// Of each side, in all rounds together, on each fleet.
pub(crate) const OPERATIONS: usize = 10_000_000;
/// Larder makes at least this share of the operations a second that are made by hand.
const SPEED_MIN: f64 = 0.9;

const LARDER: &str = "larder";
const BY_HAND: &str = "by-hand";

/// What a process of a fleet is told, in each round.
const RUN: &str = "run";
const TELL: &str = "tell";
const JUDGE: &str = "judge";
/// And at the end.
const STATS: &str = "stats";

/// Runs the load on both sides, for each size of a fleet.
///
/// # Errors
/// A bound was not kept, or a process or the server fails.
pub(crate) fn run(rounds: usize, operations: usize) -> anyhow::Result<()> {
    let of_each = operations / rounds / TASKS;
    anyhow::ensure!(of_each > 0, "--operations must give each of {TASKS} tasks one in each round");
    println!("      seed {SEED}, {rounds} rounds, {operations} operations a side");
    let mut verdict = Verdict::default();
    for processes in FLEETS {
        measure(processes, rounds, of_each, &mut verdict)?;
    }
    verdict.end()
}

fn measure(
    processes: usize,
    rounds: usize,
    of_each: usize,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let server = RedisServer::start();
    let place = tempfile::tempdir()?;
    let start = |who| Fleet::start(who, processes, of_each, &server, place.path());
    let (mut larder, mut by_hand) = (start(LARDER)?, start(BY_HAND)?);
    let measured = interleave(rounds, &mut [&mut || larder.round(), &mut || by_hand.round()]);
    let done = (of_each * TASKS) as f64;
    for (side, fleet, name) in [(0, &larder, "larder"), (1, &by_hand, "by hand")] {
        fleet
            .counts
            .print(&format!("{processes} processes, {name}"), done / measured.median_ns(side) * 1e6);
    }
    larder.print_stats()?;
    let Counts { own_stale, too_old, .. } = larder.counts;
    for (what, count) in [("own process", own_stale), ("older than the bound", too_old)] {
        verdict.judge(
            &format!("{processes} processes, stale reads, larder, {what}"),
            count as f64,
            Bound::AtMost(0.0),
        );
    }
    verdict.judge(
        &format!("{processes} processes, operations a second, larder / by hand"),
        measured.ratio(1, 0),
        Bound::AtLeast(SPEED_MIN),
    );
    Ok(())
}

/// The processes of one side.
struct Fleet {
    processes: Vec<Process>,
    counts: Counts,
}

impl Fleet {
    fn start(
        who: &str,
        count: usize,
        of_each: usize,
        server: &RedisServer,
        place: &Path,
    ) -> anyhow::Result<Self> {
        let place = place.join(who);
        ledger::prepare(&place)?;
        let place = place.display().to_string();
        let (port, of_each) = (server.port().to_string(), of_each.to_string());
        let mut processes = Vec::new();
        for index in 0..count {
            let (index, of) = (index.to_string(), count.to_string());
            let words = ["fleet-mixed", "node", who, &port, &index, &of, &of_each, &place];
            processes.push(Process::start(&words)?);
        }
        Ok(Fleet { processes, counts: Counts::default() })
    }

    /// One round, then what came of it, which takes no part in the time.
    fn round(&mut self) -> Duration {
        let running = Stopwatch::started();
        self.ask(RUN).expect("its processes run");
        let took = running.elapsed();
        self.ask(TELL).expect("its processes tell what they changed");
        for judged in self.ask(JUDGE).expect("its processes judge what they read") {
            self.counts.add(&judged.parse().expect("they count"));
        }
        took
    }

    /// Tells all processes at once, and waits for the answer of each.
    fn ask(&mut self, what: &str) -> anyhow::Result<Vec<String>> {
        for process in &mut self.processes {
            process.tell(what)?;
        }
        self.processes.iter_mut().map(Process::answer).collect()
    }

    /// Where the answers came from, so that a slow run can be told from one whose shared tier was of
    /// no use.
    fn print_stats(&mut self) -> anyhow::Result<()> {
        for (stats, number) in self.ask(STATS)?.iter().zip(1..) {
            println!("      process {number}, larder: {stats}");
        }
        Ok(())
    }
}
