//! Three processes of the command, read and changed through all of them, while their Redis dies again
//! and again: no read fails, and none shows what is older than the bound. `LARDER_KILLS` is how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arcade::http::Verb;
use larder_rig::{RedisServer, Stopwatch};
use parking_lot::Mutex;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::market::item;
use crate::support::process::{Process, admin, migrated};
use crate::support::{Sender, asked};

const PROCESSES: usize = 3;
const ITEMS: usize = 12;
const READERS_OF_EACH: usize = 3;

/// How late a change made through another process may show.
const STALENESS_MAX: Duration = Duration::from_millis(1_000);

/// A change that has been answered: its price is its version.
#[derive(Clone, Copy)]
struct Change {
    answered: Duration,
    through: usize,
    version: u64,
}

/// What was changed and read, and when, by one clock.
struct History {
    clock: Stopwatch,
    changes: [Mutex<Vec<Change>>; ITEMS],
    reads: AtomicU64,
    changed: AtomicU64,
    slowest: Mutex<Duration>,
    is_over: AtomicBool,
}

impl History {
    /// The version below which a read through this process may not be that begins now.
    fn oldest_allowed(&self, item: usize, process: usize) -> u64 {
        let now = self.clock.elapsed();
        let due = |change: &Change| change.answered + STALENESS_MAX <= now;
        let mut changes = self.changes[item].lock();
        // Versions grow: what came before one that is due says nothing more.
        if let Some(last) = changes.iter().rposition(due) {
            changes.drain(..last);
        }
        let shown = |change: &&Change| change.through == process || due(change);
        changes.iter().filter(shown).map(|change| change.version).max().unwrap_or(0)
    }
}

/// A process and its number.
#[derive(Clone)]
struct Door {
    process: usize,
    sender: Sender,
}

async fn read(door: Door, ids: [i64; ITEMS], history: Arc<History>) {
    for item in (0..ITEMS).cycle().skip(door.process) {
        if history.is_over.load(Ordering::Relaxed) {
            return;
        }
        let (oldest, began) = (history.oldest_allowed(item, door.process), history.clock.elapsed());
        let path = format!("/marketplace/items/{}", ids[item]);
        let answer = door.sender.send(Verb::Get, &path, None, "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let price = answer.json()["price"].as_u64().expect("a price");
        let Door { process, .. } = door;
        assert!(price >= oldest, "process {process}: {price}, but {oldest} is due: {answer:?}");
        let took = history.clock.elapsed() - began;
        history.reads.fetch_add(1, Ordering::Relaxed);
        let mut slowest = history.slowest.lock();
        *slowest = took.max(*slowest);
    }
}

/// Changes some items, one at a time and each by nobody else, through one process after the other.
async fn write(first: usize, doors: Vec<Door>, ids: [i64; ITEMS], history: Arc<History>) {
    let admin = admin();
    for (round, version) in (2..).enumerate() {
        for item in (first..ITEMS).step_by(PROCESSES) {
            if history.is_over.load(Ordering::Relaxed) {
                return;
            }
            let Door { process, sender } = &doors[(round + item) % PROCESSES];
            let path = format!("/marketplace/items/{}", ids[item]);
            let body = json!({ "price": version }).to_string();
            let answer = sender.send(Verb::Patch, &path, Some(&admin), &body).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let answered = history.clock.elapsed();
            history.changed.fetch_add(1, Ordering::Relaxed);
            history.changes[item].lock().push(Change { answered, through: *process, version });
        }
    }
}

async fn put_items(door: &Door) -> [i64; ITEMS] {
    let admin = admin();
    let mut ids = [0; ITEMS];
    for id in &mut ids {
        let mut item = item();
        item["price"] = json!(1);
        let path = "/marketplace/items";
        let put = door.sender.send(Verb::Post, path, Some(&admin), &item.to_string()).await;
        assert_eq!(put.status, 201, "{put:?}");
        *id = put.json()["id"].as_i64().expect("an id");
    }
    ids
}

/// Completes once every process says that it is this.
async fn all_say(processes: &[Process], status: &str) {
    for process in processes {
        process.says(status).await;
    }
}

/// Completes once so much more has been read.
///
/// # Panics
/// A reader or a writer did, or has left.
async fn read_on(at_work: &mut JoinSet<()>, history: &History, processes: &[Process], reads: u64) {
    let enough = history.reads.load(Ordering::Relaxed) + reads;
    while history.reads.load(Ordering::Relaxed) < enough {
        assert_eq!(processes[0].get("/livez").await.status, 200);
        if let Some(left) = at_work.try_join_next() {
            left.expect("every read and change is answered as it must be");
            panic!("somebody has left");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_what_is_older_than_the_bound_while_redis_dies_again_and_again_under_load() {
    let (directory, mut redis) = (tempfile::tempdir().expect("a directory"), RedisServer::start());
    migrated(&directory).await;
    let url = redis.url();
    let mut processes = Vec::new();
    for _ in 0..PROCESSES {
        processes.push(Process::start(directory.path(), &[("REDIS_URL", &url)]).await);
    }
    let senders = processes.iter().map(|process| process.sender.clone()).enumerate();
    let doors: Vec<Door> = senders.map(|(process, sender)| Door { process, sender }).collect();
    let ids = put_items(&doors[0]).await;
    let history = Arc::new(History {
        clock: Stopwatch::started(),
        changes: Default::default(),
        reads: AtomicU64::new(0),
        changed: AtomicU64::new(0),
        slowest: Mutex::default(),
        is_over: AtomicBool::new(false),
    });
    let mut at_work = JoinSet::new();
    for door in &doors {
        for _ in 0..READERS_OF_EACH {
            at_work.spawn(read(door.clone(), ids, Arc::clone(&history)));
        }
        at_work.spawn(write(door.process, doors.clone(), ids, Arc::clone(&history)));
    }
    let kills = asked("LARDER_KILLS").unwrap_or(20);
    for kill in 0..kills {
        redis.kill();
        all_say(&processes, "degraded").await;
        // A process trusts its memory no longer than the bound: some kills last longer.
        let down = Stopwatch::started();
        while kill % 4 == 3 && down.elapsed() < STALENESS_MAX + STALENESS_MAX / 2 {
            read_on(&mut at_work, &history, &processes, 10).await;
        }
        read_on(&mut at_work, &history, &processes, 100).await;
        redis.run();
        all_say(&processes, "ready").await;
        read_on(&mut at_work, &history, &processes, 100).await;
    }
    history.is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = at_work.join_next().await {
        ended.expect("every read and change is answered as it must be");
    }
    let counted = [&history.reads, &history.changed].map(|count| count.load(Ordering::Relaxed));
    let ([reads, changes], slowest) = (counted, *history.slowest.lock());
    println!("{kills} kills, {reads} reads, {changes} changes: 0 older than the bound, 0 failed");
    println!("the slowest read took {slowest:?}");
}
