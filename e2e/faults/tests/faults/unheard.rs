//! What a node does with what it did not hear, one step after the other: luck under load seldom meets these.

use std::io;

use larder_faults::{LarderNode, Node, STALENESS_MAX, Source, Told, pause};
use larder_redis::{Credentials, RedisOptions, Topology};
use larder_rig::{Fault, Proxy, RedisServer};
use tokio::sync::oneshot;

use crate::support::{LOG_RECORDS_MAX, millis};

/// A row that is dropped by its key.
const BY_KEY: usize = 6;
/// A row that is dropped by its tag: its value stays in the shared tier, and whoever reads it judges it.
const BY_TAG: usize = 7;

fn on(port: u16) -> RedisOptions {
    let mut options = RedisOptions::new(Topology::single("127.0.0.1", port));
    options.log_records_max = LOG_RECORDS_MAX;
    options
}

/// The load begins before its row is dropped and ends after the node has caught up, over a gap: nothing
/// names its key any more, but that it began before the gap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_crosses_a_gap_of_the_log_is_not_kept() {
    let (server, source) = (RedisServer::start(), Source::new(millis(0)));
    let proxy = Proxy::before(server.port()).await;
    let (node, other) = (LarderNode::new(on(proxy.port())), LarderNode::new(on(server.port())));
    // Nothing is kept before the log was asked once.
    for node in [&node, &other] {
        node.share(8, &source).await;
    }
    let (begin, begun) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let rows = source.clone();
    let load = move |_| async move {
        let version = rows.load(BY_KEY).await;
        begin.send(()).expect("the test waits for it");
        ended.await.map_err(io::Error::other)?;
        Ok::<_, io::Error>(version)
    };
    let row = BY_KEY as u64;
    let reading = node.cache.get_or_load(&row, load);
    let crossing = async {
        begun.await.expect("the load begins");
        proxy.inflict(Fault::Cut);
        node.redis.lost().await;
        let changed = source.change(BY_KEY);
        for key in std::iter::once(BY_KEY).chain(std::iter::repeat_n(8, 2 * LOG_RECORDS_MAX)) {
            assert!(matches!(other.invalidate(key).await, Told::Shared));
        }
        proxy.inflict(Fault::None);
        node.redis.connected().await;
        pause(STALENESS_MAX).await;
        end.send(()).expect("the load waits for it");
        changed
    };
    let (read, changed) = tokio::join!(reading, crossing);
    assert_eq!(*read.expect("the source is healthy"), 0, "it began before the change");
    let answer = node.read(BY_KEY, &source).await.expect("the source is healthy");
    assert_eq!(answer.version, changed, "{} held what was invalidated", answer.origin);
}

/// Two nodes of which one may not speak to the log any more, and the other's words are lost.
struct Deaf {
    node: LarderNode,
    other: LarderNode,
    source: Source,
    _server: RedisServer,
}

impl Deaf {
    async fn from_now_on() -> Self {
        let (server, source) = (RedisServer::start(), Source::new(millis(0)));
        let set_user = |user: &str, rules: &[&str]| {
            server.ask::<()>(redis::cmd("ACL").arg("SETUSER").arg(user).arg(rules));
        };
        let node_of = |user: &str| {
            set_user(user, &["on", ">s3cret", "~*", "&*", "+@all"]);
            let (username, password) = (Some(user.to_owned()), Some("s3cret".to_owned()));
            let mut options = on(server.port());
            options.credentials = Credentials { username, password };
            LarderNode::new(options)
        };
        let (node, other) = (node_of("deaf"), node_of("dumb"));
        for node in [&node, &other] {
            node.share(8, &source).await;
        }
        other.share(BY_TAG, &source).await;
        // A server that pushes nothing and answers no script is still read from.
        set_user("dumb", &["-publish"]);
        set_user("deaf", &["-eval", "-evalsha"]);
        Deaf { node, other, source, _server: server }
    }

    /// Changes the row, and lets the bound pass.
    async fn change(&self) -> u64 {
        let changed = self.source.change(BY_TAG);
        assert!(matches!(self.other.invalidate(BY_TAG).await, Told::Shared));
        pause(STALENESS_MAX).await;
        changed
    }

    async fn read(&self) -> (u64, &'static str) {
        let answer = self.node.read(BY_TAG, &self.source).await.expect("the source is healthy");
        (answer.version, answer.origin)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_cannot_ask_for_the_log_takes_nothing_from_the_shared_tier() {
    let deaf = Deaf::from_now_on().await;
    let changed = deaf.change().await;
    assert_eq!(deaf.read().await, (changed, "the source"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_cannot_ask_for_the_log_takes_its_own_loads_only_as_long_as_the_bound_allows() {
    let deaf = Deaf::from_now_on().await;
    let changed = deaf.change().await;
    assert_eq!(deaf.read().await, (changed, "the source"));
    assert_eq!(deaf.read().await, (changed, "memory"));
    let changed = deaf.change().await;
    assert_eq!(deaf.read().await, (changed, "the source"));
}
