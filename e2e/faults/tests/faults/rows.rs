//! The rows of the failure model that concern Redis, nodes and the network, under load.
//! `LARDER_KILLS` is how often a server is killed, `LARDER_FAULT_MS` how long each fault lasts.

use std::time::Duration;

use larder_faults::{
    ByHand, Crowd, LarderNode, Node, Pace, STALENESS_MAX, Source, Times, Told, pause,
};
use larder_redis::{RedisOptions, Topology};
use larder_rig::{Fault, Proxy, RedisServer, Stopwatch};

use crate::support::{Echo, Fleet, fault_lasts, kills, millis, node_with_clock, until};

/// How long a read may take whose server is slow, from a second after it became so. Machines that
/// do much else stand still for tens of milliseconds: what is printed is the figure.
const LOADER_AND_60_MS: Duration = millis(2 * 61);

/// How soon after its server is back a node uses it again.
const REJOINED_WITHIN: Duration = millis(2_000);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_killed_again_and_again_cost_no_stale_and_no_failed_read() {
    let mut fleet = Fleet::start().await;
    let mut slowest_back = millis(0);
    for round in 0..kills() {
        pause(millis(150 + 37 * (round % 7))).await;
        let connects = fleet.connects();
        fleet.server.kill();
        pause(millis(20 + 53 * (round % 9))).await;
        fleet.server.run();
        let back = Stopwatch::started();
        until("every node to be back", || fleet.have_reconnected(&connects)).await;
        slowest_back = slowest_back.max(back.elapsed());
    }
    pause(STALENESS_MAX).await;
    println!("{} kills; the slowest return took {slowest_back:?}", kills());
    assert!(slowest_back < REJOINED_WITHIN, "it took {slowest_back:?}");
    fleet.end("killed and restarted").await.must_be_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_with_an_old_file_costs_no_stale_read() {
    let mut fleet = Fleet::start().await;
    for _ in 0..kills().div_ceil(4) {
        pause(millis(200)).await;
        let old = fleet.server.snapshot();
        pause(millis(200)).await;
        let connects = fleet.connects();
        fleet.server.restart_with(&old);
        until("every node to be back", || fleet.have_reconnected(&connects)).await;
    }
    pause(STALENESS_MAX).await;
    fleet.end("restarted with an old file").await.must_be_clean();
}

/// The worst of old files: before the nodes are back, another one has appended as much as they have
/// seen. Nothing but the run id tells that the server is another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_file_that_has_caught_up_in_length_shows_nothing_from_before() {
    let (mut server, source) = (RedisServer::start(), Source::new(millis(0)));
    let proxy = Proxy::before(server.port()).await;
    let on = |port| LarderNode::new(RedisOptions::new(Topology::single("127.0.0.1", port)));
    let node = on(proxy.port());
    node.share(6, &source).await;
    let old = server.snapshot();
    let changed = source.change(6);
    assert!(matches!(node.invalidate(6).await, Told::Shared));
    proxy.inflict(Fault::Cut);
    node.redis.lost().await;
    server.restart_with(&old);
    // One that has seen nothing before.
    let other = on(server.port());
    other.redis.connected().await;
    assert!(matches!(other.invalidate(8).await, Told::Shared));
    proxy.inflict(Fault::None);
    node.redis.connected().await;
    pause(STALENESS_MAX).await;
    for node in [&node, &other] {
        let answer = node.read(6, &source).await.expect("the source is healthy");
        assert_eq!(answer.version, changed, "{} held what was invalidated", answer.origin);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn networks_of_every_badness_cost_no_stale_and_no_failed_read() {
    let fleet = Fleet::start().await;
    let faults = [
        Fault::Delay(millis(10)),
        Fault::Delay(millis(100)),
        Fault::Delay(millis(1_000)),
        Fault::BlackHole,
        Fault::NoAnswers,
        Fault::Trickle(millis(10)),
        Fault::Cut,
    ];
    // Of one node, then of all of them.
    for sick in [1, fleet.proxies.len()] {
        for fault in faults {
            fleet.proxies[..sick].iter().for_each(|proxy| proxy.inflict(fault));
            pause(STALENESS_MAX).await;
            fleet.times();
            pause(fault_lasts()).await;
            let Times { p99, slowest } = fleet.times();
            println!("{fault:?} of {sick}: after the first second p99 {p99:?}, slowest {slowest:?}");
            // A server that is a little slow is still asked, several times a read.
            let asked = if fault == Fault::Delay(millis(10)) { millis(60) } else { millis(0) };
            assert!(p99 < LOADER_AND_60_MS + asked, "{fault:?} of {sick}: {p99:?}");
            fleet.proxies.iter().for_each(|proxy| proxy.inflict(Fault::None));
            until("every node to be connected", || fleet.are_connected()).await;
            pause(millis(200)).await;
        }
    }
    pause(STALENESS_MAX).await;
    fleet.end("slow, half open and cut").await.must_be_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_full_takes_invalidations_all_the_same() {
    let fleet = Fleet::start().await;
    pause(millis(300)).await;
    let set = |name: &str, value: &str| {
        fleet.server.ask::<()>(redis::cmd("CONFIG").arg("SET").arg(name).arg(value));
    };
    set("maxmemory-policy", "noeviction");
    set("maxmemory", "1");
    pause(millis(100)).await;
    let before = fleet.unshared();
    pause(fault_lasts()).await;
    assert_eq!(fleet.unshared(), before, "a full server refused invalidations");
    // One that drops whatever it likes.
    set("maxmemory-policy", "allkeys-random");
    set("maxmemory", "2mb");
    pause(fault_lasts()).await;
    set("maxmemory", "0");
    pause(STALENESS_MAX).await;
    fleet.end("full, then evicting").await.must_be_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_becomes_a_replica_and_back_takes_no_invalidation_and_costs_no_stale_read() {
    let (fleet, other) = (Fleet::start().await, RedisServer::start());
    let options = RedisOptions::new(Topology::single("127.0.0.1", fleet.server.port()));
    let (node, mut slowest) = (LarderNode::new(options), millis(0));
    node.redis.connected().await;
    for _ in 0..3 {
        assert!(matches!(node.invalidate(6).await, Told::Shared));
        pause(millis(300)).await;
        fleet.server.ask::<()>(redis::cmd("REPLICAOF").arg("127.0.0.1").arg(other.port()));
        // Until everybody has the answer to what was on its way.
        pause(millis(250)).await;
        let shared = fleet.told_shared();
        let Told::Later(later) = node.invalidate(6).await else { panic!("a replica took it") };
        pause(fault_lasts()).await;
        assert_eq!(fleet.told_shared(), shared, "a replica took invalidations");
        fleet.server.ask::<()>(redis::cmd("REPLICAOF").arg("NO").arg("ONE"));
        let back = Stopwatch::started();
        tokio::time::timeout(REJOINED_WITHIN, later).await.expect("it is told when it can be");
        slowest = slowest.max(back.elapsed());
    }
    println!("what a replica did not take was told within {slowest:?} of its return");
    pause(STALENESS_MAX).await;
    fleet.end("READONLY").await.must_be_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_lost_doubled_and_reordered_cost_no_stale_read() {
    let fleet = Fleet::start().await;
    let echo = Echo::on(&fleet.server).await;
    let began = Stopwatch::started();
    while began.elapsed() < fault_lasts() * 4 {
        pause(millis(100)).await;
        // Listeners that are cut off lose what is said until they are back.
        fleet.server.ask::<u64>(redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub"));
    }
    drop(echo);
    pause(STALENESS_MAX).await;
    fleet.end("messages lost, doubled, reordered").await.must_be_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_that_are_dropped_for_being_slow_cost_no_stale_read() {
    let fleet = Fleet::start().await;
    let limit = "pubsub 32768 16384 1";
    let mut command = redis::cmd("CONFIG");
    command.arg("SET").arg("client-output-buffer-limit").arg(limit);
    fleet.server.ask::<()>(&command);
    let connects = fleet.connects();
    let began = Stopwatch::started();
    while began.elapsed() < fault_lasts() * 2 {
        pause(millis(50)).await;
        // Within one command nobody can listen.
        let flood = "for _ = 1, 100 do redis.call('PUBLISH', KEYS[1], ARGV[1]) end";
        let mut command = redis::cmd("EVAL");
        command.arg(flood).arg(1).arg("{faults.1.0}:w").arg(vec![b'x'; 10_000]);
        fleet.server.ask::<()>(&command);
    }
    until("a listener to be dropped", || fleet.connects() != connects).await;
    pause(STALENESS_MAX).await;
    fleet.end("slow listeners dropped").await.must_be_clean();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_an_hour_apart_cost_no_stale_read() {
    let server = RedisServer::start();
    let options = || RedisOptions::new(Topology::single("127.0.0.1", server.port()));
    let hour = Duration::from_secs(3_600);
    let nodes = vec![
        node_with_clock(options(), hour),
        LarderNode::new(options()),
        node_with_clock(options(), 2 * hour),
    ];
    for node in &nodes {
        node.redis.connected().await;
    }
    let crowd = Crowd::on(nodes, Source::new(millis(1)), Pace::default());
    pause(fault_lasts() * 2).await;
    crowd.end("clocks an hour apart").await.must_be_clean();
}

/// The same harness finds what is written by hand wanting: it can fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_by_hand_does_not_pass() {
    let mut server = RedisServer::start();
    let nodes = (0..3).map(|_| ByHand::new(server.port())).collect();
    let crowd = Crowd::on(nodes, Source::new(millis(1)), Pace::default());
    for _ in 0..3 {
        pause(millis(500)).await;
        server.restart_empty();
    }
    pause(STALENESS_MAX).await;
    let report = crowd.end("by hand").await;
    println!("{report}");
    assert!(report.stale > 0, "nothing was found: the harness sees nothing");
}
