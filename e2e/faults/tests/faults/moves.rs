//! Servers that are replaced, and slots that move, under load.

use std::time::Duration;

use larder_faults::{Crowd, LarderNode, Node, Pace, STALENESS_MAX, Source, Told, pause};
use larder_redis::{Address, Credentials, RedisOptions, Topology};
use larder_rig::{RedisCluster, RedisServer, Sentinel, Stopwatch};

use crate::support::{FAILOVER_PATIENCE, kills, millis, until, until_within};

/// How often a master is demoted.
const DEMOTIONS: usize = 5;

/// How soon a node has found the new one.
const REFRESHED_WITHIN: Duration = millis(1_000);

fn on_loopback(port: u16) -> Address {
    Address::Tcp("127.0.0.1".into(), port)
}

fn of_sentinel(sentinel: &Sentinel) -> RedisOptions {
    RedisOptions::new(Topology::Sentinel {
        sentinels: vec![on_loopback(sentinel.port())],
        master: "faults".into(),
        credentials: Credentials::default(),
    })
}

async fn crowd(options: impl Fn() -> RedisOptions) -> Crowd<LarderNode> {
    let nodes: Vec<LarderNode> = (0..3).map(|_| LarderNode::new(options())).collect();
    for node in &nodes {
        node.redis.connected().await;
    }
    Crowd::on(nodes, Source::new(millis(1)), Pace::default())
}

/// What the servers of a cluster say of the calls that they got.
struct Calls {
    answered: u64,
    /// To another server, or to the same one later: each cost its call a trip more.
    sent_on: u64,
}

impl Calls {
    fn of(cluster: &mut RedisCluster) -> Self {
        let (mut answered, mut sent_on) = (0, 0);
        for server in 0..cluster.ports().len() {
            let info: String = cluster.server(server).ask(redis::cmd("INFO").arg("commandstats"));
            // Every verb of a shard is a script or begins with this read.
            for line in info.lines().filter(|line| {
                ["cmdstat_evalsha:", "cmdstat_mget:"].iter().any(|name| line.starts_with(name))
            }) {
                let count = |name: &str| -> u64 {
                    let rest = line.split([':', ',']).find_map(|part| part.strip_prefix(name));
                    rest.and_then(|count| count.parse().ok()).expect("Redis counts it")
                };
                answered += count("calls=");
                sent_on += count("rejected_calls=");
            }
        }
        Calls { answered, sent_on }
    }
}

/// `LARDER_KILLS` times five slots: 100, of which every shard's is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_that_move_under_load_cost_no_stale_and_no_failed_read() {
    let mut cluster = RedisCluster::start(3);
    let seed = on_loopback(cluster.ports()[0]);
    let crowd = crowd(|| RedisOptions::new(Topology::Cluster(vec![seed.clone()]))).await;
    pause(millis(500)).await;
    let (mut slots, shards) = (Vec::new(), 16);
    for shard in 0..shards {
        slots.push(cluster.slot_of(&format!("{{faults.{shards}.{shard}}}")));
    }
    slots.extend((0..16_384).step_by(190).take((kills() * 5 - shards) as usize));
    let (before, began) = (Calls::of(&mut cluster), Stopwatch::started());
    for slot in &slots {
        let to = (cluster.keeper(*slot) + 1) % 3;
        tokio::task::block_in_place(|| cluster.migrate(*slot, to, || {}));
        pause(millis(20)).await;
    }
    let (after, took) = (Calls::of(&mut cluster), began.elapsed());
    let (calls, sent_on) = (after.answered - before.answered, after.sent_on - before.sent_on);
    println!("{} slots moved in {took:?}; {calls} calls, sent on {sent_on} times", slots.len());
    // With more than one trip more than it needs, a call was sent on twice.
    assert!(sent_on / 2 <= calls / 100, "{sent_on} times of {calls} calls");
    pause(2 * STALENESS_MAX).await;
    crowd.end("slots moved").await.must_be_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_that_loses_writes_under_load_costs_no_stale_and_no_failed_read() {
    let (mut master, replica, sentinel) =
        (RedisServer::start(), RedisServer::start(), Sentinel::start());
    replica.ask::<()>(redis::cmd("REPLICAOF").arg("127.0.0.1").arg(master.port()));
    until("a replica", || replica.follows(&master)).await;
    sentinel.watch("faults", &master);
    until("a sentinel that knows the replica", || sentinel.has_replica("faults")).await;
    let crowd = crowd(|| of_sentinel(&sentinel)).await;
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
    let all_moved = || crowd.nodes().iter().all(moved);
    until_within(FAILOVER_PATIENCE, "a new master for every node", all_moved).await;
    println!("every node was on the new master after {:?}", failing.elapsed());
    pause(2 * STALENESS_MAX).await;
    crowd.end("failover that loses writes").await.must_be_clean();
}

/// A demoted master answers all the same, and refuses what it is told (`READONLY`). Asking Sentinel once a second
/// alone would take half a second on average, and be late by chance: the mean tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_demoted_under_load_is_left_within_a_second() {
    let start = || RedisServer::start_with(&["--repl-diskless-sync-delay", "0"]);
    let (servers, sentinel) = ([start(), start()], Sentinel::start());
    sentinel.watch("faults", &servers[0]);
    let crowd = crowd(|| of_sentinel(&sentinel)).await;
    let mut took = Vec::new();
    for round in 0..DEMOTIONS {
        pause(millis(300)).await;
        let (old, new) = (&servers[round % 2], &servers[(round + 1) % 2]);
        new.ask::<()>(redis::cmd("REPLICAOF").arg("NO").arg("ONE"));
        sentinel.forget("faults");
        sentinel.watch("faults", new);
        old.ask::<()>(redis::cmd("REPLICAOF").arg("127.0.0.1").arg(new.port()));
        let demoted = Stopwatch::started();
        let on_new = |node: &LarderNode| {
            let server = &node.redis.health().servers[0];
            server.connected && server.address == Some(on_loopback(new.port()))
        };
        let mut there = vec![None; crowd.nodes().len()];
        until("every node to be on the new master", || {
            for (node, there) in crowd.nodes().iter().zip(&mut there) {
                if there.is_none() && on_new(node) {
                    *there = Some(demoted.elapsed());
                }
            }
            there.iter().all(Option::is_some)
        })
        .await;
        took.extend(there.into_iter().flatten());
        until("it to follow", || old.follows(new)).await;
    }
    let (slowest, all) = (took.iter().max().copied(), took.iter().sum::<Duration>());
    let mean = all / took.len() as u32;
    println!(
        "{} nodes left a demoted master after {mean:?}, the slowest after {slowest:?}",
        took.len()
    );
    assert!(slowest < Some(REFRESHED_WITHIN), "{took:?}");
    assert!(mean < REFRESHED_WITHIN / 3, "{took:?}");
    pause(2 * STALENESS_MAX).await;
    crowd.end("demoted").await.must_be_clean();
}

/// It was demoted and could not follow: what it stores is older than what the other one was told, but it is the
/// same process, with the same run id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_comes_back_without_having_followed_shows_nothing_from_before() {
    let (old, new) = (RedisServer::start(), RedisServer::start());
    let (sentinel, source) = (Sentinel::start(), Source::new(millis(0)));
    new.ask::<()>(redis::cmd("ACL").arg("SETUSER").arg("default").arg("-psync").arg("-sync"));
    sentinel.watch("faults", &old);
    let nodes = [0, 1].map(|_| LarderNode::new(of_sentinel(&sentinel)));
    let follow = |server: &RedisServer, host: &str, port: &str| {
        server.ask::<()>(redis::cmd("REPLICAOF").arg(host).arg(port));
    };
    for node in &nodes {
        node.share(6, &source).await;
    }
    let mut changed = 0;
    for (master, other) in [(&new, &old), (&old, &new)] {
        follow(master, "NO", "ONE");
        sentinel.forget("faults");
        sentinel.watch("faults", master);
        follow(other, "127.0.0.1", &master.port().to_string());
        let address = Some(on_loopback(master.port()));
        let on_master = |node: &LarderNode| node.redis.health().servers[0].address == address;
        // Whoever is told something finds out that the other one is a replica.
        for node in &nodes {
            while !on_master(node) || !matches!(node.invalidate(8).await, Told::Shared) {
                pause(millis(5)).await;
            }
        }
        pause(STALENESS_MAX).await;
        if changed == 0 {
            changed = source.change(6);
            assert!(matches!(nodes[0].invalidate(6).await, Told::Shared));
        }
    }
    for node in &nodes {
        let answer = node.read(6, &source).await.expect("the source is healthy");
        assert_eq!(answer.version, changed, "{} held what was invalidated", answer.origin);
    }
}
