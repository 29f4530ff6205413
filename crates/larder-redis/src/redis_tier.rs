//! The shards of a namespace, and how their servers are.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use larder::clock::Clock;
use larder::shard::state::ConnectReply;
use larder::shard::{Shard, Unreachable};

use crate::address::Topology;
use crate::error::OpenError;
use crate::inspect::{self, ServerReport};
use crate::keyspace::{self, KeyCount};
use crate::names::{Keyspace, Names};
use crate::options::RedisOptions;
use crate::rights::MissingRight;
use crate::server::ServerHealth;
use crate::server::ears::Ear;
use crate::shard::RedisShard;
use crate::topology::Servers;

/// The shards of one namespace. Connections end when this and its shards are dropped.
pub struct Redis {
    servers: Arc<Servers>,
    shards: Vec<Arc<RedisShard>>,
    namespace: String,
    is_cluster: bool,
    report_timeout: Duration,
    database: u32,
    clock: Arc<dyn Clock>,
}

/// How the shared tier is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisHealth {
    /// Each server that keeps a shard.
    pub servers: Vec<ServerHealth>,
    /// How many shards no server of the cluster is known to keep.
    pub shards_without_server: usize,
    /// Why the servers of the cluster could not all be found when it was last asked.
    pub search_fault: Option<String>,
    /// How many values were found that could not be read: each was a miss.
    pub damaged_values: u64,
}

impl Redis {
    /// Opens the shared tier of `namespace`, which must be the node's. Returns at once: servers
    /// are dialled in the background, for as long as this lives.
    ///
    /// # Errors
    /// A namespace that is none, and every option that is out of its range. That a server cannot be reached is none.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn open(namespace: &str, options: RedisOptions) -> Result<Self, OpenError> {
        options.check(namespace)?;
        let shards = options.parameters.shards();
        let (report_timeout, database) = (options.command_timeout, options.database);
        let is_cluster = matches!(options.topology, Topology::Cluster(_));
        let clock = Arc::clone(&options.clock);
        let names: Vec<Arc<Names>> =
            (0..shards).map(|index| Arc::new(Names::new(namespace, shards, index))).collect();
        let ears: Arc<[Arc<Ear>]> =
            names.iter().map(|names| Arc::new(Ear::on(names.channel.clone()))).collect();
        let hash_tags: Vec<Vec<u8>> = names.iter().map(|names| names.hash_tag.clone()).collect();
        let servers = Arc::new(Servers::open(&options, Arc::clone(&ears), &hash_tags));
        let shard = |(index, (names, ear)): (usize, (Arc<Names>, &Arc<Ear>))| {
            let (servers, ear) = (Arc::clone(&servers), Arc::clone(ear));
            Arc::new(RedisShard::new(index, names, servers, ear, options.clone()))
        };
        let shards = names.into_iter().zip(ears.iter()).enumerate().map(shard).collect();
        let namespace = namespace.to_owned();
        Ok(Redis { servers, shards, namespace, is_cluster, report_timeout, database, clock })
    }

    /// The shards, for [`LarderBuilder::shards`](larder::LarderBuilder::shards).
    pub fn shards(&self) -> Vec<Arc<dyn Shard>> {
        self.shards.iter().map(|shard| Arc::clone(shard) as Arc<dyn Shard>).collect()
    }

    /// Completes once every shard has a server, and every server is connected.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: servers are dialled on.
    pub async fn connected(&self) {
        self.servers.connected().await;
    }

    /// Completes once a shard has no server, or a server is not connected any more. What for, [`health`](Self::health) says.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn lost(&self) {
        self.servers.lost().await;
    }

    /// What each server says about itself: version, memory, connections, commands, keys.
    ///
    /// # Errors
    /// The first server that cannot be reached, or refuses.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn reports(&self) -> Result<Vec<ServerReport>, Unreachable> {
        self.each_report().await.into_iter().collect()
    }

    /// As [`reports`](Self::reports): of each server what it says, or why it cannot be asked.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn each_report(&self) -> Vec<Result<ServerReport, Unreachable>> {
        let servers = self.servers.all();
        let asked =
            servers.iter().map(|server| inspect::report(server, self.report_timeout, self.database));
        join_all(asked).await
    }

    /// How many keys the namespace has, whoever else uses the database: by looking at every key, 25 at a time
    /// with a rest after each, so that others do not notice. That takes some seconds for 100,000 keys; after
    /// `patience` it ends with what was found. A key is counted twice where the server makes room for more
    /// of them meanwhile.
    ///
    /// # Errors
    /// The first server that cannot be reached, or refuses.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn count_keys(&self, patience: Duration) -> Result<KeyCount, Unreachable> {
        let (servers, keyspace) = (self.servers.all(), Keyspace::of(&self.namespace));
        let (clock, limit) = (&*self.clock, self.report_timeout);
        let end = clock.precise().plus(patience);
        let counting =
            servers.iter().map(|server| keyspace::count(server, &keyspace, clock, limit, end));
        let counts: Vec<_> = join_all(counting).await.into_iter().collect::<Result<_, _>>()?;
        let counted = KeyCount::sum(counts);
        Ok(KeyCount { is_whole: counted.is_whole && self.servers.homeless() == 0, ..counted })
    }

    /// Joins every shard, unless that was done before, and says how their parameters compare. Verbs
    /// do so by themselves before their first command on a connection.
    ///
    /// # Errors
    /// The first shard that cannot be reached.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the rest of the shards to be joined later.
    pub async fn joined(&self) -> Result<Vec<ConnectReply>, Unreachable> {
        let mut joined = Vec::with_capacity(self.shards.len());
        for shard in &self.shards {
            joined.push(shard.joined().await?);
        }
        Ok(joined)
    }

    /// Which rights the ACL user lacks to use the namespace, each once a server. Asks for every right in a way
    /// that changes nothing. Without some, the cache works by half: pushes that may not be published are
    /// missed by nobody.
    ///
    /// # Errors
    /// The first server that cannot be reached.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn missing_rights(&self) -> Result<Vec<MissingRight>, Unreachable> {
        let asked = self.shards.iter().map(|shard| {
            let asking = shard.missing_rights(&self.namespace, self.is_cluster);
            tokio::time::timeout(self.report_timeout, asking)
        });
        let mut missing = BTreeSet::new();
        for answer in join_all(asked).await {
            let late = |_| Unreachable::new(format!("no answer within {:?}", self.report_timeout));
            missing.extend(answer.map_err(late)??);
        }
        Ok(missing.into_iter().collect())
    }

    /// How the servers are now. Asks nobody.
    pub fn health(&self) -> RedisHealth {
        RedisHealth {
            servers: self.servers.health(),
            shards_without_server: self.servers.homeless(),
            search_fault: self.servers.search_fault(),
            damaged_values: self.shards.iter().map(|shard| shard.damaged()).sum(),
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("health", &self.health()).finish()
    }
}
