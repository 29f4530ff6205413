//! A stage with one server of its own.

use std::sync::Arc;
use std::time::Duration;

use larder::clock::{BoxFuture, Clock, Moment, SystemClock};
use larder::conformance::{Ability, Fault, Harness, Stage};
use larder::key::EncodedKey;
use larder::shard::Shard;
use larder::shard::parameters::Parameters;
use larder::shard::state::{ConnectReply, Part};
use larder_redis::{Address, Redis, RedisOptions};
use larder_rig::RedisServer;
use tokio::sync::Mutex;

const NAMESPACE: &str = "suite";
const LOG_RECORDS_MAX: usize = 20;
const LEASE_TTL: Duration = Duration::from_secs(10);

/// Small tables: each case fills one.
fn parameters() -> Parameters {
    Parameters::new(1, 1024).expect("in range")
}

pub(crate) struct SingleHarness;

impl Harness for SingleHarness {
    fn can(&self, ability: Ability) -> bool {
        ability != Ability::Time
    }

    fn stage(&self) -> BoxFuture<'_, Box<dyn Stage>> {
        Box::pin(async {
            let stage = SingleStage {
                server: Mutex::new(RedisServer::start()),
                tiers: Mutex::default(),
                remembered: Mutex::default(),
            };
            Box::new(stage) as Box<dyn Stage>
        })
    }
}

struct SingleStage {
    server: Mutex<RedisServer>,
    tiers: Mutex<Vec<Redis>>,
    remembered: Mutex<Vec<u8>>,
}

impl SingleStage {
    async fn open(&self, parameters: Parameters) -> Redis {
        let port = self.server.lock().await.port();
        let mut options = RedisOptions::new(Address::Tcp("127.0.0.1".into(), port));
        options.parameters = parameters;
        options.log_records_max = LOG_RECORDS_MAX;
        options.lease_ttl = LEASE_TTL;
        // The suite also asks for what takes long on a machine with much else to do.
        options.command_timeout = Duration::from_secs(10);
        options.connect_timeout = Duration::from_secs(10);
        options.breaker.slow_call = Duration::from_secs(10);
        let redis = Redis::open(NAMESPACE, options).expect("options in range");
        redis.connected().await;
        redis
    }

    /// Lets the server die and come back, and waits until every tier has noticed both.
    async fn restart(&self, revive: impl FnOnce(&mut RedisServer)) {
        let tiers = self.tiers.lock().await;
        let connects = |tier: &Redis| tier.health().servers[0].connects;
        let before: Vec<u64> = tiers.iter().map(connects).collect();
        revive(&mut *self.server.lock().await);
        for (tier, before) in tiers.iter().zip(before) {
            while connects(tier) == before {
                tokio::task::yield_now().await;
            }
            tier.connected().await;
        }
    }

    async fn evict(&self, part: &Part) {
        let name = |what: &str, key: Option<&EncodedKey>| {
            let start = format!("{{{NAMESPACE}.1.0}}:{what}").into_bytes();
            [start.as_slice(), key.map_or(&[], |key| key.as_bytes())].concat()
        };
        let name = match part {
            Part::Value(key) => name("v:", Some(key)),
            Part::Lease(key) => name("l:", Some(key)),
            Part::Meta => name("m", None),
            Part::Table => name("g", None),
            Part::Log => name("log", None),
        };
        self.server.lock().await.ask::<u64>(redis::cmd("DEL").arg(name));
    }
}

impl Stage for SingleStage {
    fn connect(&self) -> BoxFuture<'_, Arc<dyn Shard>> {
        Box::pin(async {
            let redis = self.open(parameters()).await;
            redis.joined().await.expect("the server answers");
            let shard = redis.shards().remove(0);
            self.tiers.lock().await.push(redis);
            shard
        })
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
        SystemClock.precise()
    }

    fn patience(&self) -> BoxFuture<'_, ()> {
        let until = SystemClock.precise().plus(Duration::from_secs(5));
        SystemClock.sleep_until(until)
    }

    fn join(&self, parameters: Parameters) -> BoxFuture<'_, ConnectReply> {
        Box::pin(async move {
            let redis = self.open(parameters).await;
            redis.joined().await.expect("the server answers").remove(0)
        })
    }

    fn remember(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let snapshot = self.server.lock().await.snapshot();
            *self.remembered.lock().await = snapshot;
        })
    }

    fn strike(&self, fault: Fault) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            match fault {
                Fault::RestartEmpty => self.restart(RedisServer::restart_empty).await,
                Fault::RestartOld => {
                    let snapshot = self.remembered.lock().await.clone();
                    self.restart(|server| server.restart_with(&snapshot)).await;
                }
                Fault::Evict(part) => self.evict(&part).await,
                Fault::FillMemory => {
                    let mut command = redis::cmd("CONFIG");
                    command.arg("SET").arg("maxmemory").arg("1").arg("maxmemory-policy");
                    self.server.lock().await.ask::<()>(command.arg("noeviction"));
                }
            }
        })
    }
}
