//! What the shared tier is configured with, and what is wrong with it, all at once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use larder::clock::{Clock, SystemClock};
use larder::random::{Random, SystemRandom};
use larder::shard::embedded::LEASE_TTL_MAX;
use larder::shard::parameters::Parameters;
use larder::shard::state::{LEASE_TTL, LOG_RECORDS_MAX};

use crate::address::{Credentials, Tls, Topology};
use crate::error::{Mistake, OpenError};
use crate::server::breaker::BreakerOptions;

/// The most records that a log in Redis may keep.
pub const RECORDS_MAX: usize = 10_000_000;

/// What the shared tier is configured with.
#[derive(Clone)]
pub struct RedisOptions {
    /// The servers.
    pub topology: Topology,
    /// How connections are encrypted; by default not at all.
    pub tls: Option<Tls>,
    /// Who we are to it.
    pub credentials: Credentials,
    /// The number of the database, by default 0; a cluster has no other.
    pub database: u32,
    /// What all nodes of the namespace must agree on: how many shards, by default 1, on a cluster 16,
    /// and how large their tag tables are, as the node's `tag_slots`. Where two nodes differ, the higher one
    /// starts anew, and the lower one leaves the shared tier.
    pub parameters: Parameters,
    /// How many records the log keeps, by default 100,000. A node that was away for longer than
    /// they reach back drops its memory.
    pub log_records_max: usize,
    /// How long a lease lasts that is not renewed; as the node's `lease_ttl`, by default 10 s.
    pub lease_ttl: Duration,
    /// How long a connection may take until it can be used. Default 1 s.
    pub connect_timeout: Duration,
    /// How long an answer may take, with its tries. Default 500 ms.
    pub command_timeout: Duration,
    /// How often the connection that listens is asked whether it is still heard: silent for
    /// `command_timeout`, it is opened anew. A connection that says nothing for as long is probed by the
    /// operating system too (TCP keepalive). Default 10 s.
    pub keepalive: Duration,
    /// Each failed connection lengthens the wait for the next by this much; the first comes at once. A read whose
    /// connection was lost waits half of this for the next one. Default 50 ms.
    pub backoff_step: Duration,
    /// The longest wait between two connections. Default 1 s.
    pub backoff_max: Duration,
    /// When reads and fills stop asking a server that is slow or fails.
    pub breaker: BreakerOptions,
    /// Counts the breaker's times, the waits between connections and the server's time; by default
    /// that of the operating system. Timeouts are tokio's.
    pub clock: Arc<dyn Clock>,
    /// Draws epochs and jitter; by default unpredictable.
    pub random: Arc<dyn Random>,
}

impl RedisOptions {
    /// Every default, for these servers.
    pub fn new(topology: Topology) -> Self {
        RedisOptions {
            parameters: topology.parameters(),
            topology,
            tls: None,
            credentials: Credentials::default(),
            database: 0,
            log_records_max: LOG_RECORDS_MAX,
            lease_ttl: LEASE_TTL,
            connect_timeout: Duration::from_secs(1),
            command_timeout: Duration::from_millis(500),
            keepalive: Duration::from_secs(10),
            backoff_step: Duration::from_millis(50),
            backoff_max: Duration::from_secs(1),
            breaker: BreakerOptions::default(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }

    /// Every mistake at once, also of the namespace that these options are to serve.
    pub(crate) fn check(&self, namespace: &str) -> Result<(), OpenError> {
        let mut mistakes = Vec::new();
        let mut refuse = |wrong: bool, field, problem: String| {
            if wrong {
                mistakes.push(Mistake::new(field, problem));
            }
        };
        // Braces would end the hash tag that keeps a shard's keys in one slot.
        let named = (1..=64).contains(&namespace.len()) && !namespace.contains(['\0', '{', '}']);
        refuse(
            !named,
            "namespace",
            format!("is `{namespace}`; it must have 1 to 64 bytes, without NUL and braces"),
        );
        let records = self.log_records_max;
        refuse(
            !(1..=RECORDS_MAX).contains(&records),
            "log_records_max",
            format!("is {records}; it must be 1 to {RECORDS_MAX}"),
        );
        let times = [
            ("lease_ttl", self.lease_ttl),
            ("connect_timeout", self.connect_timeout),
            ("command_timeout", self.command_timeout),
            ("keepalive", self.keepalive),
            ("backoff_step", self.backoff_step),
            ("backoff_max", self.backoff_max),
            ("breaker.slow_call", self.breaker.slow_call),
            ("breaker.open_for", self.breaker.open_for),
        ];
        for (field, time) in times {
            refuse(
                !(Duration::from_millis(1)..=LEASE_TTL_MAX).contains(&time),
                field,
                format!("is {time:?}; it must be 1 ms to {LEASE_TTL_MAX:?}"),
            );
        }
        check_breaker(&self.breaker, &mut refuse);
        let topology = self.topology.problem();
        refuse(topology.is_some(), "topology", topology.unwrap_or_default().to_owned());
        let is_cluster = matches!(self.topology, Topology::Cluster(_));
        refuse(
            is_cluster && self.database != 0,
            "database",
            format!("is {}; a cluster has only the database 0", self.database),
        );
        OpenError::unless_empty(mistakes)
    }
}

fn check_breaker(options: &BreakerOptions, refuse: &mut impl FnMut(bool, &'static str, String)) {
    let &BreakerOptions { failures_max, window, calls_min, bad_share_max, probes, .. } = options;
    refuse(
        !(1..=window.min(10_000)).contains(&calls_min),
        "breaker.calls_min",
        format!("is {calls_min}; it must be 1 to the window, {window}, which has at most 10,000"),
    );
    refuse(
        !(0.0..=1.0).contains(&bad_share_max) || bad_share_max == 0.0,
        "breaker.bad_share_max",
        format!("is {bad_share_max}; it must be above 0 and at most 1"),
    );
    refuse(failures_max == 0, "breaker.failures_max", "is 0; it must be at least 1".into());
    refuse(probes == 0, "breaker.probes", "is 0; it must be at least 1".into());
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("topology", &self.topology)
            .field("credentials", &self.credentials)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let options = RedisOptions::from_url("redis://:s3cret@cache.local").expect("a URL");
        assert!(!format!("{options:?}").contains("s3cret"));
    }

    #[test]
    fn options_out_of_range_are_all_named_at_once() {
        let mut options = RedisOptions::new(Topology::single("cache.local", 6379));
        options.log_records_max = 0;
        options.connect_timeout = Duration::ZERO;
        options.breaker.probes = 0;
        let error = options.check("a{b").expect_err("four mistakes");
        let fields: Vec<&str> = error.mistakes.iter().map(|mistake| mistake.field).collect();
        assert_eq!(fields, ["namespace", "log_records_max", "connect_timeout", "breaker.probes"]);
    }

    #[test]
    fn servers_that_are_none_are_named() {
        let nobody = Topology::Sentinel {
            sentinels: Vec::new(),
            master: "shop".into(),
            credentials: Credentials::default(),
        };
        let mut numbered = RedisOptions::new(Topology::Cluster(Vec::new()));
        numbered.database = 3;
        for (options, fields) in
            [(RedisOptions::new(nobody), vec!["topology"]), (numbered, vec!["topology", "database"])]
        {
            let error = options.check("shop").expect_err("a mistake");
            let found: Vec<&str> = error.mistakes.iter().map(|mistake| mistake.field).collect();
            assert_eq!(found, fields);
        }
    }
}
