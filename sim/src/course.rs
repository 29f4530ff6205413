//! The course of one seed: callers and faults are let loose tick by tick, then everything heals
//! and has to settle.

use crate::check::Promise;
use crate::nodes::Subject;
use crate::simulation::{Length, Report, Simulation, TICK};
use crate::{faults, rest};

/// Calls that run at the same time.
const CALLS_MAX: usize = 12;

/// Runs `seed` to its end or to its first violation.
pub(crate) fn run<S: Subject>(seed: u64, length: Length) -> Report {
    let mut simulation = Simulation::<S>::new(seed, length.faults);
    rough(&mut simulation, length.steps);
    if simulation.world.violation().is_none() {
        rest::settle(&mut simulation);
    }
    simulation.report()
}

fn rough<S: Subject>(simulation: &mut Simulation<S>, steps: u64) {
    for tick in 0..steps {
        simulation.executor.run_until(tick * TICK);
        if simulation.dice.chance(simulation.weather.faults) {
            faults::strike(simulation);
        }
        if simulation.callers.dice.chance(simulation.weather.operations)
            && simulation.callers.running() < CALLS_MAX
        {
            let plan = simulation.callers.plan();
            simulation.begin(plan);
        }
        simulation.relay(tick);
        if tick.is_multiple_of(4) {
            rest::check_shared_tier(simulation, &simulation.world.all_shared(), Promise::SharedTier);
        }
        if simulation.world.violation().is_some() {
            return;
        }
    }
}
