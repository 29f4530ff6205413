//! What nodes do while the server is away, slow or another one.

use std::time::Duration;

use larder::{Consistency, Origin, Outcome};
use larder_redis::BreakerState;
use larder_rig::{Fault, Proxy, RedisServer, Stopwatch};

use crate::support::{Node, Source, millis, pause, until};

/// A read that waits for a server which does not answer takes a timeout of 500 ms. Machines under
/// load stand still for tens of milliseconds: what is printed is the figure.
const NO_TIMEOUT: Duration = millis(400);

/// How soon after it is back a server is used again.
const REJOINED_WITHIN: Duration = millis(2_000);

fn connects(node: &Node) -> u64 {
    node.redis.health().servers[0].connects
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_server_is_down_at_its_start_serves_and_joins_later() {
    let (mut server, source) = (RedisServer::start(), Source::default());
    server.kill();
    let node = Node::without_waiting(server.port());
    let began = Stopwatch::started();
    assert_eq!(node.read(7, &source).await.origin(), Origin::Loaded);
    println!("the first read took {:?}", began.elapsed());
    server.run();
    node.redis.connected().await;
    until("a shared value", async || {
        node.read(7, &source).await;
        node.cache.read(&7).skip_memory().get().await.is_some()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_while_the_server_is_dead_and_use_it_soon_after() {
    let (mut server, source) = (RedisServer::start(), Source::default());
    let node = Node::on(server.port()).await;
    node.read_from(Origin::Memory, 7, &source).await;
    for _ in 0..5 {
        let before = connects(&node);
        server.kill();
        let began = Stopwatch::started();
        node.read(1_000 + before, &source).await;
        println!("the first miss took {:?}", began.elapsed());
        assert!(began.elapsed() < NO_TIMEOUT, "the first miss took {:?}", began.elapsed());
        server.run();
        let back = Stopwatch::started();
        until("a new connection", async || connects(&node) > before).await;
        let latest = node.cache.read(&7).consistency(Consistency::Latest);
        let source = source.clone();
        latest.get_or_load(|_| async move { source.load(millis(0)).await }).await.expect("loaded");
        assert!(back.elapsed() < REJOINED_WITHIN, "it took {:?}", back.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalidation_during_an_outage_is_honest_and_arrives_after_it() {
    let (mut server, source) = (RedisServer::start(), Source::default());
    let (a, b) = (Node::on(server.port()).await, Node::on(server.port()).await);
    b.read_from(Origin::Memory, 7, &source).await;
    server.kill();
    let changed = source.change();
    let invalidated = a.cache.invalidate(&7).await;
    let Outcome::Local(ticket) = invalidated.outcome() else {
        panic!("shared with a server that is dead")
    };
    assert_eq!(*a.read(7, &source).await, changed, "the own node forgot its invalidation");
    server.run();
    ticket.shared().await;
    pause(millis(1_000)).await;
    assert_eq!(*b.read(7, &source).await, changed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_with_an_old_file_shows_nothing_from_before() {
    let (mut server, source) = (RedisServer::start(), Source::default());
    let (a, b) = (Node::on(server.port()).await, Node::on(server.port()).await);
    a.read_from(Origin::Memory, 7, &source).await;
    a.stored(7).await;
    b.read_from(Origin::Shared, 7, &source).await;
    let old = server.snapshot();
    let changed = source.change();
    assert!(a.cache.invalidate(&7).await.position().is_some());
    let before = connects(&b);
    server.restart_with(&old);
    until("a new connection", async || connects(&b) > before).await;
    pause(millis(1_000)).await;
    assert_eq!(*b.read(7, &source).await, changed, "what the file held was served");
    assert_eq!(*a.read(7, &source).await, changed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_outlives_its_primary_confirms_nothing() {
    let (old, new, source) = (RedisServer::start(), RedisServer::start(), Source::default());
    let (a, b) = (Node::on(old.port()).await, Node::on(old.port()).await);
    b.read_from(Origin::Memory, 7, &source).await;
    // What was the primary follows another one now, without ending a connection.
    old.ask::<()>(redis::cmd("REPLICAOF").arg("127.0.0.1").arg(new.port()));
    source.change();
    let invalidated = a.cache.invalidate(&7).await;
    assert!(invalidated.position().is_none(), "a replica acknowledged {invalidated:?}");
    pause(millis(1_000)).await;
    let loads = source.loads();
    b.read(7, &source).await;
    assert_eq!(source.loads(), loads + 1, "memory was trusted that a replica confirmed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_costs_a_read_little_after_a_second() {
    let (server, source) = (RedisServer::start(), Source::default());
    let proxy = Proxy::before(server.port()).await;
    let node = Node::on(proxy.port()).await;
    node.read_from(Origin::Memory, 7, &source).await;
    let (delay, trickle) = (Fault::Delay(millis(1_000)), Fault::Trickle(millis(100)));
    for fault in [Fault::BlackHole, Fault::NoAnswers, Fault::Cut, delay, trickle] {
        proxy.inflict(fault);
        let hurt = Stopwatch::started();
        let mut key = 0;
        let mut slowest = millis(0);
        while hurt.elapsed() < millis(3_000) {
            key += 1;
            let began = Stopwatch::started();
            node.read(key, &source).await;
            if hurt.elapsed() > millis(1_000) + began.elapsed() {
                slowest = slowest.max(began.elapsed());
            }
        }
        println!("{fault:?}: {key} reads, the slowest after the first second took {slowest:?}");
        assert!(slowest < NO_TIMEOUT, "{fault:?}: {slowest:?}");
        proxy.inflict(Fault::None);
        until("a connection", async || node.redis.health().servers[0].connected).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_server_opens_the_breaker_and_a_quick_one_closes_it() {
    let (server, source) = (RedisServer::start(), Source::default());
    let proxy = Proxy::before(server.port()).await;
    let node = Node::on(proxy.port()).await;
    let breaker = || node.redis.health().servers[0].breaker;
    node.read(0, &source).await;
    proxy.inflict(Fault::Delay(millis(40)));
    let mut key = 0;
    until("an open breaker", async || {
        key += 1;
        node.read(key, &source).await;
        breaker() != BreakerState::Closed
    })
    .await;
    proxy.inflict(Fault::None);
    until("a closed breaker", async || {
        key += 1;
        node.read(key, &source).await;
        breaker() == BreakerState::Closed
    })
    .await;
}
