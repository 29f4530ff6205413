//! The figures of the shared tier. Reads the command line; each question is a module of its own.

mod bare;
mod batch;
mod cold_key;
mod faults;
mod fleet_mixed;
mod history;
mod invalidation;
mod l2_hit;
mod nodes;
mod outage;
mod outage_bounded;
mod outbox;
mod process;
mod scan;
mod sides;
mod spread;

use std::process::Command;

use lexopt::prelude::*;

const HELP: &str = "\
redis-bench COMMAND [--rounds N] [--operations N]

  l2-hit        What does a hit in the shared tier cost, beside a bare client and the peers?
  batch         The same for 100 keys at once; and is that one round trip?
  cold-key      4 processes with 1,000 callers each ask one cold key: how many loads, how long?
  invalidation  How long after an invalidation returned has another node applied it?
  outbox-relay  How long after a commit has every node applied it, beside a bare PUBLISH?
  fleet-mixed   95 % get-or-load, 5 % update and invalidate, in one process and in three.
  outage        What do readers notice while the server is away?
  faults        What do fleets of Larder, of multi-tier-cache and by hand answer under the same faults?
  scan          What do other commands notice while a pattern is sought, or keys are counted, among a million?

  --rounds N       rounds in which the sides take turns; each command has its own default
  --operations N   operations of one side in one round (l2-hit), or in all (fleet-mixed)
  --help           this text

Each command starts a redis-server of its own, prints its figures with their bounds, and fails if
one is not kept.";

/// How much to measure.
#[derive(Default)]
struct Extent {
    rounds: Option<usize>,
    operations: Option<usize>,
}

fn main() -> anyhow::Result<()> {
    let mut words = lexopt::Parser::from_env();
    let mut named = Vec::new();
    let mut extent = Extent::default();
    while let Some(word) = words.next()? {
        match word {
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(());
            }
            Long("rounds") => {
                extent.rounds = Some(at_least_one("--rounds", words.value()?.parse()?)?)
            }
            Long("operations") => {
                extent.operations = Some(at_least_one("--operations", words.value()?.parse()?)?);
            }
            Value(name) => named.push(name.string()?),
            word => return Err(word.unexpected().into()),
        }
    }
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    run(&named, &extent)
}

fn at_least_one(option: &str, number: usize) -> anyhow::Result<usize> {
    anyhow::ensure!(number > 0, "{option} must be at least 1");
    Ok(number)
}

fn run(named: &[&str], extent: &Extent) -> anyhow::Result<()> {
    match named {
        ["l2-hit" | "batch"] => beside_oxcache(),
        // Not for the command line, as all words after the first.
        ["l2-hit", "beside-oxcache"] => l2_hit::run(
            extent.rounds.unwrap_or(l2_hit::ROUNDS),
            extent.operations.unwrap_or(l2_hit::OPERATIONS),
        ),
        ["batch", "beside-oxcache"] => batch::run(extent.rounds.unwrap_or(batch::ROUNDS)),
        ["cold-key"] => cold_key::run(extent.rounds.unwrap_or(cold_key::ROUNDS)),
        ["cold-key", "caller", port] => cold_key::call(port.parse()?),
        ["invalidation"] => invalidation::run(extent.rounds.unwrap_or(invalidation::ROUNDS)),
        ["outbox-relay"] => outbox::run(extent.rounds.unwrap_or(outbox::ROUNDS)),
        ["fleet-mixed"] => fleet_mixed::run(
            extent.rounds.unwrap_or(fleet_mixed::ROUNDS),
            extent.operations.unwrap_or(fleet_mixed::OPERATIONS),
        ),
        ["fleet-mixed", "node", words @ ..] => fleet_mixed::serve(words),
        ["outage"] => outage::run(extent.rounds.unwrap_or(outage::ROUNDS)),
        ["faults"] => faults::run(extent.rounds.unwrap_or(faults::ROUNDS)),
        ["scan"] => scan::run(extent.rounds.unwrap_or(scan::ROUNDS)),
        [] => anyhow::bail!("a command is missing; --help lists them"),
        words => anyhow::bail!("no command is called {:?}; --help lists them", words.join(" ")),
    }
}

/// Runs the same command in a process in which oxcache takes a connection without TLS: only the
/// environment can tell it to, and changing one's own is not safe.
fn beside_oxcache() -> anyhow::Result<()> {
    let ended = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg("beside-oxcache")
        .env("OXCACHE_ALLOW_INSECURE_REDIS", "I_UNDERSTAND_THE_RISKS")
        .status()?;
    anyhow::ensure!(ended.success(), "the command ended with {ended}");
    Ok(())
}
