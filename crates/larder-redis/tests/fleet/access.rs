//! How a node gets in: encrypted, and as a user who may do little.

use larder::Origin;
use larder_redis::{Address, Credentials, RedisOptions, Tls};
use larder_rig::{Authority, RedisServer};

use crate::support::{Node, Source, until};

fn localhost(port: u16) -> RedisOptions {
    RedisOptions::new(Address::Tcp("localhost".into(), port))
}

/// What the node says about its last attempt to connect.
async fn refusal(node: &Node) -> String {
    let fault = || node.redis.health().servers[0].last_fault.clone();
    until("a refusal", async || fault().is_some()).await;
    fault().expect("it was refused")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_trusted_when_the_given_authority_vouches_for_it() {
    let (authority, source) = (Authority::found(), Source::default());
    let (_server, port) = RedisServer::start_with_tls(&authority);
    let mut options = localhost(port);
    options.tls = Some(Tls { authorities_pem: Some(authority.pem().into_bytes()) });
    let node = Node::with(options);
    node.redis.connected().await;
    node.read_from(Origin::Memory, 7, &source).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_another_authority_is_refused() {
    let (_server, port) = RedisServer::start_with_tls(&Authority::found());
    let mut options = localhost(port);
    options.tls = Some(Tls { authorities_pem: Some(Authority::found().pem().into_bytes()) });
    let node = Node::with(options);
    let refused = refusal(&node).await;
    assert!(refused.contains("certificate"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_speaks_tls_is_not_spoken_to_without_it() {
    let (_server, port) = RedisServer::start_with_tls(&Authority::found());
    let node = Node::with(localhost(port));
    refusal(&node).await;
    assert!(!node.redis.health().servers[0].connected);
}

/// A user who may touch the keys and channels of the namespace, and nothing dangerous but INFO.
fn limited(server: &RedisServer, info: &str) -> RedisOptions {
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("node").arg("on").arg(">s3cret").arg("~{fleet.*").arg("&{fleet.*");
    server.ask::<()>(command.arg("+@all").arg("-@dangerous").arg(info));
    let mut options = RedisOptions::new(Address::Tcp("127.0.0.1".into(), server.port()));
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
