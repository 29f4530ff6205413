//! What nodes have of each other on several servers, and what moving costs them.

use larder::{Invalidation, Origin, Pattern};
use larder_redis::{Address, Credentials, Redis, RedisOptions, Topology};
use larder_rig::{RedisCluster, RedisServer, Sentinel, Stopwatch};

use crate::support::{FAILOVER_PATIENCE, Node, Source, millis, pause, refusal, until, until_within};

fn on_loopback(port: u16) -> Address {
    Address::Tcp("127.0.0.1".into(), port)
}

fn of_sentinel(sentinel: &Sentinel) -> RedisOptions {
    RedisOptions::new(Topology::Sentinel {
        sentinels: vec![on_loopback(sentinel.port())],
        master: "shop".into(),
        credentials: Credentials::default(),
    })
}

/// One seed is enough.
fn of_cluster(cluster: &RedisCluster) -> RedisOptions {
    RedisOptions::new(Topology::Cluster(vec![on_loopback(cluster.ports()[0])]))
}

async fn node(options: RedisOptions) -> Node {
    let node = Node::with(options);
    node.redis.connected().await;
    node
}

/// The hash slot of one of the 16 shards.
fn slot_of(cluster: &RedisCluster, shard: u32) -> u16 {
    cluster.slot_of(&format!("{{fleet.16.{shard}}}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_that_loses_writes_shows_nothing_from_before_it() {
    let (mut master, replica) = (RedisServer::start(), RedisServer::start());
    let (sentinel, source) = (Sentinel::start(), Source::default());
    replica.ask::<()>(redis::cmd("REPLICAOF").arg("127.0.0.1").arg(master.port()));
    until("a replica", async || replica.follows(&master)).await;
    sentinel.watch("shop", &master);
    until("a sentinel that knows the replica", async || sentinel.has_replica("shop")).await;
    let (a, b) = (node(of_sentinel(&sentinel)).await, node(of_sentinel(&sentinel)).await);
    a.read_from(Origin::Memory, 7, &source).await;
    a.stored(7).await;
    b.read_from(Origin::Shared, 7, &source).await;
    let values = async || -> Vec<Vec<u8>> { replica.ask(redis::cmd("KEYS").arg("*:v:*")) };
    until("a replicated value", async || values().await.len() == 1).await;

    // From now on the replica gets nothing more: it keeps the value, and the master its removal.
    master.ask::<()>(redis::cmd("ACL").arg("SETUSER").arg("default").arg("-psync").arg("-sync"));
    master.ask::<u64>(redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("replica"));
    let changed = source.change();
    assert!(a.cache.invalidate(&7).await.position().is_some());
    assert_eq!(values().await.len(), 1, "the replica heard of it");
    master.kill();
    let failing = Stopwatch::started();
    let others =
        |node: &Node| node.redis.health().servers[0].address != Some(on_loopback(master.port()));
    until_within(FAILOVER_PATIENCE, "a new master", async || {
        assert_eq!(*a.read(7, &source).await, changed);
        others(&a) && others(&b)
    })
    .await;
    a.redis.connected().await;
    b.redis.connected().await;
    println!("both nodes found the new master after {:?}", failing.elapsed());
    pause(millis(1_000)).await;
    assert_eq!(*b.read(7, &source).await, changed, "what the replica held was served");
    assert_eq!(*a.read(7, &source).await, changed);
    // And the new master is shared as the old one was.
    b.read_from(Origin::Memory, 8, &source).await;
    b.stored(8).await;
    a.read_from(Origin::Shared, 8, &source).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_that_know_no_such_master_say_so() {
    let sentinel = Sentinel::start();
    let redis = Redis::open("fleet", of_sentinel(&sentinel)).expect("options in range");
    let fault = || redis.health().servers[0].last_fault.clone();
    until("a fault", async || fault().is_some()).await;
    assert!(fault().is_some_and(|fault| fault.contains("`shop`")), "{:?}", fault());
    assert_eq!(redis.health().servers[0].address, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_that_ask_who_we_are_are_told_what_the_url_says() {
    let (master, sentinel) = (RedisServer::start(), Sentinel::start_for("watcher", "s3cret"));
    sentinel.watch("shop", &master);
    let url = format!("redis-sentinel://127.0.0.1:{}?master=shop", sentinel.port());
    let options = |user: &str| RedisOptions::from_url(&format!("{url}{user}")).expect("a URL");
    for stranger in
        ["", "&sentinel_password=s3cret", "&sentinel_username=watcher&sentinel_password=x"]
    {
        let stranger = Node::with(options(stranger));
        let refused = refusal(&stranger).await;
        assert!(!stranger.redis.health().servers[0].connected, "{refused}");
    }
    let node = node(options("&sentinel_username=watcher&sentinel_password=s3cret")).await;
    node.read_from(Origin::Memory, 7, &Source::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_on_a_cluster_share_values_and_invalidations_of_every_kind() {
    let (cluster, source) = (RedisCluster::start(3), Source::default());
    let (a, b) = (node(of_cluster(&cluster)).await, node(of_cluster(&cluster)).await);
    let health = a.redis.health();
    assert_eq!((health.servers.len(), health.shards_without_server), (3, 0), "{health:?}");
    let keys: Vec<u64> = (0..200).collect();
    for key in &keys {
        a.share(*key, &source).await;
    }
    let loads = source.loads();
    for key in &keys {
        b.read_from(Origin::Memory, *key, &source).await;
    }
    assert_eq!(source.loads(), loads, "the other node loaded what was shared");
    let batch = node(of_cluster(&cluster)).await;
    until("a batch of all", async || {
        batch.cache.get_many(&keys).await.iter().flatten().count() == keys.len()
    })
    .await;
    let names = [
        Invalidation::new().cache("numbers"),
        Invalidation::new().pattern(Pattern::glob("numbers:*").expect("a glob")),
        Invalidation::new().pattern(Pattern::regex("numbers:[0-9]+").expect("an expression")),
    ];
    for name in names {
        let (changed, shown) = (source.change(), format!("{name:?}"));
        let invalidated = a.larder.invalidate(name).await;
        assert!(invalidated.position().is_some(), "{shown}: {invalidated:?}");
        for key in &keys {
            assert_eq!(*a.read(*key, &source).await, changed, "{shown}");
        }
        until(&shown, async || *b.read(7, &source).await == changed).await;
    }
    assert_eq!(a.redis.reports().await.expect("INFO is allowed").len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_that_move_cost_loads_and_never_a_stale_value() {
    let (cluster, source) = (RedisCluster::start(3), Source::default());
    let (a, b) = (node(of_cluster(&cluster)).await, node(of_cluster(&cluster)).await);
    for key in 0..200 {
        a.read_from(Origin::Memory, key, &source).await;
    }
    let mut slowest = millis(0);
    for slot in (0..16).map(|shard| slot_of(&cluster, shard)) {
        let to = (cluster.keeper(slot) + 1) % 3;
        tokio::task::block_in_place(|| cluster.migrate(slot, to, || {}));
        let changed = source.change();
        // With its shard on the way it cannot be told to anybody yet, but it is not forgotten.
        let began = Stopwatch::started();
        let invalidated = a.larder.invalidate(Invalidation::new().cache("numbers")).await;
        for key in 0..200 {
            assert_eq!(*a.read(key, &source).await, changed, "slot {slot}");
        }
        slowest = slowest.max(began.elapsed());
        if invalidated.position().is_none() {
            pause(millis(1_000)).await;
        }
        until("the change", async || *b.read(7, &source).await == changed).await;
    }
    println!("16 slots moved; an invalidation and 200 reads took at most {slowest:?}");
    a.share(1_000, &source).await;
    b.read_from(Origin::Shared, 1_000, &source).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_half_way_between_two_servers_fails_no_read() {
    let (cluster, source) = (RedisCluster::start(2), Source::default());
    let a = node(of_cluster(&cluster)).await;
    for key in 0..200 {
        a.read_from(Origin::Memory, key, &source).await;
    }
    let slot = slot_of(&cluster, 3);
    let to = 1 - cluster.keeper(slot);
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        cluster.migrate(slot, to, || {
            runtime.block_on(async {
                let changed = source.change();
                let named = Invalidation::new().cache("numbers");
                let invalidated = a.larder.invalidate(named).await;
                assert!(invalidated.position().is_none(), "half a shard took {invalidated:?}");
                for key in 0..200 {
                    assert_eq!(*a.read(key, &source).await, changed);
                }
                let breakers = a.redis.health().servers;
                let closed = |server: &larder_redis::ServerHealth| {
                    server.breaker == larder_redis::BreakerState::Closed
                };
                assert!(breakers.iter().all(closed), "one shard on its way shut the others out");
            });
        });
    });
    a.share(1_000, &source).await;
}
