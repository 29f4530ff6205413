//! One simulated server: the real shard machine, and what befalls the process that runs it.

use std::collections::VecDeque;
use std::time::Duration;

use larder::shard::parameters::Parameters;
use larder::shard::state::{RunId, ShardSettings, ShardState, Step, Values};
use larder::shard::{Epoch, ServerTime};

use crate::exec::Nanos;
use crate::weather::SHARDS;

/// Old states that a failover may bring back.
const SNAPSHOTS_MAX: usize = 6;
/// The log is tiny, so that gaps are common.
const LOG_RECORDS_MAX: usize = 5;
/// The smallest table there is, so that slots are shared.
pub(crate) const TAG_SLOTS: usize = 256;
/// How long a lease lasts that is not renewed: shorter than the default, so that it ends within a
/// simulation.
pub(crate) const LEASE_TTL: Duration = Duration::from_secs(3);

/// The parameters of the simulated namespace.
pub(super) fn parameters() -> Parameters {
    Parameters::new(SHARDS as u32, TAG_SLOTS).expect("within the limits")
}

/// A server that is no primary any more.
pub(super) struct Former {
    pub(super) run: RunId,
    pub(super) state: ShardState,
}

/// A server and its history.
pub(super) struct Server {
    pub(super) up: bool,
    pub(super) run: RunId,
    pub(super) state: ShardState,
    snapshots: VecDeque<ShardState>,
    /// The old primary after a failover: it still answers reads of who did not notice.
    pub(super) former: Option<Former>,
    /// What its clock shows when the simulation begins, in milliseconds.
    clock_ms: u64,
}

impl Server {
    pub(super) fn new(clock_ms: u64) -> Self {
        Server {
            up: true,
            run: RunId(1),
            state: empty(),
            snapshots: VecDeque::new(),
            former: None,
            clock_ms,
        }
    }

    /// What a verb is told when it runs at `now`.
    pub(super) fn step(&self, now: Nanos, fresh: u128) -> Step {
        Step { now: self.time(now), run: self.run, fresh: Epoch(fresh), parameters: parameters() }
    }

    /// The time of its clock.
    pub(super) fn time(&self, now: Nanos) -> ServerTime {
        ServerTime(self.clock_ms + now / 1_000_000)
    }

    /// A replica copies the state.
    pub(super) fn snapshot(&mut self) {
        self.snapshots.push_back(self.state.clone());
        if self.snapshots.len() > SNAPSHOTS_MAX {
            self.snapshots.pop_front();
        }
    }

    /// Starts again and has forgotten everything.
    pub(super) fn restart_empty(&mut self) {
        self.replace(empty());
    }

    /// The replica that lags most takes over. False: there is none.
    pub(super) fn fail_over(&mut self) -> bool {
        let Some(old) = self.snapshots.pop_front() else { return false };
        let run = self.run;
        let state = self.replace(old);
        self.former = Some(Former { run, state });
        true
    }

    fn replace(&mut self, state: ShardState) -> ShardState {
        self.up = true;
        self.run = RunId(self.run.0 + 1);
        // Another machine: its clock shows something else.
        self.clock_ms += 1_700;
        self.snapshots.clear();
        std::mem::replace(&mut self.state, state)
    }
}

fn empty() -> ShardState {
    ShardState::new(ShardSettings {
        log_records_max: LOG_RECORDS_MAX,
        lease_ttl: LEASE_TTL,
        values: Values::Kept,
    })
}
