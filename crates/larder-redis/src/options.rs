//! What the shared tier is configured with, and what is wrong with it, all at once.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use larder::clock::{Clock, SystemClock};
use larder::random::{Random, SystemRandom};
use larder::shard::embedded::LEASE_TTL_MAX;
use larder::shard::parameters::Parameters;
use larder::shard::state::{LEASE_TTL, LOG_RECORDS_MAX};

use redis::{ConnectionAddr, IntoConnectionInfo};

use crate::error::{InvalidUrl, Mistake, OpenError};
use crate::server::breaker::BreakerOptions;

/// The most records that a log in Redis may keep.
pub const RECORDS_MAX: usize = 10_000_000;

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

/// What the shared tier is configured with.
#[derive(Clone)]
pub struct RedisOptions {
    /// The server.
    pub address: Address,
    /// How connections are encrypted; by default not at all.
    pub tls: Option<Tls>,
    /// Who we are to it.
    pub credentials: Credentials,
    /// The number of the database, by default 0.
    pub database: u32,
    /// What all nodes of the namespace must agree on: how many shards, by default 1, and how large
    /// their tag tables are, as the node's `tag_slots`. Where two nodes differ, the higher one
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
    /// Each failed connection lengthens the wait for the next by this much. Default 50 ms.
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
    /// Every default, for this server.
    pub fn new(address: Address) -> Self {
        RedisOptions {
            address,
            tls: None,
            credentials: Credentials::default(),
            database: 0,
            parameters: Parameters::default(),
            log_records_max: LOG_RECORDS_MAX,
            lease_ttl: LEASE_TTL,
            connect_timeout: Duration::from_secs(1),
            command_timeout: Duration::from_millis(500),
            backoff_step: Duration::from_millis(50),
            backoff_max: Duration::from_secs(1),
            breaker: BreakerOptions::default(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }

    /// Every default, for the server of this URL: `redis://` or, with TLS, `rediss://`, then
    /// `[user[:password]@]host[:port][/database]`; or `redis+unix:///path`.
    ///
    /// # Errors
    /// A text that is no such URL. It may hold a password, so it is not repeated.
    pub fn from_url(url: &str) -> Result<Self, InvalidUrl> {
        let information = url.into_connection_info().map_err(|_| InvalidUrl)?;
        let (address, tls) = match information.addr() {
            ConnectionAddr::Tcp(host, port) => (Address::Tcp(host.clone(), *port), None),
            // An unverified certificate protects from nobody.
            ConnectionAddr::TcpTls { insecure: true, .. } => return Err(InvalidUrl),
            ConnectionAddr::TcpTls { host, port, .. } => {
                (Address::Tcp(host.clone(), *port), Some(Tls::default()))
            }
            ConnectionAddr::Unix(path) => (Address::Unix(path.clone()), None),
            _ => return Err(InvalidUrl),
        };
        let settings = information.redis_settings();
        let credentials = Credentials {
            username: settings.username().map(str::to_owned),
            password: settings.password().map(str::to_owned),
        };
        let database = u32::try_from(settings.db()).map_err(|_| InvalidUrl)?;
        Ok(RedisOptions { tls, credentials, database, ..RedisOptions::new(address) })
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
        let BreakerOptions { failures_max, window, calls_min, bad_share_max, probes, .. } =
            self.breaker;
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
        OpenError::unless_empty(mistakes)
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("address", &self.address)
            .field("credentials", &self.credentials)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_who_and_which_database() {
        let options =
            RedisOptions::from_url("redis://shop:s3cret@cache.local:6390/3").expect("a URL");
        assert_eq!(options.address, Address::Tcp("cache.local".into(), 6390));
        assert_eq!(options.credentials.username.as_deref(), Some("shop"));
        assert_eq!((options.database, options.tls), (3, None));
    }

    #[test]
    fn a_url_with_tls_verifies_the_server() {
        let options = RedisOptions::from_url("rediss://cache.local").expect("a URL");
        assert_eq!(options.tls, Some(Tls::default()));
        assert_eq!(options.address, Address::Tcp("cache.local".into(), 6379));
        assert!(RedisOptions::from_url("rediss://cache.local/#insecure").is_err());
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused_and_not_repeated() {
        for url in ["", "cache.local:6379", "http://cache.local", "redis://:s3cret@", "redis://a/b"] {
            let error = RedisOptions::from_url(url).expect_err(url).to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let options = RedisOptions::from_url("redis://:s3cret@cache.local").expect("a URL");
        assert!(!format!("{options:?}").contains("s3cret"));
    }

    #[test]
    fn options_out_of_range_are_all_named_at_once() {
        let mut options = RedisOptions::new(Address::Tcp("cache.local".into(), 6379));
        options.log_records_max = 0;
        options.connect_timeout = Duration::ZERO;
        options.breaker.probes = 0;
        let error = options.check("a{b").expect_err("four mistakes");
        let fields: Vec<&str> = error.mistakes.iter().map(|mistake| mistake.field).collect();
        assert_eq!(fields, ["namespace", "log_records_max", "connect_timeout", "breaker.probes"]);
    }
}
