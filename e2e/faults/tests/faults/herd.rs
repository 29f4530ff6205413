//! The herd after a flush: a source that does less work the more is asked of it at once, at 80 % of what it can
//! carry. Who lets every load run that is wanted keeps such a source down for good, long after what brought it
//! down is over (Huang et al., "Metastable Failures in the Wild", OSDI 2022); a limit of loads brings it back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use larder::Cache;
use larder_faults::{LarderNode, Source, pause};
use larder_redis::{RedisOptions, Topology};
use larder_rig::{RedisServer, Stopwatch};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;

use crate::support::{millis, patient};

const NODES: usize = 3;
/// So many loads at once the source runs as fast as one.
const SLOTS: usize = 24;
/// How long one takes then.
const LOAD: Duration = millis(100);
/// With more than this at once it does a quarter of its work.
const CROWD: usize = 3 * SLOTS;

/// Each is loaded again after its time, and once somebody asks for it: 192 loads a second, of 240.
const KEYS: u64 = 460;
const FRESH_FOR: Duration = millis(2_000);
/// By everybody together, whether they are answered or not.
const ASKS_A_SECOND: usize = 920;
/// Whoever has no answer by then has gone.
const DEADLINE: Duration = millis(500);
/// How often it is looked who is due.
const TICK: Duration = millis(2);
/// Of the asks of a second, in percent.
const GOODPUT_MIN: usize = 95;

/// Seconds before the flush, and after it.
const BEFORE: usize = 3;
const AFTER: usize = 10;

/// A source whose work suffers from a crowd, as that of a database does whose connections take each other's
/// memory and locks.
#[derive(Default)]
struct Crowded {
    at_once: AtomicUsize,
    most: AtomicUsize,
    loads: AtomicUsize,
}

/// A load that runs; one that is given up runs no more.
struct Running<'s>(&'s Crowded);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.at_once.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Crowded {
    async fn load(&self, key: u64) -> u64 {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let at_once = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
        let _running = Running(self);
        self.most.fetch_max(at_once, Ordering::Relaxed);
        let shared = LOAD.mul_f64((at_once as f64 / SLOTS as f64).max(1.0));
        pause(if at_once > CROWD { 4 * shared } else { shared }).await;
        key
    }
}

/// What became of the asks of one second.
#[derive(Default)]
struct Second {
    asked: AtomicUsize,
    in_time: AtomicUsize,
}

impl Second {
    fn goodput(&self) -> usize {
        100 * self.in_time.load(Ordering::Relaxed) / self.asked.load(Ordering::Relaxed).max(1)
    }
}

/// What is asked, and of whom.
struct Herd {
    server: RedisServer,
    /// Alive for as long as they are asked.
    _nodes: Vec<LarderNode>,
    caches: Vec<Cache<u64, u64>>,
    source: Crowded,
    seconds: Vec<Second>,
    clock: Stopwatch,
}

impl Herd {
    /// Nodes that run so many loads at once, with every key in memory or in Redis.
    async fn warm(loads_max: usize) -> Herd {
        let server = RedisServer::start();
        let options = || RedisOptions::new(Topology::single("127.0.0.1", server.port()));
        let node = |_| patient(options(), |builder| builder.loads_max(loads_max));
        let nodes: Vec<LarderNode> = (0..NODES).map(node).collect();
        for node in &nodes {
            // Nothing is stored before the log was asked once.
            node.share(0, &Source::new(millis(0))).await;
        }
        let cache = |node: &LarderNode| node.larder.cache("herd").fresh_for(FRESH_FOR).build();
        let caches = nodes.iter().map(|node| cache(node).expect("a cache")).collect();
        let (source, seconds) = (Crowded::default(), Vec::new());
        let mut herd =
            Herd { server, _nodes: nodes, caches, source, seconds, clock: Stopwatch::started() };
        herd.seconds.resize_with(BEFORE + AFTER, Second::default);
        herd
    }

    async fn ask(self: &Arc<Self>, node: usize, key: u64) -> bool {
        let herd = Arc::clone(self);
        let load =
            move |_| async move { Ok::<_, std::convert::Infallible>(herd.source.load(key).await) };
        let answer = self.caches[node].get_or_load(&key, load).await;
        answer.is_ok_and(|hit| *hit == key)
    }

    /// Loads every key once, as many at a time as the source runs well.
    async fn fill(self: &Arc<Self>) {
        let mut lanes = JoinSet::new();
        for lane in 0..SLOTS {
            let herd = Arc::clone(self);
            lanes.spawn(async move {
                for key in (lane as u64..KEYS).step_by(SLOTS) {
                    assert!(herd.ask(lane % NODES, key).await, "a source at rest answers");
                }
            });
        }
        lanes.join_all().await;
    }

    /// Asks, however long the answers take, and counts those in time. A late question is late from when it was due.
    async fn run(self: &Arc<Self>, dice: &mut SmallRng, seconds: std::ops::Range<usize>) {
        let mut asks = JoinSet::new();
        let began = self.clock.elapsed();
        for ask in 0..seconds.len() * ASKS_A_SECOND {
            let since = Duration::from_secs_f64(ask as f64 / ASKS_A_SECOND as f64);
            let (herd, due) = (Arc::clone(self), began + since);
            // A timer is late by up to a millisecond: those that are due by then are not late once more.
            while self.clock.elapsed() < due {
                pause(TICK).await;
            }
            let (node, key) = (dice.random_range(0..NODES), dice.random_range(0..KEYS));
            let second = seconds.start + ask / ASKS_A_SECOND;
            asks.spawn(async move {
                herd.seconds[second].asked.fetch_add(1, Ordering::Relaxed);
                let answered = herd.ask(node, key).await;
                if answered && herd.clock.elapsed() <= due + DEADLINE {
                    herd.seconds[second].in_time.fetch_add(1, Ordering::Relaxed);
                }
            });
            while let Some(ended) = asks.try_join_next() {
                ended.expect("no ask panics");
            }
        }
        // Some are still in time.
        asks.detach_all();
    }

    fn goodput(&self, seconds: std::ops::Range<usize>) -> Vec<usize> {
        self.seconds[seconds].iter().map(Second::goodput).collect()
    }
}

/// Goodput of each second after a flush, in percent, and the most loads that ran at once.
async fn flushed(loads_max: usize) -> (Vec<usize>, usize) {
    let herd = Arc::new(Herd::warm(loads_max).await);
    let seed = rand::random();
    let mut dice = SmallRng::seed_from_u64(seed);
    herd.fill().await;
    let filled = herd.source.loads.load(Ordering::Relaxed);
    herd.run(&mut dice, 0..BEFORE).await;
    let loads = (herd.source.loads.load(Ordering::Relaxed) - filled) / BEFORE;
    let can = SLOTS * 1_000 / LOAD.as_millis() as usize;
    herd.server.ask::<()>(&redis::cmd("FLUSHALL"));
    herd.run(&mut dice, BEFORE..BEFORE + AFTER).await;
    pause(DEADLINE).await;
    let (before, after) = (herd.goodput(0..BEFORE), herd.goodput(BEFORE..BEFORE + AFTER));
    let most = herd.source.most.load(Ordering::Relaxed);
    println!(
        "at most {loads_max} loads of {NODES} nodes each (seed {seed}): {loads} loads a second of {can}, goodput \
         {before:?} %; after FLUSHALL {after:?} %; at most {most} loads at once"
    );
    assert!((can * 7 / 10..can * 9 / 10).contains(&loads), "{loads} loads a second are not 80 %");
    assert!(before.iter().all(|goodput| *goodput >= GOODPUT_MIN), "{before:?} % before anything");
    (after, most)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_a_flush_brought_down_is_back_within_ten_seconds() {
    let (after, most) = flushed(SLOTS / NODES).await;
    assert!(most <= SLOTS, "{most} loads at once");
    assert!(after[0] < GOODPUT_MIN, "the flush did no harm: {after:?} %");
    // It is not up and down.
    assert!(after[AFTER - 3..].iter().all(|goodput| *goodput >= GOODPUT_MIN), "{after:?} %");
}

/// The same without the limit: it is what brings the source back, and the test above can fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_limit_of_loads_the_same_flush_keeps_the_source_down() {
    let (after, most) = flushed(KEYS as usize * NODES).await;
    assert!(most > CROWD, "{most} loads at once are no crowd");
    assert!(after.iter().all(|goodput| *goodput < GOODPUT_MIN), "{after:?} %");
}
