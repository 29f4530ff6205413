//! The suite of promises on real Redis servers, which the tests start themselves.

mod stage;

use std::sync::Arc;

use larder::conformance::{Ability, Harness, run_all};
use larder_rig::{RedisCluster, Sentinel};
use stage::Servers;
use tokio::sync::Mutex;

async fn keeps_every_promise(servers: Servers) {
    let report = run_all(&servers).await;
    // Real time does not stop a millisecond before a deadline; `lifetimes.rs` has these promises.
    let only_time = report.skipped.iter().all(|(_, ability)| *ability == Ability::Time);
    assert!(only_time && servers.can(Ability::Values), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_server_keeps_every_promise() {
    keeps_every_promise(Servers::Single).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_sentinel_names_keeps_every_promise() {
    keeps_every_promise(Servers::Sentinel(Arc::new(Sentinel::start()))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_every_promise() {
    let cluster = RedisCluster::start(3);
    keeps_every_promise(Servers::Cluster(Arc::new(Mutex::new(cluster)))).await;
}
