//! What nodes have of each other while the server is well.

use larder::{Invalidation, Origin, Pattern};
use larder_rig::{Fault, Proxy, RedisServer, Stopwatch};

use crate::support::{Node, Source, millis, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_one_node_loaded_is_not_loaded_by_another() {
    let (server, source) = (RedisServer::start(), Source::default());
    let (a, b) = (Node::on(server.port()).await, Node::on(server.port()).await);
    a.read_from(Origin::Memory, 7, &source).await;
    a.stored(7).await;
    b.read_from(Origin::Shared, 7, &source).await;
    assert_eq!(source.loads(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cold_key_is_loaded_once_for_the_whole_fleet() {
    let (server, source) = (RedisServer::start(), Source::default());
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(Node::on(server.port()).await);
    }
    let mut reads = Vec::new();
    for node in &nodes {
        for _ in 0..100 {
            let source = source.clone();
            let load = move |_| async move { source.load(millis(50)).await };
            reads.push(node.cache.get_or_load(&7, load));
        }
    }
    for read in futures_util::future::join_all(reads).await {
        assert_eq!(*read.expect("loaded"), 0);
    }
    assert_eq!(source.loads(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalidation_reaches_the_memory_of_other_nodes_by_push() {
    let (server, source) = (RedisServer::start(), Source::default());
    let (a, b) = (Node::on(server.port()).await, Node::on(server.port()).await);
    let mut times = Vec::new();
    for _ in 0..50 {
        b.read_from(Origin::Memory, 7, &source).await;
        let changed = source.change();
        let invalidated = a.cache.invalidate(&7).await;
        assert!(invalidated.position().is_some(), "{invalidated:?}");
        let shared_at = Stopwatch::started();
        until("the change", async || *b.read(7, &source).await == changed).await;
        times.push(shared_at.elapsed());
    }
    times.sort_unstable();
    let (median, slowest) = (times[25], times[49]);
    println!("of 50 invalidations the median took {median:?}, the slowest {slowest:?}");
    // A poll comes every 250 ms, so that it takes 125 on average.
    assert!(median < millis(100), "polls came, but no push: {median:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_many_and_patterns_kill_what_other_nodes_stored() {
    let (server, source) = (RedisServer::start(), Source::default());
    let (a, b) = (Node::on(server.port()).await, Node::on(server.port()).await);
    let names = [
        Invalidation::new().cache("numbers"),
        Invalidation::new().everything(),
        Invalidation::new().pattern(Pattern::glob("numbers:*").expect("a glob")),
        Invalidation::new().pattern(Pattern::regex("numbers:[0-9]").expect("an expression")),
    ];
    for name in names {
        a.read_from(Origin::Memory, 7, &source).await;
        let changed = source.change();
        let shown = format!("{name:?}");
        assert!(b.larder.invalidate(name).await.position().is_some(), "{shown}");
        assert_eq!(*b.read(7, &source).await, changed, "{shown}");
        until(&shown, async || *a.read(7, &source).await == changed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_read_in_one_go_and_in_order() {
    let (server, source) = (RedisServer::start(), Source::default());
    let (a, b) = (Node::on(server.port()).await, Node::on(server.port()).await);
    for key in 0..100 {
        a.read_from(Origin::Memory, key, &source).await;
    }
    let keys: Vec<u64> = (0..100).rev().collect();
    until("all of them shared", async || {
        let found = b.cache.get_many(&keys).await;
        found.iter().flatten().count() == 100
    })
    .await;
    assert_eq!(source.loads(), 100);
}

/// More than two pipelines take, and the last of them not full.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_lists_that_are_asked_for_at_once_get_each_its_own_values() {
    let (server, source) = (RedisServer::start(), Source::default());
    let proxy = Proxy::before(server.port()).await;
    let (a, b) = (Node::on(server.port()).await, Node::on(proxy.port()).await);
    a.share(9_999, &source).await;
    b.read_from(Origin::Shared, 9_999, &source).await;
    let value = |key: u64| 3 * key as u32;
    let lists: Vec<Vec<u64>> =
        (0..6).map(|list| (200 * list..200 * (list + 1)).rev().collect()).collect();
    for keys in &lists {
        let loads = keys.iter().map(|key| {
            let loaded = value(*key);
            let load = move |_| async move { Ok::<_, std::io::Error>(loaded) };
            a.cache.read(key).await_fill().get_or_load(load)
        });
        futures_util::future::try_join_all(loads).await.expect("the loader is healthy");
    }
    proxy.inflict(Fault::Delay(millis(5)));
    let reads = lists.iter().map(|keys| b.cache.get_many(keys));
    for (keys, found) in lists.iter().zip(futures_util::future::join_all(reads).await) {
        for (key, lookup) in keys.iter().zip(found) {
            let hit = lookup.and_then(|lookup| lookup.found()).expect("it is shared");
            assert_eq!((*hit, hit.origin()), (value(*key), Origin::Shared), "key {key}");
        }
    }
    // A read that got no answer would have been sent again, on another connection.
    assert_eq!(b.redis.health().servers[0].connects, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_value_is_a_counted_miss_and_is_replaced() {
    let (server, source) = (RedisServer::start(), Source::default());
    let (a, b) = (Node::on(server.port()).await, Node::on(server.port()).await);
    a.read_from(Origin::Memory, 7, &source).await;
    a.stored(7).await;
    let keys: Vec<Vec<u8>> = server.ask(redis::cmd("KEYS").arg("{fleet.1.0}:v:*"));
    let [name] = keys.as_slice() else { panic!("one value is stored, not {keys:?}") };
    // The last byte of the payload.
    server.ask::<u64>(redis::cmd("SETRANGE").arg(name).arg(103).arg("x"));
    assert_eq!(b.read(7, &source).await.origin(), Origin::Loaded);
    assert_eq!(b.redis.health().damaged_values, 1);
    b.stored(7).await;
    let c = Node::on(server.port()).await;
    c.read_from(Origin::Shared, 7, &source).await;
    assert_eq!(source.loads(), 2);
}
