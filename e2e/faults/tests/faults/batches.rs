//! Many keys at once on a cluster: one round trip of each master, told by what passes before each of them.

use std::time::Duration;

use larder::{Lookup, Origin};
use larder_faults::{LarderNode, Source, pause};
use larder_redis::{Address, RedisOptions, Topology};
use larder_rig::{Fault, Proxy, RedisCluster, RedisServer, Stopwatch};
use redis::Value;

use crate::support::{millis, patient, until};

const MASTERS: usize = 3;
const SHARDS: usize = 16;
const KEYS: usize = 100;
/// The least that a node can be told to remember.
const ENTRIES: u64 = 2;
/// What is put together by luck is not put together each time.
const BATCHES: usize = 20;
const DELAYED: usize = 5;
/// How a request begins that reads values: in one pipeline there are several, in one packet.
const READS: &[u8] = b"\r\nMGET\r\n";
/// What a proxy makes of one way.
const WAY: Duration = millis(50);
/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A cluster whose servers are to be found behind proxies.
struct Watched {
    cluster: RedisCluster,
    proxies: Vec<Proxy>,
    /// How many shards each master keeps.
    shards: Vec<u64>,
}

impl Watched {
    async fn start() -> Self {
        let mut cluster = RedisCluster::start(MASTERS);
        let mut shards = vec![0; MASTERS];
        for shard in 0..SHARDS {
            shards[cluster.keeper(cluster.slot_of(&format!("{{faults.{SHARDS}.{shard}}}")))] += 1;
        }
        let mut proxies = Vec::new();
        for (master, port) in cluster.ports().into_iter().enumerate() {
            let proxy = Proxy::before(port).await;
            let mut announce = redis::cmd("CONFIG");
            announce.arg("SET").arg("cluster-announce-port").arg(proxy.port());
            cluster.server(master).ask::<()>(&announce);
            proxies.push(proxy);
        }
        let ports: Vec<u16> = proxies.iter().map(Proxy::port).collect();
        for master in 0..MASTERS {
            let server = &*cluster.server(master);
            until("every server to name the proxies", || announced(server, &ports)).await;
        }
        Watched { cluster, proxies, shards }
    }

    fn options(&self) -> RedisOptions {
        let seed = Address::Tcp("127.0.0.1".into(), self.proxies[0].port());
        RedisOptions::new(Topology::Cluster(vec![seed]))
    }

    /// How many commands each master got so far that read values: many at once, and one by one.
    fn commands(&mut self) -> Vec<[u64; 2]> {
        let counted = |master| {
            let info: String =
                self.cluster.server(master).ask(redis::cmd("INFO").arg("commandstats"));
            ["cmdstat_mget:calls=", "cmdstat_get:calls="].map(|name| {
                let rest = info.lines().find_map(|line| line.strip_prefix(name));
                rest.and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0)
            })
        };
        (0..MASTERS).map(counted).collect()
    }
}

/// Whether this server says that all masters are on these ports.
fn announced(server: &RedisServer, ports: &[u16]) -> bool {
    let ranges: Vec<Vec<Value>> = server.ask(redis::cmd("CLUSTER").arg("SLOTS"));
    let port = |range: &Vec<Value>| match range.as_slice() {
        [_, _, Value::Array(master), ..] => match master.as_slice() {
            [_, Value::Int(port), ..] => u16::try_from(*port).ok(),
            _ => None,
        },
        _ => None,
    };
    let said: Vec<u16> = ranges.iter().filter_map(port).collect();
    said.len() == MASTERS && said.iter().all(|port| ports.contains(port))
}

/// How a batch is asked for.
#[derive(Debug, Clone, Copy)]
enum Asks {
    /// For what is there.
    Fetches,
    /// For what is there, and else for the source.
    Loads,
}

impl Asks {
    /// Where the values came from; `None` where nothing is known.
    async fn of(self, node: &LarderNode, keys: &[u64]) -> Vec<Option<Origin>> {
        match self {
            Asks::Fetches => {
                let found = node.cache.get_many(keys).await;
                found.iter().map(|found| found.as_ref().map(Lookup::origin)).collect()
            }
            Asks::Loads => {
                let load = |missing: Vec<u64>| async move {
                    Ok::<_, std::convert::Infallible>(
                        missing.into_iter().map(|key| (key, 0)).collect(),
                    )
                };
                let found = node.cache.get_or_load_many(keys, load).await.expect("it never fails");
                found.iter().map(|found| Some(found.origin())).collect()
            }
        }
    }
}

/// A process that is joined to every shard and remembers next to nothing of what it has read.
async fn forgetful(watched: &Watched, keys: &[u64]) -> LarderNode {
    let node = patient(watched.options(), |builder| builder.entries_max(ENTRIES));
    let waiting = Stopwatch::started();
    while !Asks::Fetches.of(&node, keys).await.iter().all(Option::is_some) {
        assert!(waiting.elapsed() < PATIENCE, "not joined within {PATIENCE:?}");
        pause(millis(5)).await;
    }
    node
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_keys_are_one_round_trip_of_each_master() {
    let (mut watched, source) = (Watched::start().await, Source::new(millis(0)));
    let writer = patient(watched.options(), |builder| builder);
    for key in 0..KEYS {
        writer.share(key, &source).await;
    }
    drop(writer);
    let keys: Vec<u64> = (0..KEYS as u64).collect();
    let node = forgetful(&watched, &keys).await;
    for batch in 0..BATCHES {
        let asks = if batch % 2 == 0 { Asks::Fetches } else { Asks::Loads };
        let before = watched.commands();
        watched.proxies.iter().for_each(|proxy| proxy.cut_at(READS, 0));
        let origins = asks.of(&node, &keys).await;
        let trips: Vec<usize> = watched.proxies.iter().map(Proxy::seen).collect();
        let now = watched.commands();
        let commands: Vec<[u64; 2]> =
            now.iter().zip(&before).map(|(now, was)| [now[0] - was[0], now[1] - was[1]]).collect();
        let (shards, shared) = (&watched.shards, |origin: &&_| **origin == Some(Origin::Shared));
        println!("{asks:?}: round trips {trips:?}; MGET, GET {commands:?} of {shards:?} shards");
        assert!(origins.iter().filter(shared).count() >= KEYS - ENTRIES as usize, "{origins:?}");
        assert_eq!(trips, [1; MASTERS], "batch {batch}, {asks:?}");
        let one_a_shard: Vec<[u64; 2]> = shards.iter().map(|shards| [*shards, 0]).collect();
        assert_eq!(commands, one_a_shard, "batch {batch}, {asks:?}");
    }
    watched.proxies.iter().for_each(|proxy| proxy.inflict(Fault::Delay(WAY)));
    let mut took = Vec::new();
    for _ in 0..DELAYED {
        let asking = Stopwatch::started();
        Asks::Fetches.of(&node, &keys).await;
        took.push(asking.elapsed());
    }
    took.sort_unstable();
    println!("each way delayed by {WAY:?}: {took:?}");
    // All masters at once: one after the other they would take three times as long.
    assert!(took[DELAYED / 2] < 3 * WAY, "{took:?}");
}
