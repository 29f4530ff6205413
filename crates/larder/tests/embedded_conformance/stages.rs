//! Stages for the two shards of this crate. Time is manual, and everything happens at once.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use larder::clock::{BoxFuture, Clock, Moment};
use larder::conformance::manual::{ManualClock, SeededRandom};
use larder::conformance::server::ValueServer;
use larder::conformance::{Ability, Fault, Harness, Stage};
use larder::random::Random;
use larder::shard::Shard;
use larder::shard::embedded::{Embedded, EmbeddedOptions};
use larder::shard::parameters::Parameters;
use larder::shard::state::{ConnectReply, ShardSettings, ShardState, Values};

use crate::wrong::Wrong;
use crate::wrong_shard::WrongShard;

const SEED: u64 = 0x1A4D_E400;
const LOG_RECORDS_MAX: usize = 20;
const LEASE_TTL: Duration = Duration::from_secs(10);

/// Small tables: a set-up for each of some thousand cases would else fill megabytes.
fn parameters() -> Parameters {
    Parameters::new(1, 1024).expect("in range")
}

fn server_settings() -> ShardSettings {
    let log_records_max = LOG_RECORDS_MAX;
    ShardSettings { log_records_max, lease_ttl: LEASE_TTL, values: Values::Kept }
}

pub(crate) struct EmbeddedHarness;

impl EmbeddedHarness {
    pub(crate) const ABILITIES: &[Ability] = &[Ability::Time];
}

impl Harness for EmbeddedHarness {
    fn can(&self, ability: Ability) -> bool {
        EmbeddedHarness::ABILITIES.contains(&ability)
    }

    fn stage(&self) -> BoxFuture<'_, Box<dyn Stage>> {
        let clock = ManualClock::default();
        let options = EmbeddedOptions {
            tag_slots: parameters().tag_slots(),
            log_records_max: LOG_RECORDS_MAX,
            lease_ttl: LEASE_TTL,
            clock: Arc::new(clock.clone()),
            random: Arc::new(SeededRandom::new(SEED)),
        };
        let shard = Arc::new(Embedded::new(options).expect("options in range"));
        Box::pin(async move { Box::new(EmbeddedStage { shard, clock }) as Box<dyn Stage> })
    }
}

struct EmbeddedStage {
    shard: Arc<Embedded>,
    clock: ManualClock,
}

impl Stage for EmbeddedStage {
    fn connect(&self) -> BoxFuture<'_, Arc<dyn Shard>> {
        Box::pin(ready(Arc::clone(&self.shard) as Arc<dyn Shard>))
    }

    fn log_records_max(&self) -> usize {
        LOG_RECORDS_MAX
    }

    fn lease_ttl(&self) -> Duration {
        LEASE_TTL
    }

    fn parameters(&self) -> Parameters {
        parameters()
    }

    fn now(&self) -> Moment {
        self.clock.precise()
    }

    fn patience(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    fn pass(&self, span: Duration) -> BoxFuture<'_, ()> {
        self.clock.pass(span);
        Box::pin(ready(()))
    }
}

/// Stages on the reference server, right or wrong.
pub(crate) struct ServerHarness {
    wrong: Option<Wrong>,
}

impl ServerHarness {
    pub(crate) fn right() -> Self {
        ServerHarness { wrong: None }
    }

    pub(crate) fn wrong(wrong: Wrong) -> Self {
        ServerHarness { wrong: Some(wrong) }
    }
}

/// Draws one epoch for ever.
struct OneNumber;

impl Random for OneNumber {
    fn next_u64(&self) -> u64 {
        SEED
    }
}

impl Harness for ServerHarness {
    fn can(&self, _: Ability) -> bool {
        true
    }

    fn stage(&self) -> BoxFuture<'_, Box<dyn Stage>> {
        let clock = ManualClock::default();
        let random: Arc<dyn Random> = match self.wrong {
            Some(Wrong::EpochIsReused) => Arc::new(OneNumber),
            _ => Arc::new(SeededRandom::new(SEED)),
        };
        let server = ValueServer::new(server_settings(), Arc::new(clock.clone()), random);
        let stage = ServerStage { server, clock, wrong: self.wrong, remembered: Mutex::default() };
        Box::pin(async move { Box::new(stage) as Box<dyn Stage> })
    }
}

struct ServerStage {
    server: Arc<ValueServer>,
    clock: ManualClock,
    wrong: Option<Wrong>,
    remembered: Mutex<Option<ShardState>>,
}

impl ServerStage {
    fn struck(&self, fault: Fault) {
        match fault {
            Fault::RestartEmpty => self.server.restart(ShardState::new(server_settings())),
            Fault::RestartOld => {
                let remembered =
                    self.remembered.lock().expect("no case panics under the lock").clone();
                self.server.restart(remembered.expect("a case remembers before it goes back"));
            }
            Fault::Evict(part) => self.server.with_state(|state| state.parts_mut().evict(&part)),
            Fault::FillMemory => self.server.fill_memory(),
        }
    }
}

impl Stage for ServerStage {
    fn connect(&self) -> BoxFuture<'_, Arc<dyn Shard>> {
        let right = self.server.connect(parameters());
        let shard: Arc<dyn Shard> = match self.wrong {
            None => Arc::new(right),
            Some(wrong) => Arc::new(WrongShard::new(right, wrong)),
        };
        Box::pin(ready(shard))
    }

    fn log_records_max(&self) -> usize {
        LOG_RECORDS_MAX
    }

    fn lease_ttl(&self) -> Duration {
        LEASE_TTL
    }

    fn parameters(&self) -> Parameters {
        parameters()
    }

    fn now(&self) -> Moment {
        self.clock.precise()
    }

    fn patience(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    fn join(&self, parameters: Parameters) -> BoxFuture<'_, ConnectReply> {
        if self.wrong == Some(Wrong::ParametersAreNotCompared) {
            self.server.with_state(|state| {
                if let Some(meta) = &mut state.parts_mut().meta {
                    meta.parameters = parameters;
                }
            });
        }
        Box::pin(ready(self.server.join(parameters)))
    }

    fn remember(&self) -> BoxFuture<'_, ()> {
        let state = self.server.with_state(|state| state.clone());
        *self.remembered.lock().expect("no case panics under the lock") = Some(state);
        Box::pin(ready(()))
    }

    fn strike(&self, fault: Fault) -> BoxFuture<'_, ()> {
        self.struck(fault);
        Box::pin(ready(()))
    }

    fn pass(&self, span: Duration) -> BoxFuture<'_, ()> {
        self.clock.pass(span);
        Box::pin(ready(()))
    }
}
