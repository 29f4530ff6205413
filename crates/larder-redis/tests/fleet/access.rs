//! A user who may do little.

use std::collections::BTreeSet;
use std::time::Duration;

use larder::Origin;
use larder_redis::{Address, Credentials, Redis, RedisOptions, Topology};
use larder_rig::{RedisCluster, RedisServer};

use crate::support::{Node, Source, refusal, until};

/// Gives these rights to a user who has a password, and who may touch the keys and channels of the namespace.
fn allow(server: &RedisServer, rights: &[&str]) {
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("node").arg("reset").arg("on").arg(">s3cret").arg("~{fleet.*");
    // Before version 7 every channel is allowed unless they are taken away first.
    command.arg("resetchannels").arg("&{fleet.*").arg(rights);
    server.ask::<()>(&command);
}

fn as_user(topology: Topology) -> RedisOptions {
    let mut options = RedisOptions::new(topology);
    // What is slow for once is not what is forbidden.
    options.command_timeout = Duration::from_secs(5);
    options.credentials =
        Credentials { username: Some("node".into()), password: Some("s3cret".into()) };
    options
}

/// A user with every right but the dangerous ones, and this one.
fn limited(server: &RedisServer, info: &str) -> RedisOptions {
    allow(server, &["+@all", "-@dangerous", info]);
    as_user(Topology::single("127.0.0.1", server.port()))
}

/// Whether a node can load, share, invalidate by name and by pattern, and write through.
async fn uses_everything(options: RedisOptions, source: &Source) {
    let node = Node::with(options);
    node.redis.connected().await;
    node.share(7, source).await;
    node.read_from(Origin::Memory, 7, source).await;
    let pattern = larder::Pattern::glob("numbers:*").expect("a glob");
    for named in
        [larder::Invalidation::new().pattern(pattern), larder::Invalidation::new().everything()]
    {
        let changed = source.change();
        // A server that is busy for once is asked again.
        until("a shared invalidation", async || {
            node.larder.invalidate(named.clone()).await.position().is_some()
        })
        .await;
        assert_eq!(*node.read(7, source).await, changed);
    }
    let changed = source.change();
    // Whoever loads the key has its lease.
    until("a stored value", async || node.cache.set(&7, changed).await.stored).await;
    assert_eq!(*node.read(7, source).await, changed);
    node.redis.reports().await.expect("INFO is allowed");
}

/// What the user lacks.
async fn missing(options: RedisOptions) -> BTreeSet<String> {
    let redis = Redis::open("fleet", options).expect("options in range");
    redis.connected().await;
    let missing = redis.missing_rights().await.expect("the server answers");
    missing.into_iter().map(|missing| missing.rule).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_limited_to_the_namespace_is_enough() {
    let (server, source) = (RedisServer::start(), Source::default());
    uses_everything(limited(&server, "+info"), &source).await;
    assert_eq!(missing(limited(&server, "+info")).await, BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_info_is_told_so() {
    let (server, source) = (RedisServer::start(), Source::default());
    let node = Node::with(limited(&server, "-info"));
    node.read(7, &source).await;
    let refused = refusal(&node).await;
    assert!(refused.contains("+info"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rights_that_are_named_as_missing_are_all_that_is_missing() {
    let (server, source) = (RedisServer::start(), Source::default());
    allow(&server, &["-@all"]);
    let options = || as_user(Topology::single("127.0.0.1", server.port()));
    let named = missing(options()).await;
    assert!(named.len() > 15 && named.iter().all(|rule| rule.starts_with('+')), "{named:?}");
    let rules: Vec<&str> = named.iter().map(String::as_str).collect();
    allow(&server, &rules);
    assert_eq!(missing(options()).await, BTreeSet::new());
    uses_everything(options(), &source).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_right_that_is_missing_is_named_and_no_other() {
    let server = RedisServer::start();
    for right in ["scan", "publish", "xadd", "hset", "hincrby", "subscribe", "setrange", "time"] {
        allow(&server, &["+@all", "-@dangerous", "+info", &format!("-{right}")]);
        let options = as_user(Topology::single("127.0.0.1", server.port()));
        assert_eq!(missing(options).await, BTreeSet::from([format!("+{right}")]));
    }
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("node").arg("+@all").arg("resetkeys").arg("~{fleet.1.0}:v:*");
    server.ask::<()>(command.arg("resetchannels"));
    let options = as_user(Topology::single("127.0.0.1", server.port()));
    let lacks = ["&{fleet.*".to_owned(), "~{fleet.*".to_owned()];
    assert_eq!(missing(options).await, BTreeSet::from(lacks));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_for_rights_leaves_nothing_behind() {
    let server = RedisServer::start();
    missing(RedisOptions::new(Topology::single("127.0.0.1", server.port()))).await;
    assert_eq!(server.ask::<u64>(&redis::cmd("DBSIZE")), 0);
}

/// A cluster on which the user has these rights everywhere.
fn cluster(rights: &[&str]) -> (RedisCluster, RedisOptions) {
    let mut cluster = RedisCluster::start(2);
    for server in 0..2 {
        allow(cluster.server(server), rights);
    }
    let seed = Address::Tcp("127.0.0.1".into(), cluster.ports()[0]);
    (cluster, as_user(Topology::Cluster(vec![seed])))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_limited_to_the_namespace_is_enough_on_a_cluster() {
    let (_cluster, options) = cluster(&["+@all", "-@dangerous", "+info", "+cluster|slots"]);
    assert_eq!(missing(options.clone()).await, BTreeSet::new());
    uses_everything(options, &Source::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_may_not_ask_a_cluster_for_its_slots_is_told_so() {
    let (_cluster, options) = cluster(&["+@all", "-@dangerous", "+info", "-cluster"]);
    let redis = Redis::open("fleet", options).expect("options in range");
    until("a fault", async || redis.health().search_fault.is_some()).await;
    let fault = redis.health().search_fault.unwrap_or_default();
    assert!(fault.contains("+cluster|slots"), "{fault}");
}
