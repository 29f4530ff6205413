//! A fleet on one server, each node behind a proxy of its own.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use larder::LarderBuilder;
use larder::clock::{BoxFuture, Clock, Moment, SystemClock};
use larder_faults::{Crowd, LarderNode, Pace, Report, Source, Times, pause};
use larder_redis::{RedisOptions, Topology};
use larder_rig::{Proxy, RedisServer, Stopwatch};
use tokio::task::JoinSet;

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A sentinel whose machine stood still for two seconds trusts nothing for thirty (TILT mode).
pub(crate) const FAILOVER_PATIENCE: Duration = Duration::from_secs(60);

/// What takes longer has failed, however slow the machine is.
const UNHURRIED: Duration = Duration::from_secs(60);

const NODES: usize = 3;

/// So few that a node that was away for a second finds a gap.
pub(crate) const LOG_RECORDS_MAX: usize = 100;

pub(crate) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[expect(clippy::disallowed_methods, reason = "the environment says what a test run is about")]
pub(crate) fn number(name: &str, fallback: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(fallback)
}

/// How often a server is killed.
pub(crate) fn kills() -> u64 {
    number("LARDER_KILLS", 20)
}

/// How long a fault lasts.
pub(crate) fn fault_lasts() -> Duration {
    millis(number("LARDER_FAULT_MS", 700))
}

/// Completes once `is_so` says yes.
pub(crate) async fn until(what: &str, is_so: impl FnMut() -> bool) {
    until_within(PATIENCE, what, is_so).await;
}

/// As [`until`], with a patience of its own.
pub(crate) async fn until_within(patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = Stopwatch::started();
    while !is_so() {
        assert!(waiting.elapsed() < patience, "waited {patience:?} for {what}");
        pause(millis(2)).await;
    }
}

/// A node that does not take a slow machine for a slow server, set up as a test needs it: for tests that count.
pub(crate) fn patient(
    mut options: RedisOptions,
    set: impl FnOnce(LarderBuilder) -> LarderBuilder,
) -> LarderNode {
    options.command_timeout = UNHURRIED;
    options.breaker.slow_call = UNHURRIED;
    LarderNode::with(options, |builder| {
        set(builder.call_timeout(UNHURRIED).lease_wait_max(UNHURRIED))
    })
}

/// Three nodes with a crowd on them.
pub(crate) struct Fleet {
    pub(crate) server: RedisServer,
    pub(crate) proxies: Vec<Proxy>,
    crowd: Crowd<LarderNode>,
}

impl Fleet {
    pub(crate) async fn start() -> Self {
        let server = RedisServer::start();
        let (mut proxies, mut nodes) = (Vec::new(), Vec::new());
        for _ in 0..NODES {
            let proxy = Proxy::before(server.port()).await;
            let mut options = RedisOptions::new(Topology::single("127.0.0.1", proxy.port()));
            options.log_records_max = LOG_RECORDS_MAX;
            let node = LarderNode::new(options);
            node.redis.connected().await;
            proxies.push(proxy);
            nodes.push(node);
        }
        let crowd = Crowd::on(nodes, Source::new(millis(1)), Pace::default());
        Fleet { server, proxies, crowd }
    }

    /// How often each node has connected.
    pub(crate) fn connects(&self) -> Vec<u64> {
        let connects = |node: &LarderNode| node.redis.health().servers[0].connects;
        self.crowd.nodes().iter().map(connects).collect()
    }

    pub(crate) fn are_connected(&self) -> bool {
        self.crowd.nodes().iter().all(|node| node.redis.health().servers[0].connected)
    }

    /// Whether every node has connected since then, and is connected.
    pub(crate) fn have_reconnected(&self, before: &[u64]) -> bool {
        self.are_connected() && self.connects().iter().zip(before).all(|(now, before)| now > before)
    }

    /// Of the reads since this was last asked.
    pub(crate) fn times(&self) -> Times {
        self.crowd.history().times()
    }

    pub(crate) fn unshared(&self) -> u64 {
        self.crowd.history().unshared()
    }

    /// How many invalidations have returned that were shared then.
    pub(crate) fn told_shared(&self) -> u64 {
        let history = self.crowd.history();
        let unshared = history.unshared();
        history.invalidations().saturating_sub(unshared)
    }

    pub(crate) async fn end(self, row: &'static str) -> Report {
        self.crowd.end(row).await
    }
}

/// Says everything again that is said on the shard's channel, once, a little later and in another order.
pub(crate) struct Echo {
    _echoes: JoinSet<()>,
}

impl Echo {
    pub(crate) async fn on(server: &RedisServer) -> Self {
        let client = redis::Client::open(server.url()).expect("a URL");
        let mut echoes = JoinSet::new();
        echoes.spawn(async move {
            let mut said = HashSet::new();
            let mut says = JoinSet::new();
            loop {
                // It is cut off like every listener.
                let Ok(mut heard) = client.get_async_pubsub().await else { continue };
                let Ok(connection) = client.get_multiplexed_async_connection().await else {
                    continue;
                };
                if heard.subscribe("{faults.1.0}:w").await.is_err() {
                    continue;
                }
                let mut messages = heard.on_message();
                while let Some(message) = messages.next().await {
                    while says.try_join_next().is_some() {}
                    let payload = message.get_payload_bytes().to_vec();
                    if !said.insert(payload.clone()) {
                        continue;
                    }
                    let mut connection = connection.clone();
                    let later = millis(rand::random_range(0..60));
                    says.spawn(async move {
                        pause(later).await;
                        let mut command = redis::cmd("PUBLISH");
                        command.arg("{faults.1.0}:w").arg(payload);
                        let said: redis::RedisResult<u64> =
                            command.query_async(&mut connection).await;
                        drop(said);
                    });
                }
            }
        });
        Echo { _echoes: echoes }
    }
}

/// The system's clock, ahead by a fixed time.
#[derive(Debug)]
struct Ahead(Duration);

impl Clock for Ahead {
    fn coarse(&self) -> Moment {
        SystemClock.coarse().plus(self.0)
    }

    fn precise(&self) -> Moment {
        SystemClock.precise().plus(self.0)
    }

    fn with_suspend(&self) -> Moment {
        SystemClock.with_suspend().plus(self.0)
    }

    fn sleep_until(&self, deadline: Moment) -> BoxFuture<'static, ()> {
        SystemClock.sleep_until(deadline.minus(self.0))
    }
}

/// A node whose clock is ahead.
pub(crate) fn node_with_clock(mut options: RedisOptions, ahead: Duration) -> LarderNode {
    let clock = Arc::new(Ahead(ahead));
    options.clock = Arc::<Ahead>::clone(&clock);
    LarderNode::with(options, |builder| builder.clock(clock))
}
