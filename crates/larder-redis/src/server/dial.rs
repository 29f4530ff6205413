//! How one connection to a server is opened: where, as whom, encrypted or not.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
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
}

impl RedisOptions {
    /// A server that keeps shards.
    pub(crate) fn dial<'a>(&'a self, address: &'a Address) -> Dial<'a> {
        let RedisOptions { tls, credentials, database, .. } = self;
        Dial { address, tls: tls.as_ref(), credentials, database: *database }
    }
}

impl Dial<'_> {
    pub(crate) fn client(&self) -> RedisResult<Client> {
        let information = self.information()?;
        let Some(tls) = self.tls else { return Client::open(information) };
        let root_cert = tls.authorities_pem.clone();
        Client::build_with_tls(information, TlsCertificates { client_tls: None, root_cert })
    }

    /// One connection, without pushes. Calls on it count their own time.
    pub(crate) async fn connection(&self, timeout: Duration) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(None);
        self.client()?.get_multiplexed_async_connection_with_config(&config).await
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
        Ok(address.into_connection_info()?.set_redis_settings(redis))
    }
}
