//! In how many rounds of each race does Larder serve an old value? The peers are asked the same
//! in workspaces of their own.

use tokio::runtime::Builder;
use yardstick::home::Racer;
use yardstick::races::{Outcome, Race, print_head, row};
use yardstick::verdict::{Bound, Verdict};

pub(crate) const ROUNDS: usize = 100;

/// Runs every race.
///
/// # Errors
/// An old value was served.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    print_head();
    let outcomes = runtime.block_on(row(async || Racer::new(), rounds))?;
    let mut verdict = Verdict::default();
    for (race, outcome) in Race::ALL.iter().zip(outcomes) {
        // A race that was not run has no figure, and fails.
        let stale = if let Outcome::Stale(stale) = outcome { stale as f64 } else { f64::NAN };
        verdict.judge(&format!("{}, stale rounds", race.title()), stale, Bound::AtMost(0.0));
    }
    verdict.end()
}
