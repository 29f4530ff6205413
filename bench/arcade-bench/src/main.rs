//! The figures of Arcade. Reads the command line; each question is a module of its own.

mod buyers;
mod client;
mod load;
mod malformed;
mod reads;
mod serving;
mod side;

use lexopt::prelude::*;

const HELP: &str = "\
arcade-bench COMMAND [--rounds N] [--requests N]

  reads       What does the cache save under a Zipf load over every read route?
  buyers      Do 64 buyers of one item get exactly what is there, and do the books agree?
  malformed   Does the server survive malformed requests?

  --rounds N     rounds; each command has its own default
  --requests N   requests of one round (reads), or in all (malformed)
  --help         this text

Each command prints its figures with their bounds, and fails if one is not kept.";

/// How much to measure.
#[derive(Default)]
struct Extent {
    rounds: Option<usize>,
    requests: Option<usize>,
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
            Long("rounds") => extent.rounds = Some(words.value()?.parse()?),
            Long("requests") => extent.requests = Some(words.value()?.parse()?),
            Value(name) => named.push(name.string()?),
            word => return Err(word.unexpected().into()),
        }
    }
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&named, &extent))
}

async fn run(named: &[&str], extent: &Extent) -> anyhow::Result<()> {
    match named {
        ["reads"] => {
            let rounds = extent.rounds.unwrap_or(reads::ROUNDS);
            reads::run(rounds, extent.requests.unwrap_or(reads::REQUESTS)).await
        }
        ["buyers"] => buyers::run(extent.rounds.unwrap_or(buyers::ROUNDS)).await,
        ["malformed"] => malformed::run(extent.requests.unwrap_or(malformed::REQUESTS)).await,
        ["serve", directory, cache] => serving::serve(directory.as_ref(), cache).await,
        [] => anyhow::bail!("a command is missing; --help lists them"),
        words => anyhow::bail!("no command is called {:?}; --help lists them", words.join(" ")),
    }
}
