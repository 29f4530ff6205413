//! Which servers there are, and how they are reached.

use std::fmt;
use std::path::PathBuf;

use larder::shard::parameters::Parameters;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A host name or IP address, and a port.
    Tcp(String, u16),
    /// The path of a socket on this machine.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp(host, port) => write!(f, "{host}:{port}"),
            Address::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Which servers keep the shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// One server keeps them all.
    Single(Address),
    /// The master that Sentinel names keeps them all. Who replaces it begins anew, so that a failover
    /// that loses writes costs loads, never a stale answer.
    Sentinel {
        /// Some of the sentinels: who answered last is asked first, then in this order.
        sentinels: Vec<Address>,
        /// The name of the master, as the sentinels know it.
        master: String,
        /// Who we are to the sentinels; not to the master.
        credentials: Credentials,
    },
    /// The masters of a cluster: each keeps the shards of its hash slots. Some of its servers are
    /// enough, the others are found.
    Cluster(Vec<Address>),
}

/// How many shards a namespace has on a cluster, unless the options say otherwise.
pub const CLUSTER_SHARDS: u32 = 16;

impl Topology {
    /// One server.
    pub fn single(host: impl Into<String>, port: u16) -> Self {
        Topology::Single(Address::Tcp(host.into(), port))
    }

    pub(crate) fn parameters(&self) -> Parameters {
        let parameters = Parameters::default();
        match self {
            Topology::Single(_) | Topology::Sentinel { .. } => parameters,
            Topology::Cluster(_) => Parameters::new(CLUSTER_SHARDS, parameters.tag_slots())
                .expect("the defaults are in range"),
        }
    }

    /// What is wrong with it.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        match self {
            Topology::Sentinel { sentinels, .. } if sentinels.is_empty() => {
                Some("names no sentinel; it needs at least one")
            }
            Topology::Sentinel { master, .. } if master.is_empty() => {
                Some("has an empty name of a master; sentinels know it by one")
            }
            Topology::Cluster(seeds) if seeds.is_empty() => {
                Some("names no server of the cluster; it needs at least one")
            }
            Topology::Single(_) | Topology::Sentinel { .. } | Topology::Cluster(_) => None,
        }
    }
}

/// Who we are to the server. Never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The ACL user; `None` is the default user.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "…");
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("password", &password)
            .finish()
    }
}

/// How a connection is encrypted. The certificate of the server is always verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The certificates that vouch for the server's, in PEM; `None`: those of the system.
    pub authorities_pem: Option<Vec<u8>>,
}
