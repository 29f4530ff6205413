//! A user who may do little.

use larder::Origin;
use larder_redis::{Credentials, RedisOptions, Topology};
use larder_rig::RedisServer;

use crate::support::{Node, Source, refusal};

/// A user who may touch the keys and channels of the namespace, and nothing dangerous but INFO.
fn limited(server: &RedisServer, info: &str) -> RedisOptions {
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("node").arg("on").arg(">s3cret").arg("~{fleet.*");
    // Before version 7 every channel is allowed unless they are taken away first.
    command.arg("resetchannels").arg("&{fleet.*");
    server.ask::<()>(command.arg("+@all").arg("-@dangerous").arg(info));
    let mut options = RedisOptions::new(Topology::single("127.0.0.1", server.port()));
    options.credentials =
        Credentials { username: Some("node".into()), password: Some("s3cret".into()) };
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_limited_to_the_namespace_is_enough() {
    let (server, source) = (RedisServer::start(), Source::default());
    let node = Node::with(limited(&server, "+info"));
    node.redis.connected().await;
    node.read_from(Origin::Memory, 7, &source).await;
    let pattern = larder::Pattern::glob("numbers:*").expect("a glob");
    let changed = source.change();
    let invalidated = node.larder.invalidate(larder::Invalidation::new().pattern(pattern)).await;
    assert!(invalidated.position().is_some(), "{:?}", node.redis.health());
    assert_eq!(*node.read(7, &source).await, changed);
    node.redis.reports().await.expect("INFO is allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_info_is_told_so() {
    let (server, source) = (RedisServer::start(), Source::default());
    let node = Node::with(limited(&server, "-info"));
    node.read(7, &source).await;
    let refused = refusal(&node).await;
    assert!(refused.contains("+info"), "{refused}");
}
