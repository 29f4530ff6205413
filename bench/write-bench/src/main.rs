//! The figures of writing. Reads the command line; each question is a module of its own.

mod write_behind;

use lexopt::prelude::*;

const HELP: &str = "\
write-bench COMMAND [--rounds N]

  write-behind   How much do acknowledged writes gain from sharing an fsync, and what is the source
                 spared under a Zipf load?

  --rounds N     rounds in which the sides take turns
  --help         this text

Each command prints its figures with their bounds, and fails if one is not kept.";

fn main() -> anyhow::Result<()> {
    let mut words = lexopt::Parser::from_env();
    let (mut named, mut rounds) = (None, write_behind::ROUNDS);
    while let Some(word) = words.next()? {
        match word {
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(());
            }
            Long("rounds") => rounds = words.value()?.parse()?,
            Value(name) if named.is_none() => named = Some(name.string()?),
            word => return Err(word.unexpected().into()),
        }
    }
    anyhow::ensure!(rounds > 0, "--rounds must be at least 1");
    match named.as_deref() {
        Some("write-behind") => write_behind::run(rounds),
        Some(word) => anyhow::bail!("no command is called {word:?}; --help lists them"),
        None => anyhow::bail!("a command is missing; --help lists them"),
    }
}
