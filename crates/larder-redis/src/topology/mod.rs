//! Decides which server keeps which shard, and finds it again when it moves. One server keeps
//! them all, or the masters of a cluster keep those whose hash slots they have.

mod slots;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::address::{Address, Topology};
use crate::fault::{Fault, FaultKind};
use crate::options::RedisOptions;
use crate::rights::NEEDS_CLUSTER_SLOTS;
use crate::server::ears::Ear;
use crate::server::line::Line;
use crate::server::locator::Locator;
use crate::server::scout::Scout;
use crate::server::{Need, Server, ServerHealth};
use slots::{Range, master_of, ranges_of, slot_of};

/// How often a cluster is asked who keeps what, unless somebody was sent elsewhere before.
const ASKED_EVERY: Duration = Duration::from_secs(1);
/// How long a cluster is left alone that has just been asked.
const ASKED_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// The servers of a namespace, dialled for as long as this lives.
pub(crate) struct Servers {
    map: Arc<Map>,
    /// Empty where nothing is to be searched for.
    search: JoinSet<()>,
}

/// Who keeps which shard now.
struct Map {
    /// One place for each shard; `None` while nobody is known to keep it.
    homes: ArcSwap<Vec<Option<Arc<Server>>>>,
    /// How often the cluster was asked; somebody waits for the next time.
    asked: watch::Sender<u64>,
    /// Somebody was sent elsewhere.
    lost_way: Notify,
    fault: Mutex<Option<Fault>>,
}

/// A call's way to its shard.
pub(crate) struct Route {
    pub(crate) server: Arc<Server>,
    pub(crate) line: Arc<Line>,
}

impl Servers {
    /// Dials from now on, in the tokio runtime of the caller. `hash_tags` has one for each shard.
    pub(crate) fn open(options: &RedisOptions, ears: Arc<[Arc<Ear>]>, hash_tags: &[Vec<u8>]) -> Self {
        let one = |locator| Some(Arc::new(Server::open(locator, options.clone(), Arc::clone(&ears))));
        let scout = |seeds: &[Address], credentials| Scout::new(seeds.to_vec(), credentials, options);
        let home = match &options.topology {
            Topology::Single(address) => one(Locator::Fixed(address.clone())),
            Topology::Sentinel { sentinels, master, credentials } => {
                let sentinels = Box::new(scout(sentinels, credentials.clone()));
                one(Locator::Master { sentinels, name: master.clone() })
            }
            Topology::Cluster(_) => None,
        };
        let map = Arc::new(Map {
            homes: ArcSwap::from_pointee(vec![home; hash_tags.len()]),
            asked: watch::Sender::new(0),
            lost_way: Notify::new(),
            fault: Mutex::default(),
        });
        let mut search = JoinSet::new();
        if let Topology::Cluster(seeds) = &options.topology {
            let searching = Search {
                map: Arc::clone(&map),
                scout: scout(seeds, options.credentials.clone()),
                slots: hash_tags.iter().map(|tag| slot_of(tag)).collect(),
                options: options.clone(),
                ears,
            };
            search.spawn(searching.go_on());
        }
        Servers { map, search }
    }

    /// The way to a shard, if a call may go now.
    pub(crate) fn route(&self, shard: usize, need: Need) -> Result<Route, Fault> {
        let homes = self.map.homes.load();
        let Some(server) = homes.get(shard).and_then(Clone::clone) else {
            let fault = self.map.fault.lock().clone();
            let unknown = || Fault::new(FaultKind::Lost, "cluster slots", "not asked yet");
            return Err(fault.unwrap_or_else(unknown));
        };
        let line = server.line(need)?;
        Ok(Route { server, line })
    }

    /// A shard was not found where it was sought. Completes once the cluster was asked again; `false`
    /// where there is none that could be asked.
    pub(crate) async fn search_again(&self) -> bool {
        if self.search.is_empty() {
            return false;
        }
        let mut asked = self.map.asked.subscribe();
        self.map.lost_way.notify_one();
        // The sender lives as long as this.
        drop(asked.changed().await);
        true
    }

    /// What was wrong when the cluster was asked last.
    pub(crate) fn search_fault(&self) -> Option<String> {
        self.map.fault.lock().as_ref().map(Fault::to_string)
    }

    /// Each server once.
    pub(crate) fn all(&self) -> Vec<Arc<Server>> {
        let mut all: Vec<Arc<Server>> = Vec::new();
        for server in self.map.homes.load().iter().flatten() {
            if !all.iter().any(|known| Arc::ptr_eq(known, server)) {
                all.push(Arc::clone(server));
            }
        }
        all
    }

    pub(crate) fn health(&self) -> Vec<ServerHealth> {
        self.all().iter().map(|server| server.health()).collect()
    }

    /// How many shards no server is known to keep.
    pub(crate) fn homeless(&self) -> usize {
        self.map.homes.load().iter().filter(|home| home.is_none()).count()
    }

    /// Completes once every shard has a server, and every server a connection.
    pub(crate) async fn connected(&self) {
        loop {
            let mut asked = self.map.asked.subscribe();
            if self.homeless() > 0 {
                drop(asked.changed().await);
                continue;
            }
            let all = self.all();
            let every_one = join_all(all.iter().map(|server| server.connected()));
            // Who is waited for may have been replaced.
            futures_util::select_biased! {
                _ = Box::pin(every_one).fuse() => {}
                _ = Box::pin(asked.changed()).fuse() => continue,
            }
            if self.homeless() == 0 && self.all().iter().all(|server| server.is_connected()) {
                return;
            }
        }
    }

    /// Completes once a shard has no server, or a server no connection.
    pub(crate) async fn lost(&self) {
        loop {
            let mut asked = self.map.asked.subscribe();
            if self.homeless() > 0 {
                return;
            }
            let all = self.all();
            let mut losses: FuturesUnordered<_> = all.iter().map(|server| server.lost()).collect();
            futures_util::select_biased! {
                lost = losses.next().fuse() => if lost.is_some() { return },
                _ = Box::pin(asked.changed()).fuse() => {}
            }
        }
    }
}

/// Asks the cluster, again and again, who keeps what.
struct Search {
    map: Arc<Map>,
    scout: Scout,
    slots: Vec<u16>,
    options: RedisOptions,
    ears: Arc<[Arc<Ear>]>,
}

impl Search {
    async fn go_on(self) {
        let clock = Arc::clone(&self.options.clock);
        loop {
            self.look().await;
            let pause = |span| clock.sleep_until(clock.precise().plus(span));
            pause(ASKED_AGAIN_AFTER).await;
            futures_util::select_biased! {
                () = Box::pin(self.map.lost_way.notified()).fuse() => {}
                () = pause(ASKED_EVERY).fuse() => {}
            }
        }
    }

    async fn look(&self) {
        let homes = self.map.homes.load_full();
        let known: Vec<Address> =
            homes.iter().flatten().filter_map(|server| server.health().address).collect();
        let mut command = redis::cmd("CLUSTER");
        command.arg("SLOTS");
        // One that was taken out of the cluster knows of nobody: then the next one is asked.
        let partial = Mutex::new(None);
        let whole = |answer, asked: &Address| {
            let ranges = ranges_of(answer, asked)?;
            if self.slots.iter().all(|slot| master_of(&ranges, *slot).is_some()) {
                return Ok(ranges);
            }
            let found = ranges.len();
            let mut best = partial.lock();
            if best.as_ref().is_none_or(|best: &Vec<Range>| best.len() < found) {
                *best = Some(ranges);
            }
            let reason = format!("{asked} knows of slots that nobody keeps");
            Err(Fault::new(FaultKind::Lost, slots::VERB, reason))
        };
        let (ranges, fault) = match self.scout.ask(slots::VERB, &command, &known, whole).await {
            Ok(ranges) => (Some(ranges), None),
            Err(fault) => {
                let some = partial.lock().take().filter(|some| !some.is_empty());
                (some, Some(fault.advised(NEEDS_CLUSTER_SLOTS)))
            }
        };
        *self.map.fault.lock() = fault;
        // Who kept what when it was last known may still be right.
        if let Some(ranges) = ranges {
            self.settle(&homes, &ranges);
        }
        self.map.asked.send_modify(|times| *times += 1);
    }

    /// Servers stay that keep a shard still or again; the others are left.
    fn settle(&self, before: &[Option<Arc<Server>>], ranges: &[Range]) {
        let mut servers: Vec<(Address, Arc<Server>)> = Vec::new();
        for server in before.iter().flatten() {
            if let Some(address) = server.health().address {
                servers.push((address, Arc::clone(server)));
            }
        }
        let mut server_at = |address: &Address| {
            if let Some((_, server)) = servers.iter().find(|(known, _)| known == address) {
                return Arc::clone(server);
            }
            let locator = Locator::Fixed(address.clone());
            let ears = Arc::clone(&self.ears);
            let server = Arc::new(Server::open(locator, self.options.clone(), ears));
            servers.push((address.clone(), Arc::clone(&server)));
            server
        };
        let homes: Vec<Option<Arc<Server>>> =
            self.slots.iter().map(|slot| master_of(ranges, *slot).map(&mut server_at)).collect();
        self.map.homes.store(Arc::new(homes));
    }
}
