//! The conditions of one seed. Each seed leaves out some kinds of fault and stresses others: a
//! mix of everything in every run would hide what only shows without the rest (swarm testing,
//! Groce et al. 2012).

use crate::dice::{Dice, Stream};
use crate::exec::{Nanos, millis};
use crate::fault::Fault;

/// Nodes of a simulation.
pub(crate) const NODES: usize = 3;
/// Shards of a simulation.
pub(crate) const SHARDS: usize = 2;
/// How often a node asks for the log, in milliseconds.
pub(crate) const POLL_INTERVAL_MS: u64 = 250;
/// How long a node trusts what it has without having asked, in milliseconds.
pub(crate) const STALENESS_MAX_MS: u64 = 1_000;
/// How long a node waits for a lease before it loads without one, in milliseconds.
pub(crate) const LEASE_WAIT_MS: u64 = 1_000;
/// How far a node's clock may run fast or slow, in millionths.
pub(crate) const DRIFT_PPM_MAX: u64 = 10_000;

/// How often what happens, and how long it takes. Rates are per thousand.
#[derive(Debug, Clone)]
pub(crate) struct Weather {
    /// No fault, no lost message: what must hold always and exactly is checked here.
    pub(crate) calm: bool,
    /// Faults per thousand ticks.
    pub(crate) faults: u64,
    /// The kinds of fault that happen at all in this seed.
    pub(crate) kinds: Vec<Fault>,
    /// Operations begun per thousand ticks.
    pub(crate) operations: u64,
    /// Operations that write, of a thousand.
    pub(crate) writes: u64,
    /// Messages lost, of a thousand.
    pub(crate) lost: u64,
    /// Requests that arrive twice, of a thousand.
    pub(crate) doubled: u64,
    /// Pushed records and wake-ups lost, of a thousand.
    pub(crate) pushes_lost: u64,
    /// The longest that one leg of a message usually takes.
    pub(crate) delay: Nanos,
    /// When a node gives a call up.
    pub(crate) call_timeout: Nanos,
    /// How long the loader may take.
    pub(crate) load: Nanos,
    /// Loads that fail, of a thousand.
    pub(crate) loads_failing: u64,
    /// How long an entry is fresh; long in most seeds, so that no deadline hides a mistake.
    pub(crate) fresh: Nanos,
    /// The most that one poll of a task takes.
    pub(crate) poll_cost: Nanos,
    /// Callers that give up midway, of a thousand.
    pub(crate) cancelled: u64,
}

impl Weather {
    /// The weather of `seed`; `faults` replaces the rate that the seed would draw.
    pub(crate) fn of(seed: u64, faults: Option<u64>) -> Self {
        let dice = Dice::new(seed, Stream::Weather);
        let calm = faults.is_none() && dice.chance(80) || faults == Some(0);
        let rough = |rates: &[u64]| if calm { 0 } else { dice.pick(rates) };
        let delay = millis(if calm { dice.pick(&[2, 15]) } else { dice.pick(&[2, 15, 60, 150]) });
        Weather {
            calm,
            faults: faults.unwrap_or_else(|| rough(&[15, 30, 30, 60])),
            kinds: Fault::ALL.into_iter().filter(|_| dice.chance(700)).collect(),
            operations: dice.pick(&[120, 200, 300]),
            writes: dice.pick(&[100, 270, 270, 400]),
            lost: rough(&[0, 10, 50]),
            doubled: rough(&[0, 20, 60]),
            pushes_lost: rough(&[0, 100, 500, 1_000]),
            delay,
            // In calm seeds no call runs out of time: a slow answer takes eight delays a leg.
            call_timeout: if calm { millis(10_000) } else { millis(dice.pick(&[300, 500, 1_200])) },
            load: millis(dice.pick(&[5, 60, 400])),
            loads_failing: dice.pick(&[0, 80, 80, 200]),
            fresh: millis(dice.pick(&[3_600_000, 3_600_000, 3_600_000, 700])),
            poll_cost: dice.pick(&[20_000, 300_000, 1_500_000]),
            cancelled: dice.pick(&[0, 50, 150]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_fault_is_left_out_by_some_seeds_and_calm_seeds_have_none() {
        let seeds: Vec<Weather> = (0..400).map(|seed| Weather::of(seed, None)).collect();
        for fault in Fault::ALL {
            let with = seeds.iter().filter(|weather| weather.kinds.contains(&fault)).count();
            assert!((150..390).contains(&with), "{fault:?} in {with} of 400 seeds");
        }
        let calm: Vec<_> = seeds.iter().filter(|weather| weather.calm).collect();
        assert!(!calm.is_empty());
        assert!(calm.iter().all(|weather| weather.faults + weather.lost + weather.doubled == 0));
    }
}
