//! A stage on real servers of one topology.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use larder::clock::{BoxFuture, Clock, Moment, SystemClock};
use larder::conformance::{Ability, Fault, Harness, Stage};
use larder::key::EncodedKey;
use larder::shard::Shard;
use larder::shard::parameters::Parameters;
use larder::shard::state::{ConnectReply, Part};
use larder_redis::{Address, Credentials, Redis, RedisOptions, Topology};
use larder_rig::{RedisCluster, RedisServer, Sentinel};
use tokio::sync::Mutex;

const LOG_RECORDS_MAX: usize = 20;
const LEASE_TTL: Duration = Duration::from_secs(10);

/// Small tables: each case fills one.
fn parameters() -> Parameters {
    Parameters::new(1, 1024).expect("in range")
}

/// Servers of one topology, as many stages as there are cases.
pub(crate) enum Servers {
    /// A server for each stage.
    Single,
    /// A server for each stage, watched by one sentinel.
    Sentinel(Arc<Sentinel>),
    /// One cluster for all stages, which have namespaces of their own.
    Cluster(Arc<Mutex<RedisCluster>>),
}

/// How many stages there were: each has its own names.
static STAGES: AtomicUsize = AtomicUsize::new(0);

impl Harness for Servers {
    fn can(&self, ability: Ability) -> bool {
        ability != Ability::Time
    }

    fn stage(&self) -> BoxFuture<'_, Box<dyn Stage>> {
        Box::pin(async {
            let namespace = format!("suite{}", STAGES.fetch_add(1, Ordering::Relaxed));
            let ground = match self {
                Servers::Single => Ground::Single(Mutex::new(RedisServer::start())),
                Servers::Sentinel(sentinel) => {
                    let server = RedisServer::start();
                    sentinel.watch(&namespace, &server);
                    Ground::Watched(Mutex::new(server), Arc::clone(sentinel))
                }
                Servers::Cluster(cluster) => Ground::of_cluster(cluster, &namespace).await,
            };
            let (tiers, remembered) = (Mutex::default(), Mutex::default());
            Box::new(RedisStage { namespace, ground, tiers, remembered }) as Box<dyn Stage>
        })
    }
}

/// The servers of one stage.
enum Ground {
    Single(Mutex<RedisServer>),
    Watched(Mutex<RedisServer>, Arc<Sentinel>),
    /// A cluster, and which of its servers keeps the shard.
    Cluster(Arc<Mutex<RedisCluster>>, usize),
}

impl Ground {
    async fn of_cluster(cluster: &Arc<Mutex<RedisCluster>>, namespace: &str) -> Self {
        let mut servers = cluster.lock().await;
        let keeper = servers.keeper(servers.slot_of(&shard_name(namespace, "")));
        // The case before may have filled it.
        let mut command = redis::cmd("CONFIG");
        servers.server(keeper).ask::<()>(command.arg("SET").arg("maxmemory").arg(0));
        Ground::Cluster(Arc::clone(cluster), keeper)
    }

    async fn topology(&self, namespace: &str) -> Topology {
        let on_loopback = |port| Address::Tcp("127.0.0.1".into(), port);
        match self {
            Ground::Single(server) => Topology::Single(on_loopback(server.lock().await.port())),
            Ground::Watched(_, sentinel) => Topology::Sentinel {
                // The first one is not there.
                sentinels: vec![on_loopback(1), on_loopback(sentinel.port())],
                master: namespace.to_owned(),
                credentials: Credentials::default(),
            },
            Ground::Cluster(cluster, _) => {
                let ports = cluster.lock().await.ports();
                Topology::Cluster(ports.into_iter().map(on_loopback).collect())
            }
        }
    }

    /// Does something with the server that keeps the shard, and waits until it is there again.
    async fn with_server<T>(&self, act: impl FnOnce(&mut RedisServer) -> T) -> T {
        match self {
            Ground::Single(server) | Ground::Watched(server, _) => act(&mut *server.lock().await),
            Ground::Cluster(cluster, keeper) => {
                let mut cluster = cluster.lock().await;
                let done = act(cluster.server(*keeper));
                cluster.await_whole();
                done
            }
        }
    }
}

struct RedisStage {
    namespace: String,
    ground: Ground,
    tiers: Mutex<Vec<Redis>>,
    remembered: Mutex<Vec<u8>>,
}

impl Drop for RedisStage {
    fn drop(&mut self) {
        if let Ground::Watched(_, sentinel) = &self.ground {
            sentinel.forget(&self.namespace);
        }
    }
}

/// The Redis key of one thing of the only shard.
fn shard_name(namespace: &str, what: &str) -> String {
    format!("{{{namespace}.1.0}}:{what}")
}

impl RedisStage {
    async fn open(&self, parameters: Parameters) -> Redis {
        let mut options = RedisOptions::new(self.ground.topology(&self.namespace).await);
        options.parameters = parameters;
        options.log_records_max = LOG_RECORDS_MAX;
        options.lease_ttl = LEASE_TTL;
        // The suite also asks for what takes long on a machine with much else to do.
        options.command_timeout = Duration::from_secs(10);
        options.connect_timeout = Duration::from_secs(10);
        options.breaker.slow_call = Duration::from_secs(10);
        let redis = Redis::open(&self.namespace, options).expect("options in range");
        redis.connected().await;
        redis
    }

    /// Lets the server die and come back, and waits until every tier has noticed both.
    async fn restart(&self, revive: impl FnOnce(&mut RedisServer)) {
        let tiers = self.tiers.lock().await;
        let connects = |tier: &Redis| tier.health().servers[0].connects;
        let before: Vec<u64> = tiers.iter().map(connects).collect();
        self.ground.with_server(revive).await;
        for (tier, before) in tiers.iter().zip(before) {
            while connects(tier) == before {
                tokio::task::yield_now().await;
            }
            tier.connected().await;
        }
    }

    async fn evict(&self, part: &Part) {
        let name = |what: &str, key: Option<&EncodedKey>| {
            let start = shard_name(&self.namespace, what).into_bytes();
            [start.as_slice(), key.map_or(&[], |key| key.as_bytes())].concat()
        };
        let name = match part {
            Part::Value(key) => name("v:", Some(key)),
            Part::Lease(key) => name("l:", Some(key)),
            Part::Meta => name("m", None),
            Part::Table => name("g", None),
            Part::Log => name("log", None),
        };
        let mut command = redis::cmd("DEL");
        command.arg(name);
        self.ground.with_server(|server| server.ask::<u64>(&command)).await;
    }
}

impl Stage for RedisStage {
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
            let snapshot = self.ground.with_server(|server| server.snapshot()).await;
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
                    for (name, value) in [("maxmemory-policy", "noeviction"), ("maxmemory", "1")] {
                        let mut command = redis::cmd("CONFIG");
                        command.arg("SET").arg(name).arg(value);
                        self.ground.with_server(|server| server.ask::<()>(&command)).await;
                    }
                }
            }
        })
    }
}
