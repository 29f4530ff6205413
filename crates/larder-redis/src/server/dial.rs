//! How one connection to a server is opened: where, as whom, encrypted or not.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use redis::{ProtocolVersion, RedisConnectionInfo, RedisResult, TlsCertificates};

use crate::address::{Address, Credentials, Tls};
use crate::options::RedisOptions;

/// Who dials which server.
pub(crate) struct Dial<'a> {
    pub(crate) address: &'a Address,
    pub(crate) tls: Option<&'a Tls>,
    pub(crate) credentials: &'a Credentials,
    pub(crate) database: u32,
    /// How long a connection may be silent until the operating system probes it.
    pub(crate) keepalive: Duration,
}

impl RedisOptions {
    /// A server that keeps shards.
    pub(crate) fn dial<'a>(&'a self, address: &'a Address) -> Dial<'a> {
        let RedisOptions { tls, credentials, database, keepalive, .. } = self;
        let (tls, database, keepalive) = (tls.as_ref(), *database, *keepalive);
        Dial { address, tls, credentials, database, keepalive }
    }
}

impl Dial<'_> {
    pub(crate) fn client(&self) -> RedisResult<Client> {
        let information = self.information()?;
        let Some(tls) = self.tls else { return Client::open(information) };
        let root_cert = tls.authorities_pem.clone();
        Client::build_with_tls(information, TlsCertificates { client_tls: None, root_cert })
    }

    /// One connection, without pushes.
    pub(crate) async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        self.client()?.get_multiplexed_async_connection_with_config(&config()).await
    }

    fn information(&self) -> RedisResult<ConnectionInfo> {
        let address = match self.address {
            Address::Unix(path) => ConnectionAddr::Unix(path.clone()),
            Address::Tcp(host, port) if self.tls.is_some() => ConnectionAddr::TcpTls {
                host: host.clone(),
                port: *port,
                insecure: false,
                tls_params: None,
            },
            Address::Tcp(host, port) => ConnectionAddr::Tcp(host.clone(), *port),
        };
        let mut redis = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_db(i64::from(self.database))
            .set_skip_set_lib_name();
        if let Some(username) = &self.credentials.username {
            redis = redis.set_username(username);
        }
        if let Some(password) = &self.credentials.password {
            redis = redis.set_password(password);
        }
        // Systems count whole seconds, and refuse none.
        let silence = self.keepalive.max(Duration::from_secs(1));
        let keepalive = TcpKeepalive::new().with_time(silence).with_interval(silence);
        // A command must not wait until what was sent before it is acknowledged.
        let tcp = TcpSettings::default().set_keepalive(keepalive).set_nodelay(true);
        Ok(address.into_connection_info()?.set_redis_settings(redis).set_tcp_settings(tcp))
    }
}

/// Whoever dials or calls counts the time of both: the client's own timers would say it in other words.
pub(crate) fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Topology;

    #[test]
    fn the_operating_system_probes_silent_connections_and_holds_no_command_back() {
        let options = RedisOptions::new(Topology::single("cache.local", 6379));
        let address = Address::Tcp("cache.local".into(), 6379);
        let information = options.dial(&address).information().expect("an address");
        let tcp = information.tcp_settings();
        assert!(tcp.keepalive().is_some() && tcp.nodelay());
    }
}
