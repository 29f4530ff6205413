//! Reads the URL of servers. What is in common with other clients of Redis is left to theirs.

use redis::{ConnectionAddr, IntoConnectionInfo};

use crate::address::{Address, Credentials, Tls, Topology};
use crate::error::InvalidUrl;
use crate::options::RedisOptions;

const SENTINEL_PORT: u16 = 26379;
const PORT: u16 = 6379;

impl RedisOptions {
    /// Every default, for the servers of this URL:
    /// - `redis://` or, with TLS, `rediss://`, then `[user[:password]@]host[:port][/database]`
    /// - `redis+unix:///path` of a socket
    /// - `redis-sentinel://` or `rediss-sentinel://`, then
    ///   `[user[:password]@]host[:port][,host[:port]…][/database]?master=name`. The sentinels have
    ///   the port 26379 by default; user and password are for the master. Who we are to the sentinels, if they ask,
    ///   follows as `&sentinel_username=user` and `&sentinel_password=password`, percent-encoded as the others
    /// - `redis-cluster://` or `rediss-cluster://`, then `[user[:password]@]host[:port][,host[:port]…]`
    ///
    /// # Errors
    /// A text that is no such URL. It may hold a password, so it is not repeated.
    pub fn from_url(url: &str) -> Result<Self, InvalidUrl> {
        read(url).ok_or(InvalidUrl)
    }
}

/// `None`: it is no such URL.
fn read(url: &str) -> Option<RedisOptions> {
    let (scheme, rest) = url.split_once("://")?;
    match scheme {
        "redis-sentinel" => sentinel("redis", rest),
        "rediss-sentinel" => sentinel("rediss", rest),
        "redis-cluster" => cluster("redis", rest),
        "rediss-cluster" => cluster("rediss", rest),
        _ => single(url),
    }
}

fn single(url: &str) -> Option<RedisOptions> {
    let information = url.into_connection_info().ok()?;
    let (address, tls) = match information.addr() {
        ConnectionAddr::Tcp(host, port) => (Address::Tcp(host.clone(), *port), None),
        // An unverified certificate protects from nobody.
        ConnectionAddr::TcpTls { insecure: true, .. } => return None,
        ConnectionAddr::TcpTls { host, port, .. } => {
            (Address::Tcp(host.clone(), *port), Some(Tls::default()))
        }
        ConnectionAddr::Unix(path) => (Address::Unix(path.clone()), None),
        _ => return None,
    };
    let settings = information.redis_settings();
    let credentials = Credentials {
        username: settings.username().map(str::to_owned),
        password: settings.password().map(str::to_owned),
    };
    let database = u32::try_from(settings.db()).ok()?;
    Some(RedisOptions { tls, credentials, database, ..RedisOptions::new(Topology::Single(address)) })
}

fn sentinel(scheme: &str, rest: &str) -> Option<RedisOptions> {
    let (rest, query) = rest.split_once('?')?;
    let (mut master, mut username, mut password) = (None, None, None);
    for (name, value) in
        query.split('&').map(|pair| pair.split_once('=')).collect::<Option<Vec<_>>>()?
    {
        let place = match name {
            "master" => &mut master,
            "sentinel_username" => &mut username,
            "sentinel_password" => &mut password,
            _ => return None,
        };
        if value.is_empty() || value.contains('#') || place.replace(value).is_some() {
            return None;
        }
    }
    let credentials = to_sentinels(username, password)?;
    let (sentinels, options) = several(scheme, rest, SENTINEL_PORT)?;
    let topology = Topology::Sentinel { sentinels, master: master?.to_owned(), credentials };
    Some(of(topology, options))
}

/// As the user and the password of any URL.
fn to_sentinels(username: Option<&str>, password: Option<&str>) -> Option<Credentials> {
    let Some(password) = password else {
        // A name alone proves nothing.
        return username.is_none().then(Credentials::default);
    };
    let url = format!("redis://{}:{password}@sentinel", username.unwrap_or_default());
    let options = single(&url)?;
    // What is not encoded ends the user early.
    (options.topology == Topology::single("sentinel", PORT)).then_some(options.credentials)
}

fn cluster(scheme: &str, rest: &str) -> Option<RedisOptions> {
    let (seeds, options) = several(scheme, rest, PORT)?;
    let topology = Topology::Cluster(seeds);
    (options.database == 0).then(|| of(topology, options))
}

/// What the URL says besides the servers.
fn of(topology: Topology, said: RedisOptions) -> RedisOptions {
    let RedisOptions { tls, credentials, database, .. } = said;
    RedisOptions { tls, credentials, database, ..RedisOptions::new(topology) }
}

/// `[user[:password]@]host[:port][,host[:port]…][/database]`: the hosts, and what a URL of one of
/// them says.
fn several(scheme: &str, rest: &str, port: u16) -> Option<(Vec<Address>, RedisOptions)> {
    let (before, hosts) = rest.rsplit_once('@').map_or(("", rest), |(user, hosts)| (user, hosts));
    let user = if rest.contains('@') { format!("{before}@") } else { String::new() };
    let (hosts, path) = hosts.split_once('/').unwrap_or((hosts, ""));
    let one = |host: &str| {
        let numbered = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if numbered { host.to_owned() } else { format!("{host}:{port}") };
        single(&format!("{scheme}://{user}{host}/{path}"))
    };
    let options: Vec<RedisOptions> = hosts.split(',').map(one).collect::<Option<_>>()?;
    let address = |options: &RedisOptions| match &options.topology {
        Topology::Single(address) => Some(address.clone()),
        Topology::Sentinel { .. } | Topology::Cluster(_) => None,
    };
    let addresses = options.iter().map(address).collect::<Option<_>>()?;
    Some((addresses, options.into_iter().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp(host.into(), port)
    }

    #[test]
    fn a_url_says_where_and_who_and_which_database() {
        let options =
            RedisOptions::from_url("redis://shop:s3cret@cache.local:6390/3").expect("a URL");
        assert_eq!(options.topology, Topology::single("cache.local", 6390));
        assert_eq!(options.credentials.username.as_deref(), Some("shop"));
        assert_eq!((options.database, options.tls), (3, None));
    }

    #[test]
    fn a_url_with_tls_verifies_the_server() {
        let options = RedisOptions::from_url("rediss://cache.local").expect("a URL");
        assert_eq!(options.tls, Some(Tls::default()));
        assert_eq!(options.topology, Topology::single("cache.local", 6379));
        assert!(RedisOptions::from_url("rediss://cache.local/#insecure").is_err());
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused_and_not_repeated() {
        for url in [
            "",
            "cache.local:6379",
            "http://cache.local",
            "redis://:s3cret@",
            "redis://a/b",
            "redis-sentinel://:s3cret@a,b",
            "redis-sentinel://:s3cret@a,b?master=",
            "redis-sentinel://a?master=b&sentinel_username=s3cret",
            "redis-sentinel://a?master=b&sentinel_password=s3cret/1",
            "redis-sentinel://a?master=b&master=s3cret",
            "redis-sentinel://a?master=b&s3cret",
            "redis-cluster://:s3cret@",
            "redis-cluster://:s3cret@a,,b",
            "redis-cluster://:s3cret@a,b/1",
        ] {
            let error = RedisOptions::from_url(url).expect_err(url).to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_url_of_sentinels_names_them_and_their_master() {
        let url = "rediss-sentinel://shop:s%40cret@one,two:26380,[::1]/2?master=cache";
        let options = RedisOptions::from_url(url).expect("a URL");
        let sentinels = vec![tcp("one", 26379), tcp("two", 26380), tcp("::1", 26379)];
        let (master, credentials) = ("cache".to_owned(), Credentials::default());
        assert_eq!(options.topology, Topology::Sentinel { sentinels, master, credentials });
        assert_eq!(options.credentials.password.as_deref(), Some("s@cret"));
        assert_eq!((options.database, options.tls), (2, Some(Tls::default())));
        assert_eq!(options.parameters.shards(), 1);
    }

    #[test]
    fn a_url_of_sentinels_says_who_we_are_to_them() {
        let url = "redis-sentinel://shop:other@one?master=cache&sentinel_username=watch&sentinel_password=s%26%2Bcret";
        let options = RedisOptions::from_url(url).expect("a URL");
        let Topology::Sentinel { credentials, .. } = options.topology else { panic!("{options:?}") };
        assert_eq!(credentials.username.as_deref(), Some("watch"));
        assert_eq!(credentials.password.as_deref(), Some("s&+cret"));
        assert_eq!(options.credentials.password.as_deref(), Some("other"));
        let alone = "redis-sentinel://one?sentinel_password=s3cret&master=cache";
        let options = RedisOptions::from_url(alone).expect("a URL");
        let Topology::Sentinel { credentials, .. } = options.topology else { panic!("{options:?}") };
        assert_eq!((credentials.username, credentials.password.as_deref()), (None, Some("s3cret")));
    }

    #[test]
    fn a_url_of_a_cluster_names_some_of_its_servers() {
        let options = RedisOptions::from_url("redis-cluster://one:7000,two").expect("a URL");
        assert_eq!(options.topology, Topology::Cluster(vec![tcp("one", 7000), tcp("two", 6379)]));
        assert_eq!((options.parameters.shards(), options.tls), (16, None));
    }
}
