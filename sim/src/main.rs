//! Runs several nodes of larder in one thread, by a seed, with faults, and checks what their callers
//! were answered.

mod campaign;
mod check;
mod clock;
mod course;
mod dice;
mod exec;
mod fault;
mod faults;
mod mutants;
mod network;
mod nodes;
mod rest;
mod simulation;
mod trace;
mod weather;
mod workload;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};

use campaign::{Outcome, Run, Seeds, Until, campaign};
use course::run;
use mutants::{FOUND, hunt};
use nodes::cache_aside::CacheAside;
use nodes::fills_only::FillsOnly;
use nodes::real::RealNode;
use simulation::Length;

/// Violations that are printed in full.
const SHOWN_MAX: usize = 3;
/// Events of a key's history that are printed with a violation.
const HISTORY_MAX: usize = 60;

/// Simulates several nodes of larder with faults, and checks every answer.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs seeds, and fails on a violation or if something was never reached.
    Run {
        /// How many seeds.
        #[arg(long, default_value_t = 10_000)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        first: u64,
        /// End at the first violation.
        #[arg(long)]
        until_violation: bool,
        /// How many threads run seeds. With one, the first violation is always that of the same seed.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
        threads: u16,
        #[command(flatten)]
        conditions: Conditions,
    },
    /// Runs one seed again and prints its violation with the history of the key.
    Replay {
        /// The seed.
        seed: u64,
        /// Print every event.
        #[arg(long)]
        trace: bool,
        #[command(flatten)]
        conditions: Conditions,
    },
    /// Switches off one step of the protocol after the other and fails if nothing notices.
    Mutants {
        /// Only mutants whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
        /// A list or a folder of lists, instead of all of the project's own. May be repeated.
        #[arg(long)]
        list: Vec<PathBuf>,
    },
    /// Runs each seed twice and fails if the two differ in any event.
    Determinism {
        /// How many seeds.
        #[arg(long, default_value_t = 100)]
        seeds: u64,
        #[command(flatten)]
        conditions: Conditions,
    },
}

#[derive(Debug, Clone, Copy, Args)]
struct Conditions {
    /// Ticks of 12.5 virtual milliseconds with callers and faults.
    #[arg(long, default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    steps: u64,
    /// Faults of a thousand ticks; drawn by each seed if left out.
    #[arg(long, value_parser = clap::value_parser!(u64).range(0..=1_000))]
    faults: Option<u64>,
    /// What runs as a node.
    #[arg(long, value_enum, default_value_t = Kind::Larder)]
    node: Kind,
}

impl Conditions {
    fn length(self) -> Length {
        Length { steps: self.steps, faults: self.faults }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// The real node.
    Larder,
    /// The pattern that larder replaces. It fails, which shows that the checks can.
    CacheAside,
    /// Fills by the book and answers from nothing. It passes, which shows that faults alone do not
    /// make the checks fail.
    FillsOnly,
}

impl Kind {
    fn run(self) -> Run {
        match self {
            Kind::Larder => run::<RealNode>,
            Kind::CacheAside => run::<CacheAside>,
            Kind::FillsOnly => run::<FillsOnly>,
        }
    }

    /// What such a node never does.
    fn unable(self) -> &'static [&'static str] {
        match self {
            Kind::Larder => &[],
            Kind::CacheAside | Kind::FillsOnly => &UNABLE,
        }
    }
}

/// What the two control nodes leave out.
const UNABLE: [&str; 14] = [
    "answers marked stale",
    "fail-safe answers",
    "loads not modified",
    "memory hits",
    "pushes lost",
    "pushes sent",
    "reads past a suspect shard",
    "resyncs",
    "rows created through",
    "rows written through",
    "shared hits",
    "suspends noticed",
    "tag tables sent",
    "write-throughs stored",
];

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run { seeds, first, until_violation, threads, conditions } => {
            let until = if until_violation { Until::FirstViolation } else { Until::AllRan };
            run_seeds(Seeds { first, count: seeds, threads }, until, conditions)
        }
        Command::Replay { seed, trace, conditions } => {
            replay(seed, trace.then_some(usize::MAX), conditions)
        }
        Command::Mutants { only, list } => hunt_mutants(&only, &list),
        Command::Determinism { seeds, conditions } => determinism(seeds, conditions),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a campaign takes is a figure of this machine"
)]
fn run_seeds(seeds: Seeds, until: Until, conditions: Conditions) -> Result<()> {
    let began = Instant::now();
    let outcome = campaign(conditions.node.run(), seeds, conditions.length(), until);
    print_table(&outcome);
    println!("{} seeds in {:.1} s", outcome.ran, began.elapsed().as_secs_f64());
    for (seed, _) in outcome.violations.iter().take(SHOWN_MAX) {
        show(*seed, conditions, HISTORY_MAX);
    }
    for (seed, violation) in outcome.violations.iter().skip(SHOWN_MAX) {
        println!("seed {seed}: {violation}");
    }
    if let Some((seed, violation)) = outcome.violations.first() {
        println!("{FOUND}{:?} by seed {seed}", violation.promise);
    }
    let broken = outcome.violations.len();
    ensure!(broken == 0, "{broken} of {} seeds broke a promise", outcome.ran);
    if until == Until::FirstViolation {
        return Ok(());
    }
    let unreached = outcome.unreached(conditions.node.unable());
    ensure!(unreached.is_empty(), "never reached: {}", unreached.join(", "));
    Ok(())
}

fn print_table(outcome: &Outcome) {
    for (name, count) in &outcome.counters {
        println!("{name:32} {count:>12}");
    }
}

/// Runs `seed` again, prints up to `history_max` events, and says whether a promise was broken.
fn show(seed: u64, conditions: Conditions, history_max: usize) -> bool {
    let report = conditions.node.run()(seed, conditions.length());
    let Some(violation) = report.violation else {
        if history_max == usize::MAX {
            report.trace.events().iter().for_each(|event| println!("{event}"));
        }
        println!("seed {seed}: no violation, trace {:016x}", report.trace.hash());
        return false;
    };
    if history_max == usize::MAX {
        report.trace.events().iter().for_each(|event| println!("{event}"));
    } else {
        report.trace.history(violation.key, history_max).iter().for_each(|event| println!("{event}"));
    }
    println!("seed {seed}: {violation}");
    let faults = conditions.faults.map_or(String::new(), |faults| format!(" --faults {faults}"));
    let node = conditions.node.to_possible_value().expect("no kind is hidden");
    println!(
        "replay with: larder-sim replay {seed} --node {} --steps {}{faults}\n",
        node.get_name(),
        conditions.steps
    );
    true
}

fn replay(seed: u64, all_events: Option<usize>, conditions: Conditions) -> Result<()> {
    let history_max = all_events.unwrap_or(HISTORY_MAX);
    let broken = show(seed, conditions, history_max);
    ensure!(!broken, "seed {seed} broke a promise");
    Ok(())
}

fn determinism(seeds: u64, conditions: Conditions) -> Result<()> {
    for seed in 1..=seeds {
        let hash = || conditions.node.run()(seed, conditions.length()).trace.hash();
        let (first, second) = (hash(), hash());
        ensure!(first == second, "seed {seed} ran differently: {first:016x}, then {second:016x}");
    }
    println!("{seeds} seeds ran twice with equal traces");
    Ok(())
}

fn hunt_mutants(only: &str, lists: &[PathBuf]) -> Result<()> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent().context("the package lies in a workspace")?;
    let own = [package.join("mutants")];
    hunt(root, if lists.is_empty() { &own } else { lists }, only)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Length = Length { steps: 900, faults: None };

    #[test]
    fn a_cache_aside_node_is_caught_serving_stale_rows() {
        let seeds = Seeds { first: 1, count: 30, threads: 2 };
        let outcome = campaign(run::<CacheAside>, seeds, LENGTH, Until::AllRan);
        let caught = outcome.violations.len();
        assert!(caught >= 25, "only {caught} of {} seeds caught it", outcome.ran);
    }

    #[test]
    fn a_node_that_only_fills_by_the_book_breaks_no_promise() {
        let seeds = Seeds { first: 1, count: 300, threads: 2 };
        let outcome = campaign(run::<FillsOnly>, seeds, LENGTH, Until::FirstViolation);
        if let Some((seed, violation)) = outcome.violations.first() {
            let events = run::<FillsOnly>(*seed, LENGTH).trace;
            events.history(violation.key, HISTORY_MAX).iter().for_each(|event| println!("{event}"));
            panic!("seed {seed}: {violation}");
        }
        for name in ["fills stored", "fills rejected", "write-throughs stored", "invalidations local"]
        {
            assert!(outcome.counters.contains_key(name), "{name} never happened");
        }
    }

    #[test]
    fn a_seed_replays_exactly_and_another_one_differs() {
        let hash = |seed| run::<CacheAside>(seed, LENGTH).trace.hash();
        assert_eq!(hash(5), hash(5));
        assert_ne!(hash(5), hash(6));
    }
}
