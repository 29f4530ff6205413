//! The rows of the failure model that count loads: whoever dies while loading is replaced, and a server
//! that lost everything costs one load a key. `LARDER_KILLS` is how many die, `LARDER_HERD_KEYS` how many
//! keys are lost.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder_faults::{KEYS, LarderNode, STALENESS_MAX, Source, pause};
use larder_redis::{RedisOptions, Topology};
use larder_rig::{RedisServer, Stopwatch};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::support::{kills, millis, number, patient, until};

/// How long a lease lasts here that is not renewed.
const LEASE_TTL: Duration = millis(500);

/// How much longer it may take until the value is there: a poll, a load, a slow machine.
const SLACK: Duration = millis(1_500);

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn options(server: &RedisServer) -> RedisOptions {
    RedisOptions::new(Topology::single("127.0.0.1", server.port()))
}

/// A node whose leases end early.
fn hasty(server: &RedisServer) -> LarderNode {
    let options = RedisOptions { lease_ttl: LEASE_TTL, ..options(server) };
    LarderNode::with(options, |builder| builder.lease_ttl(LEASE_TTL))
}

/// Completes once a process of its own has the lease of this row; then it is killed.
async fn die_holding(server: &RedisServer, row: usize) {
    let lease_ms = LEASE_TTL.as_millis().to_string();
    let words = [server.port().to_string(), lease_ms, row.to_string()];
    let mut command = Command::new(env!("CARGO_BIN_EXE_lease-holder"));
    let mut holder =
        command.args(words).stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("start");
    let mut said = BufReader::new(holder.stdout.take().expect("its output")).lines();
    let line = tokio::time::timeout(PATIENCE, said.next_line()).await.expect("in time");
    assert_eq!(line.expect("readable").as_deref(), Some("the lease is held"));
    holder.kill().await.expect("it was alive");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_are_killed_with_a_lease_are_replaced_when_it_ends() {
    let (server, source) = (RedisServer::start(), Source::new(millis(1)));
    let node = hasty(&server);
    node.redis.connected().await;
    node.share(0, &source).await;
    let mut slowest = Duration::ZERO;
    // Each dies over a key of its own: after the first, which all nodes have, there are not more.
    let keys: Vec<usize> = (1..KEYS).take(kills() as usize).collect();
    for &key in &keys {
        die_holding(&server, key).await;
        let dead = Stopwatch::started();
        tokio::time::timeout(PATIENCE, node.share(key, &source)).await.expect("it is replaced");
        let took = dead.elapsed();
        // It had the lease: nobody else could store before the end of it.
        assert!(took > LEASE_TTL / 2, "after {took:?} already");
        slowest = slowest.max(took);
    }
    println!("{} killed with a lease of {LEASE_TTL:?}; replaced within {slowest:?}", keys.len());
    assert!(slowest < LEASE_TTL + SLACK, "{slowest:?}");
}

/// Reads every key through every node, all nodes at once and in the same order.
async fn read_all(nodes: &[Arc<LarderNode>], keys: u64, loads: &Arc<AtomicU64>) {
    let mut reading = JoinSet::new();
    for node in nodes {
        for lane in 0..8 {
            let (node, loads) = (Arc::clone(node), Arc::clone(loads));
            reading.spawn(async move {
                // The rows of the source are not among them: those show that a node stores again.
                for key in (lane..keys).step_by(8).map(|key| KEYS as u64 + key) {
                    let loads = Arc::clone(&loads);
                    let load = move |_| async move {
                        loads.fetch_add(1, Ordering::Relaxed);
                        Ok::<_, std::convert::Infallible>(key)
                    };
                    let hit = node.cache.get_or_load(&key, load).await.expect("it never fails");
                    assert_eq!(*hit, key);
                }
            });
        }
    }
    reading.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lost_everything_costs_one_load_a_key_for_the_whole_fleet() {
    let (mut server, source) = (RedisServer::start(), Source::new(millis(0)));
    let keys = number("LARDER_HERD_KEYS", 2_000);
    let limit = keys + keys * 3 / 100;
    let nodes: Vec<Arc<LarderNode>> =
        (0..3).map(|_| Arc::new(patient(options(&server), |builder| builder))).collect();
    let loads = Arc::new(AtomicU64::new(0));
    for lost in [Lost::Nothing, Lost::ByFlush, Lost::ByRestart] {
        lose(lost, &mut server, &nodes).await;
        for node in &nodes {
            // Whoever has not seen the new epoch stores nothing yet.
            node.share(0, &source).await;
        }
        loads.store(0, Ordering::Relaxed);
        read_all(&nodes, keys, &loads).await;
        let loads = loads.load(Ordering::Relaxed);
        println!("lost {lost:?}: {loads} loads of {keys} keys on {} nodes", nodes.len());
        assert!((keys..=limit).contains(&loads), "lost {lost:?}: {loads} loads of {keys} keys");
    }
}

/// What the server has lost.
#[derive(Debug, Clone, Copy)]
enum Lost {
    Nothing,
    ByFlush,
    ByRestart,
}

async fn lose(lost: Lost, server: &mut RedisServer, nodes: &[Arc<LarderNode>]) {
    let connects = |node: &Arc<LarderNode>| node.redis.health().servers[0].connects;
    let before: Vec<u64> = nodes.iter().map(connects).collect();
    match lost {
        Lost::Nothing => {}
        Lost::ByFlush => {
            server.ask::<()>(&redis::cmd("FLUSHALL"));
            // After the bound every node knows that there is another epoch.
            pause(STALENESS_MAX).await;
        }
        Lost::ByRestart => {
            server.restart_empty();
            let are_back = || nodes.iter().zip(&before).all(|(node, was)| connects(node) > *was);
            until("every node to be back", are_back).await;
        }
    }
    for node in nodes {
        node.redis.connected().await;
    }
}
