//! Larder's races, run against caches of one process.

mod cached;
mod foyer;
mod moka;

use tokio::runtime::Builder;
use yardstick::home::Racer;
use yardstick::races::{print_head, row};

const HELP: &str = "\
peers-memory races [ROUNDS]

  In how many rounds of each race does a cache serve an old value? 20 rounds unless told.
  Nothing is judged here: Larder's own table is `larder-bench races`.";

const ROUNDS: usize = 20;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["races"] => races(ROUNDS),
        ["races", rounds] => races(rounds.parse()?),
        ["-h" | "--help"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => anyhow::bail!("expected `races [ROUNDS]`; --help tells more"),
    }
}

fn races(rounds: usize) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    print_head();
    runtime.block_on(async {
        row(async || Racer::new(), rounds).await?;
        row(async || Ok(moka::Racer::new()), rounds).await?;
        row(async || Ok(foyer::Racer::new()), rounds).await?;
        row(async || cached::Racer::new(), rounds).await?;
        Ok(())
    })
}
