//! Larder's hits and races, run against caches of several tiers. Their memory tier alone is
//! asked: nothing here connects to a server.

mod hits;
mod multi_tier;
mod ox;

use tokio::runtime::Builder;
use yardstick::home::Racer;
use yardstick::races::{print_head, row};

const HELP: &str = "\
peers-tiers hits [ROUNDS]

  What does a memory hit through typed get-or-load cost, beside Larder's? 31 rounds unless told.

peers-tiers races [ROUNDS]

  In how many rounds of each race does a cache serve an old value? 20 rounds unless told.
  Nothing is judged here: Larder's own table is `larder-bench races`.";

const HITS_ROUNDS: usize = 31;
const RACES_ROUNDS: usize = 20;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["hits"] => hits::run(HITS_ROUNDS),
        ["hits", rounds] => hits::run(rounds.parse()?),
        ["races"] => races(RACES_ROUNDS),
        ["races", rounds] => races(rounds.parse()?),
        ["-h" | "--help"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => anyhow::bail!("expected `hits [ROUNDS]` or `races [ROUNDS]`; --help tells more"),
    }
}

fn races(rounds: usize) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    print_head();
    runtime.block_on(async {
        row(async || Racer::new(), rounds).await?;
        row(multi_tier::Racer::new, rounds).await?;
        row(ox::Racer::new, rounds).await?;
        Ok(())
    })
}
