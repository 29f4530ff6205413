//! How many keys a namespace has on servers that others use too.

use std::time::Duration;

use larder_redis::{Address, KeyCount, Redis, RedisOptions, Topology};
use larder_rig::{Fault, Proxy, RedisCluster, RedisServer};

use crate::support::{Node, PATIENCE, Source, millis};

/// So many values of the namespace, as they lie there.
fn fill(server: &RedisServer, values: u64) {
    put(server, "{fleet.1.0}:v:", values);
}

fn put(server: &RedisServer, start: &str, keys: u64) {
    let script = "for i = 1, ARGV[2] do redis.call('SET', ARGV[1] .. i, '') end";
    server.ask::<()>(redis::cmd("EVAL").arg(script).arg(0).arg(start).arg(keys));
}

fn opened(topology: Topology) -> Redis {
    Redis::open("fleet", RedisOptions::new(topology)).expect("options in range")
}

async fn on(port: u16) -> Redis {
    let redis = opened(Topology::single("127.0.0.1", port));
    redis.connected().await;
    redis
}

/// How often the server was asked this, and the microseconds that it took each time.
fn asked(server: &RedisServer, command: &str) -> Option<(u64, f64)> {
    let said: String = server.ask(redis::cmd("INFO").arg("commandstats"));
    let line = said.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:")))?;
    let field = |name: &str| {
        let fields = line.split(',').filter_map(|field| field.split_once('='));
        fields.into_iter().find(|(found, _)| *found == name).expect("it is told").1.to_owned()
    };
    Some((field("calls").parse().expect("digits"), field("usec_per_call").parse().expect("digits")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_of_the_namespace_are_counted_and_those_of_others_are_not() {
    let (server, source) = (RedisServer::start(), Source::default());
    let node = Node::on(server.port()).await;
    let empty = node.redis.count_keys(PATIENCE).await.expect("it answers");
    assert_eq!((empty.values, empty.is_whole), (0, true));
    node.share(7, &source).await;
    let own = node.redis.count_keys(PATIENCE).await.expect("it answers");
    // What a shard keeps beside its values lies there too.
    assert!(own.values == 1 && own.keys > 1, "{own:?}");
    for foreign in ["fleet:", "{fleet}:", "{fleet.eu.1.0}:v:", "{fleets.1.0}:v:", "queue:"] {
        put(&server, foreign, 200);
    }
    fill(&server, 1_000);
    // What earlier parameters have left, and a journal.
    put(&server, "{fleet.16.3}:v:", 10);
    put(&server, "{fleet.journal}:records:", 5);
    let counted = node.redis.count_keys(PATIENCE).await.expect("it answers");
    let (keys, values) = (own.keys + 1_015, 1_011);
    assert_eq!(counted, KeyCount { keys, values, is_whole: true });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_never_asks_for_many_keys_at_once() {
    let server = RedisServer::start();
    fill(&server, 20_000);
    let redis = on(server.port()).await;
    let counted = redis.count_keys(PATIENCE).await.expect("it answers");
    assert_eq!((counted.values, counted.is_whole), (20_000, true));
    assert_eq!(asked(&server, "keys"), None);
    let (calls, took_us) = asked(&server, "scan").expect("it was asked");
    println!("20,000 keys in {calls} steps of {took_us} us");
    assert!(calls >= 20_000 / 50, "{calls} steps");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_ends_when_its_time_is_over_and_says_that_there_may_be_more() {
    let server = RedisServer::start();
    fill(&server, 20_000);
    let redis = on(server.port()).await;
    let counted = redis.count_keys(millis(20)).await.expect("it answers");
    assert!(!counted.is_whole && counted.values < 20_000, "{counted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_ends_a_count() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port()).await;
    let redis = on(proxy.port()).await;
    proxy.inflict(Fault::BlackHole);
    let counting = tokio::time::timeout(Duration::from_secs(5), redis.count_keys(PATIENCE));
    counting.await.expect("in time").expect_err("nobody answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_cluster_every_server_is_counted_once() {
    let (mut cluster, source) = (RedisCluster::start(2), Source::default());
    let seed = Address::Tcp("127.0.0.1".into(), cluster.ports()[0]);
    let node = Node::with(RedisOptions::new(Topology::Cluster(vec![seed])));
    node.redis.connected().await;
    for key in 0..20 {
        node.share(key, &source).await;
    }
    let counted = node.redis.count_keys(PATIENCE).await.expect("they answer");
    assert!(counted.is_whole, "{counted:?}");
    assert_eq!(counted.values, 20);
    let everywhere: u64 =
        (0..2).map(|server| cluster.server(server).ask::<u64>(&redis::cmd("DBSIZE"))).sum();
    assert_eq!(counted.keys, everywhere);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_was_not_found_yet_is_not_taken_for_an_empty_one() {
    let seed = Address::Tcp("127.0.0.1".into(), larder_rig::free_port());
    let redis = opened(Topology::Cluster(vec![seed]));
    let counted = redis.count_keys(millis(10)).await;
    assert!(counted.is_err() || counted.is_ok_and(|counted| !counted.is_whole));
}
