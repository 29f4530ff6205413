//! Encrypted connections.

use larder::Origin;
use larder_redis::{Address, Credentials, RedisOptions, Tls, Topology};
use larder_rig::{Authority, RedisServer, Sentinel};

use crate::support::{Node, Source, refusal};

fn localhost(port: u16) -> RedisOptions {
    RedisOptions::new(Topology::single("localhost", port))
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_and_the_master_that_they_name_are_spoken_to_with_tls() {
    let (authority, source) = (Authority::found(), Source::default());
    let (_server, port) = RedisServer::start_with_tls(&authority);
    let (sentinel, sentinels_port) = Sentinel::start_with_tls(&authority);
    sentinel.watch_on("shop", port);
    let mut options = RedisOptions::new(Topology::Sentinel {
        sentinels: vec![Address::Tcp("localhost".into(), sentinels_port)],
        master: "shop".into(),
        credentials: Credentials::default(),
    });
    let node = Node::with(options.clone());
    refusal(&node).await;
    assert!(!node.redis.health().servers[0].connected, "without TLS nobody answers");
    options.tls = Some(Tls { authorities_pem: Some(authority.pem().into_bytes()) });
    let node = Node::with(options);
    node.redis.connected().await;
    node.read_from(Origin::Memory, 7, &source).await;
}
