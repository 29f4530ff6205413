//! A Redis Cluster of one's own: masters without replicas.

use std::thread;
use std::time::Duration;

use redis::Value;

use crate::redis_server::RedisServer;
use crate::stopwatch::Stopwatch;

/// How long the servers may take until they are one cluster.
const PATIENCE: Duration = Duration::from_secs(30);
const SLOTS: usize = 16_384;

/// Masters that keep equal shares of the hash slots.
#[derive(Debug)]
pub struct RedisCluster {
    servers: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts so many masters and makes them one cluster.
    ///
    /// # Panics
    /// They are not one within 30 s.
    pub fn start(masters: usize) -> Self {
        let settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
        let servers: Vec<RedisServer> =
            (0..masters).map(|_| RedisServer::start_on_low_port(&settings)).collect();
        let share = SLOTS.div_ceil(masters);
        for (index, server) in servers.iter().enumerate() {
            let slots: Vec<usize> = (index * share..((index + 1) * share).min(SLOTS)).collect();
            server.ask::<()>(redis::cmd("CLUSTER").arg("ADDSLOTS").arg(slots));
            // Epochs that differ from the start: otherwise the servers find out that they do not.
            server.ask::<()>(redis::cmd("CLUSTER").arg("SET-CONFIG-EPOCH").arg(index + 1));
            let meet = servers[0].port();
            if index > 0 {
                server.ask::<()>(redis::cmd("CLUSTER").arg("MEET").arg("127.0.0.1").arg(meet));
            }
        }
        let cluster = RedisCluster { servers };
        cluster.await_whole();
        cluster
    }

    /// Where its servers listen.
    pub fn ports(&self) -> Vec<u16> {
        self.servers.iter().map(RedisServer::port).collect()
    }

    /// One of its servers.
    pub fn server(&mut self, index: usize) -> &mut RedisServer {
        &mut self.servers[index]
    }

    /// The hash slot of a key.
    pub fn slot_of(&self, key: &str) -> u16 {
        self.servers[0].ask(redis::cmd("CLUSTER").arg("KEYSLOT").arg(key))
    }

    /// Which of its servers keeps a hash slot.
    ///
    /// # Panics
    /// None does.
    pub fn keeper(&self, slot: u16) -> usize {
        let ranges: Vec<Vec<Value>> = self.servers[0].ask(redis::cmd("CLUSTER").arg("SLOTS"));
        let keeper = ranges.iter().find_map(|range| {
            let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = range.as_slice()
            else {
                return None;
            };
            let Some(Value::Int(port)) = master.get(1) else { return None };
            let ports = (*first..=*last).contains(&i64::from(slot)).then_some(*port)?;
            self.servers.iter().position(|server| i64::from(server.port()) == ports)
        });
        keeper.unwrap_or_else(|| panic!("nobody keeps slot {slot}"))
    }

    /// Moves a hash slot with its keys, as `redis-cli --cluster reshard` does it. `half_way` is
    /// called when its keys lie on both servers.
    pub fn migrate(&self, slot: u16, to: usize, half_way: impl FnOnce()) {
        let from = self.keeper(slot);
        let set = |server: usize, what: &str, node: usize| {
            let mut command = redis::cmd("CLUSTER");
            command.arg("SETSLOT").arg(slot).arg(what).arg(self.id(node));
            self.servers[server].ask::<()>(&command);
        };
        set(to, "IMPORTING", from);
        set(from, "MIGRATING", to);
        let keys = || -> Vec<Vec<u8>> {
            let mut command = redis::cmd("CLUSTER");
            self.servers[from].ask(command.arg("GETKEYSINSLOT").arg(slot).arg(100_000))
        };
        let (first, second) = (keys(), keys().len() / 2);
        self.send(from, to, &first[..first.len() - second]);
        half_way();
        self.send(from, to, &keys());
        for server in [to, from] {
            set(server, "NODE", to);
        }
        for server in (0..self.servers.len()).filter(|server| ![to, from].contains(server)) {
            set(server, "NODE", to);
        }
    }

    fn send(&self, from: usize, to: usize, keys: &[Vec<u8>]) {
        for key in keys {
            let mut command = redis::cmd("MIGRATE");
            command.arg("127.0.0.1").arg(self.servers[to].port()).arg(key.as_slice()).arg(0);
            // A key that expired meanwhile is none.
            self.servers[from].ask::<String>(command.arg(5_000).arg("REPLACE"));
        }
    }

    fn id(&self, server: usize) -> String {
        self.servers[server].ask(redis::cmd("CLUSTER").arg("MYID"))
    }

    /// Completes once every server says that the cluster is whole.
    ///
    /// # Panics
    /// It is not within 30 s.
    #[expect(clippy::disallowed_methods, reason = "a process has no clock to be turned")]
    pub fn await_whole(&self) {
        let waiting = Stopwatch::started();
        let nodes = self.servers.len().to_string();
        while !self.servers.iter().all(|server| {
            let info: String = server.ask(redis::cmd("CLUSTER").arg("INFO"));
            info.contains("cluster_state:ok")
                && info.lines().any(|line| line.strip_prefix("cluster_known_nodes:") == Some(&nodes))
        }) {
            assert!(waiting.elapsed() < PATIENCE, "no cluster within {PATIENCE:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}
