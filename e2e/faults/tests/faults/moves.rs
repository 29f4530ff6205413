//! Servers that are replaced, and slots that move, under load.

use larder_faults::{Crowd, LarderNode, Pace, STALENESS_MAX, Source, pause};
use larder_redis::{Address, Credentials, RedisOptions, Topology};
use larder_rig::{RedisCluster, RedisServer, Sentinel, Stopwatch};

use crate::support::{kills, millis, until};

fn on_loopback(port: u16) -> Address {
    Address::Tcp("127.0.0.1".into(), port)
}

async fn crowd(options: impl Fn() -> RedisOptions) -> Crowd<LarderNode> {
    let nodes: Vec<LarderNode> = (0..3).map(|_| LarderNode::new(options())).collect();
    for node in &nodes {
        node.redis.connected().await;
    }
    Crowd::on(nodes, Source::new(millis(1)), Pace::default())
}

/// `LARDER_KILLS` times five slots: 100, of which every shard's is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_that_move_under_load_cost_no_stale_and_no_failed_read() {
    let cluster = RedisCluster::start(3);
    let seed = on_loopback(cluster.ports()[0]);
    let crowd = crowd(|| RedisOptions::new(Topology::Cluster(vec![seed.clone()]))).await;
    pause(millis(500)).await;
    let (mut slots, shards) = (Vec::new(), 16);
    for shard in 0..shards {
        slots.push(cluster.slot_of(&format!("{{faults.{shards}.{shard}}}")));
    }
    slots.extend((0..16_384).step_by(190).take((kills() * 5 - shards) as usize));
    let began = Stopwatch::started();
    for slot in &slots {
        let to = (cluster.keeper(*slot) + 1) % 3;
        tokio::task::block_in_place(|| cluster.migrate(*slot, to, || {}));
        pause(millis(20)).await;
    }
    println!("{} slots moved in {:?}", slots.len(), began.elapsed());
    pause(2 * STALENESS_MAX).await;
    crowd.end("slots moved").await.must_be_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_that_loses_writes_under_load_costs_no_stale_and_no_failed_read() {
    let (mut master, replica, sentinel) =
        (RedisServer::start(), RedisServer::start(), Sentinel::start());
    replica.ask::<()>(redis::cmd("REPLICAOF").arg("127.0.0.1").arg(master.port()));
    let follows = || {
        let info: String = replica.ask(redis::cmd("INFO").arg("replication"));
        info.contains("master_link_status:up")
    };
    until("a replica", follows).await;
    sentinel.watch("faults", &master);
    let crowd = crowd(|| {
        RedisOptions::new(Topology::Sentinel {
            sentinels: vec![on_loopback(sentinel.port())],
            master: "faults".into(),
            credentials: Credentials::default(),
        })
    })
    .await;
    pause(millis(500)).await;
    // From here on the replica falls behind.
    master.ask::<()>(redis::cmd("ACL").arg("SETUSER").arg("default").arg("-psync").arg("-sync"));
    master.ask::<u64>(redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("replica"));
    pause(millis(500)).await;
    let old = Some(on_loopback(master.port()));
    master.kill();
    let failing = Stopwatch::started();
    let moved = |node: &LarderNode| {
        let server = &node.redis.health().servers[0];
        server.connected && server.address != old
    };
    until("a new master for every node", || crowd.nodes().iter().all(moved)).await;
    println!("every node was on the new master after {:?}", failing.elapsed());
    pause(2 * STALENESS_MAX).await;
    crowd.end("failover that loses writes").await.must_be_clean();
}
