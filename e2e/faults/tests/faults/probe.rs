//! The consistency probe in a fleet, and that it finds a tier that lies.
//! `LARDER_PROBE_WRITES` is how many versions the nodes write together, `LARDER_PROBE_REGISTERS`
//! into how many registers.

use std::sync::Arc;
use std::time::Duration;

use larder::clock::Moment;
use larder::key::EncodedKey;
use larder::record::{Mode, Record};
use larder::shard::{
    Appended, Fill, FillReply, LeaseReply, Listener, ReadReply, Reply, Scan, ScanReply, ServerTime,
    Shard, TailReply, TailRequest, Token,
};
use larder::{Larder, Pattern, Probe, ProbeOptions, ProbeReport};
use larder_redis::{Redis, RedisOptions, Topology};
use larder_rig::{RedisServer, Stopwatch};
use tokio::task::JoinSet;

use crate::support::{millis, number, until_within};

fn opened(server: &RedisServer) -> Redis {
    let options = RedisOptions::new(Topology::single("127.0.0.1", server.port()));
    Redis::open("probed", options).expect("options in range")
}

fn probe(larder: &Larder, registers: u32) -> Arc<Probe> {
    let options = ProbeOptions { registers, rest: millis(20) };
    Arc::new(Probe::new(larder, options).expect("options in range"))
}

fn running(probes: &[Arc<Probe>]) -> JoinSet<()> {
    let mut running = JoinSet::new();
    for probe in probes {
        let probe = Arc::clone(probe);
        running.spawn(async move { probe.run().await });
    }
    running
}

fn together(probes: &[Arc<Probe>]) -> ProbeReport {
    let mut all = ProbeReport::default();
    for report in probes.iter().map(|probe| probe.report()) {
        all.writes += report.writes;
        all.checks += report.checks;
        all.stale_in_memory += report.stale_in_memory;
        all.stale_in_shared += report.stale_in_shared;
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_whose_server_restarts_shows_its_probes_nothing_too_old() {
    let mut server = RedisServer::start();
    let registers = number("LARDER_PROBE_REGISTERS", 300) as u32;
    let tiers: Vec<Redis> = (0..3).map(|_| opened(&server)).collect();
    let mut probes = Vec::new();
    for tier in &tiers {
        tier.connected().await;
        let larder = Larder::builder("probed").shards(tier.shards()).build().expect("in range");
        probes.push(probe(&larder, registers));
    }
    let running = running(&probes);
    let (wanted, began) = (number("LARDER_PROBE_WRITES", 5_000), Stopwatch::started());
    let patience = Duration::from_secs(60 + wanted / 50);
    for share in 1..=4 {
        let enough = || {
            let ProbeReport { writes, checks, .. } = together(&probes);
            writes.min(checks) >= wanted * share / 4
        };
        until_within(patience, "enough writes and checks", enough).await;
        if share < 4 {
            server.restart_empty();
        }
    }
    drop(running);
    let found = together(&probes);
    println!("within {:?}: {found:?}", began.elapsed());
    assert_eq!((found.stale_in_memory, found.stale_in_shared), (0, 0), "{found:?}");
}

/// Confirms that nothing has happened, whatever has.
struct Deaf(Arc<dyn Shard>);

impl Shard for Deaf {
    fn keeps_values(&self) -> bool {
        true
    }

    fn subscribe(&self, _: Arc<dyn Listener>) {}

    fn read(&self, keys: Vec<EncodedKey>) -> Reply<'_, ReadReply> {
        self.0.read(keys)
    }

    fn lease(&self, key: EncodedKey, token: Token, seen: Option<u128>) -> Reply<'_, LeaseReply> {
        self.0.lease(key, token, seen)
    }

    fn renew(&self, key: EncodedKey, token: Token) -> Reply<'_, bool> {
        self.0.renew(key, token)
    }

    fn release(&self, key: EncodedKey, token: Token) -> Reply<'_, ()> {
        self.0.release(key, token)
    }

    fn fill(&self, fill: Fill) -> Reply<'_, FillReply> {
        self.0.fill(fill)
    }

    fn append(&self, records: Vec<Record>) -> Reply<'_, Appended> {
        self.0.append(records)
    }

    fn write_through(&self, fill: Fill, records: Vec<Record>) -> Reply<'_, (Appended, FillReply)> {
        self.0.write_through(fill, records)
    }

    fn tail(&self, request: TailRequest) -> Reply<'_, TailReply> {
        Box::pin(async move {
            let reply = self.0.tail(request).await?;
            if Some(reply.epoch) != request.epoch {
                return Ok(reply);
            }
            Ok(TailReply { head: request.from, records: Vec::new(), table: None, ..reply })
        })
    }

    fn anchor(&self) -> Reply<'_, Appended> {
        self.0.anchor()
    }

    fn scan(&self, scan: Scan) -> Reply<'_, ScanReply> {
        self.0.scan(scan)
    }

    fn finish(&self, pattern: Pattern, mode: Mode, anchor: Appended) -> Reply<'_, Option<Appended>> {
        self.0.finish(pattern, mode, anchor)
    }

    fn server_time(&self, now: Moment) -> ServerTime {
        self.0.server_time(now)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_finds_a_node_that_is_not_told_of_invalidations() {
    let server = RedisServer::start();
    let (hearing, deaf) = (opened(&server), opened(&server));
    hearing.connected().await;
    deaf.connected().await;
    let shards = deaf.shards().into_iter();
    let shards = shards.map(|shard| Arc::new(Deaf(shard)) as Arc<dyn Shard>).collect();
    let nodes = [
        Larder::builder("probed").shards(hearing.shards()).build().expect("in range"),
        Larder::builder("probed").shards(shards).build().expect("in range"),
    ];
    let probes: Vec<Arc<Probe>> = nodes.iter().map(|larder| probe(larder, 50)).collect();
    let _running = running(&probes);
    let found = || probes[1].report().stale_in_memory > 0;
    until_within(Duration::from_secs(60), "something too old", found).await;
    assert_eq!(probes[0].report().stale_in_memory, 0, "the other node hears everything");
}
