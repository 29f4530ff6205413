//! A server, nodes on it, and a source whose every change has a number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use larder::clock::{Clock, SystemClock};
use larder::shard::{LeaseReply, ServerTime, StoredEntry};
use larder::{Cache, Hit, Larder, Origin};
use larder_redis::{Redis, RedisOptions, Topology};

/// What takes longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A sentinel whose machine stood still for two seconds trusts nothing for thirty (TILT mode).
pub(crate) const FAILOVER_PATIENCE: Duration = Duration::from_secs(60);

/// Completes once `is_so` says yes.
pub(crate) async fn until(what: &str, is_so: impl AsyncFnMut() -> bool) {
    until_within(PATIENCE, what, is_so).await;
}

/// As [`until`], with a patience of its own.
pub(crate) async fn until_within(
    patience: Duration,
    what: &str,
    mut is_so: impl AsyncFnMut() -> bool,
) {
    let waiting = async {
        while !is_so().await {
            pause(millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(patience, waiting).await;
    assert!(waited.is_ok(), "{what} did not happen within {patience:?}");
}

/// Lets real time go by: a server's clock cannot be turned.
pub(crate) async fn pause(span: Duration) {
    SystemClock.sleep_until(SystemClock.precise().plus(span)).await;
}

/// A register that counts its changes and its reads.
#[derive(Clone, Default)]
pub(crate) struct Source {
    version: Arc<AtomicU32>,
    loads: Arc<AtomicU32>,
}

impl Source {
    /// The next version, from now on.
    pub(crate) fn change(&self) -> u32 {
        self.version.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn loads(&self) -> u32 {
        self.loads.load(Ordering::SeqCst)
    }

    /// Reads the version that is there when the read begins, which takes this long.
    pub(crate) async fn load(&self, takes: Duration) -> Result<u32, std::io::Error> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let version = self.version.load(Ordering::SeqCst);
        pause(takes).await;
        Ok(version)
    }
}

/// One node of the fleet.
pub(crate) struct Node {
    pub(crate) redis: Redis,
    pub(crate) larder: Larder,
    pub(crate) cache: Cache<u64, u32>,
}

impl Node {
    pub(crate) async fn on(port: u16) -> Self {
        let node = Node::without_waiting(port);
        node.redis.connected().await;
        node
    }

    pub(crate) fn without_waiting(port: u16) -> Self {
        Node::with(RedisOptions::new(Topology::single("127.0.0.1", port)))
    }

    pub(crate) fn with(options: RedisOptions) -> Self {
        let redis = Redis::open("fleet", options).expect("options in range");
        let larder = Larder::builder("fleet").shards(redis.shards()).build();
        let larder = larder.expect("settings in range");
        let cache = larder.cache("numbers").jitter(0.0).build().expect("a cache");
        Node { redis, larder, cache }
    }

    pub(crate) async fn read(&self, key: u64, source: &Source) -> Hit<u32> {
        let source = source.clone();
        let read = self.cache.get_or_load(&key, |_| async move { source.load(millis(0)).await });
        read.await.expect("the loader is healthy")
    }

    /// Loads until the shared tier has the value: it has none of loads before its shard was joined.
    pub(crate) async fn share(&self, key: u64, source: &Source) {
        until("a shared value", async || {
            let source = source.clone();
            let load = |_| async move { source.load(millis(0)).await };
            let read = self.cache.read(&key).skip_memory().await_fill().get_or_load(load);
            read.await.expect("the loader is healthy").origin() == Origin::Shared
        })
        .await;
    }

    /// Completes once the shared tier has a value of this key: nobody waits for a fill.
    pub(crate) async fn stored(&self, key: u64) {
        until("a stored value", async || self.cache.read(&key).skip_memory().get().await.is_some())
            .await;
    }

    /// Reads until the answer has this origin.
    pub(crate) async fn read_from(&self, origin: Origin, key: u64, source: &Source) -> u32 {
        let mut found = None;
        until(&format!("a read from {origin:?}"), async || {
            let hit = self.read(key, source).await;
            found = Some(*hit);
            hit.origin() == origin
        })
        .await;
        found.expect("it was read")
    }
}

/// An entry as a load under this lease would make it.
pub(crate) fn entry(token: u128, reply: &LeaseReply, until: ServerTime) -> StoredEntry {
    let LeaseReply::Granted { epoch, as_of } = *reply else { panic!("{reply:?}") };
    StoredEntry {
        id: token,
        epoch,
        as_of,
        soft: false,
        tags: Arc::from([]),
        fresh_until: until,
        expires_at: until,
        ends_at: None,
        load_cost: Duration::ZERO,
        loaded_at: until,
        fingerprint: 7,
        payload: None,
    }
}

/// What the node says about its last attempt to connect.
pub(crate) async fn refusal(node: &Node) -> String {
    let fault = || node.redis.health().servers[0].last_fault.clone();
    until("a refusal", async || fault().is_some()).await;
    fault().expect("it was refused")
}
