//! The figures of Larder. Reads the command line; each question is a module of its own.

mod attributes;
mod hit_ratio;
mod hits;
mod instructions;
mod memory;
mod mixed;
mod races;
mod tags;
mod warm_restart;

use lexopt::prelude::*;

const HELP: &str = "\
larder-bench COMMAND [--rounds N] [--operations N]

  hits           What does a memory hit through get-or-load cost, beside quick_cache's own?
  instructions   The same in instructions, counted by callgrind: for machines with much noise.
  attributes     What does an attribute cost, beside the call written by hand?
  mixed          95 % get-or-load, 5 % update and invalidate: stale reads, and speed beside moka.
  hit-ratio      Does memory keep the right entries, beside quick_cache?
  memory         What does an entry take of the process's memory?
  tags           Does invalidating a tag cost more the more entries have it?
  warm-restart   How warm is a process in its first seconds, with the hot keys of the one before?
  races          In how many rounds of each race is an old value served?

  --rounds N       rounds in which the sides take turns; each command has its own default
  --operations N   operations of one side in all (mixed)
  --help           this text

Each command prints its figures with their bounds, and fails if one is not kept.";

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
        ["hits"] => hits::run(extent.rounds.unwrap_or(hits::ROUNDS)),
        ["instructions"] => instructions::run(),
        ["instructions", side, hits] => instructions::count(side, hits.parse()?),
        ["attributes"] => attributes::run(extent.rounds.unwrap_or(attributes::ROUNDS)),
        ["mixed"] => mixed::run(
            extent.rounds.unwrap_or(mixed::ROUNDS),
            extent.operations.unwrap_or(mixed::OPERATIONS),
        ),
        ["hit-ratio"] => hit_ratio::run(),
        ["memory"] => memory::run(),
        ["memory", side] => memory::fill(side),
        ["tags"] => tags::run(extent.rounds.unwrap_or(tags::ROUNDS)),
        ["warm-restart"] => warm_restart::run(extent.rounds.unwrap_or(warm_restart::ROUNDS)),
        ["races"] => races::run(extent.rounds.unwrap_or(races::ROUNDS)),
        [] => anyhow::bail!("a command is missing; --help lists them"),
        words => anyhow::bail!("no command is called {:?}; --help lists them", words.join(" ")),
    }
}
