//! One seed from its first tick to rest: starts nodes, lets callers and faults loose, heals, and
//! looks whether everything settled.

use std::sync::Arc;

use larder::random::Random;
use larder::shard::Shard;

use crate::check::{Floors, Violation};
use crate::clock::{ClockFaults, SimClock, SimTasks};
use crate::dice::{Dice, Stream};
use crate::exec::{Executor, Nanos, Owner, millis};
use crate::network::Network;
use crate::network::shard::SimShard;
use crate::nodes::{Environment, Subject};
use crate::trace::Trace;
use crate::weather::{DRIFT_PPM_MAX, LEASE_WAIT_MS, NODES, POLL_INTERVAL_MS, SHARDS, Weather};
use crate::workload::{Callers, Plan};
use crate::world::source::LoadHabits;
use crate::world::{Counters, World};

/// Virtual time between two decisions of the driver.
pub(crate) const TICK: Nanos = 12_500_000;
/// Virtual time that everything may take to end once nothing fails any more.
const DRAIN_MAX: Nanos = millis(60_000);
/// How often the outbox is looked at, in ticks.
const RELAY_EVERY: u64 = 16;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Length {
    /// Ticks with callers and faults.
    pub(crate) steps: u64,
    /// Faults of a thousand ticks, in place of what the seed draws.
    pub(crate) faults: Option<u64>,
}

/// What came out.
pub(crate) struct Report {
    pub(crate) violation: Option<Violation>,
    pub(crate) counters: Counters,
    pub(crate) trace: Trace,
}

/// One run of one node, and the machine under it.
pub(crate) struct Machine<S> {
    pub(crate) clock: SimClock,
    pub(crate) owner: Owner,
    pub(crate) node: Arc<S>,
    runs: u32,
}

/// One seed.
pub(crate) struct Simulation<S: Subject> {
    seed: u64,
    pub(crate) weather: Arc<Weather>,
    pub(crate) executor: Executor,
    pub(crate) world: Arc<World>,
    pub(crate) network: Arc<Network>,
    pub(crate) callers: Arc<Callers<S>>,
    pub(crate) machines: Vec<Machine<S>>,
    pub(crate) dice: Dice,
}

impl<S: Subject> Simulation<S> {
    pub(crate) fn new(seed: u64, faults: Option<u64>) -> Self {
        let weather = Arc::new(Weather::of(seed, faults));
        let dice = |stream| Dice::new(seed, stream);
        let executor = Executor::new(dice(Stream::Scheduler), weather.poll_cost);
        let clocks = clocks(&executor, &dice(Stream::Weather));
        // A little less than they are told to wait: clocks drift.
        let lease_wait = weather.calm.then_some(millis(LEASE_WAIT_MS * 19 / 20));
        let world = World::new(executor.clone(), clocks.clone(), lease_wait);
        let network = Network::new(Arc::clone(&world), Arc::clone(&weather), dice(Stream::Network));
        let habits = LoadHabits {
            dice: dice(Stream::Source),
            slow: weather.load,
            failing: weather.loads_failing,
        };
        let callers = Callers::new(
            Arc::clone(&world),
            Arc::clone(&weather),
            dice(Stream::Workload),
            Arc::new(habits),
        );
        let dice = dice(Stream::Faults);
        let mut simulation = Simulation {
            seed,
            weather,
            executor,
            world,
            network,
            callers,
            machines: Vec::new(),
            dice,
        };
        for (node, clock) in clocks.into_iter().enumerate() {
            let machine = simulation.started(node, clock, 0);
            simulation.machines.push(machine);
        }
        simulation
    }

    fn started(&self, node: usize, clock: SimClock, runs: u32) -> Machine<S> {
        let owner = Owner(1 + node as u32 + runs * NODES as u32);
        let shard = |shard| {
            let network = Arc::clone(&self.network);
            Arc::new(SimShard::new(network, node, shard, owner, clock.clone())) as Arc<dyn Shard>
        };
        let environment = Environment {
            world: Arc::clone(&self.world),
            clock: Arc::new(clock.clone()),
            random: Arc::new(Dice::new(self.seed, Stream::Node(u64::from(owner.0)))),
            tasks: Arc::new(SimTasks { executor: self.executor.clone(), owner }),
            shards: (0..SHARDS).map(shard).collect(),
            fresh: self.weather.fresh,
            call_timeout: self.weather.call_timeout,
        };
        Machine { clock, owner, node: Arc::new(S::start(environment)), runs }
    }

    /// Kills the process of `node` and starts it again with nothing.
    pub(crate) fn restart(&mut self, node: usize) {
        let Machine { clock, owner, runs, .. } = &self.machines[node];
        let (clock, owner, runs) = (clock.clone(), *owner, runs + 1);
        self.network.close_links(node);
        self.executor.kill(owner);
        self.world.node_restarted(node);
        self.machines[node] = self.started(node, clock, runs);
    }

    /// A caller begins on a random node.
    pub(crate) fn begin(&self, plan: Plan) {
        let node = self.callers.dice.index(NODES);
        let machine = &self.machines[node];
        let call = Arc::clone(&self.callers).call(node, Arc::clone(&machine.node), plan);
        self.executor.spawn(machine.owner, Box::pin(call));
    }

    /// Now and then sends a row of the outbox: any, as often as it likes.
    pub(crate) fn relay(&self, tick: u64) {
        if !tick.is_multiple_of(RELAY_EVERY) {
            return;
        }
        let rows = self.world.outbox();
        if !rows.is_empty() {
            let row = &rows[self.callers.dice.index(rows.len())];
            self.begin(Plan::Relay { commit: row.commit.clone() });
        }
    }

    /// Runs until nobody calls and the outbox is empty. False: it never ended.
    pub(crate) fn drain(&self) -> bool {
        let end = self.executor.now() + DRAIN_MAX;
        let mut tick = 0;
        while self.callers.running() > 0 || !self.world.outbox().is_empty() {
            if self.executor.now() >= end || self.executor.exhausted() {
                return false;
            }
            self.relay(tick);
            self.executor.run_until(self.executor.now() + TICK);
            tick += 1;
        }
        true
    }

    /// Lets so many poll intervals pass.
    pub(crate) fn let_polls_pass(&self, polls: u64) {
        self.executor.run_until(self.executor.now() + millis(polls * POLL_INTERVAL_MS));
    }

    /// What the source says now, as a floor for every answer.
    pub(crate) fn floors_at_rest(&self) -> Floors {
        Floors::at_rest(self.world.source_versions())
    }

    pub(crate) fn report(self) -> Report {
        self.executor.shut_down();
        self.network.hang_up();
        let violation = self.world.violation();
        let (trace, counters) = self.world.take_history();
        Report { violation, counters, trace }
    }
}

fn clocks(executor: &Executor, dice: &Dice) -> Vec<SimClock> {
    let clock = |_| {
        let drift = dice.below(2 * DRIFT_PPM_MAX + 1) as i64 - DRIFT_PPM_MAX as i64;
        // The clocks of two machines have nothing to do with each other.
        let offset = dice.next_u64() >> 8;
        SimClock::new(executor.clone(), ClockFaults { offset, drift_ppm: drift })
    };
    (0..NODES).map(clock).collect()
}
