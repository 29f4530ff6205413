//! Decides what happens to messages between nodes and servers: delayed, lost, doubled, overtaken,
//! cut off. What a server does with a request is the real shard machine's business.

mod answer;
mod link;
pub(crate) mod server;
pub(crate) mod shard;

use std::sync::Arc;

use larder::key::EncodedKey;
use larder::shard::state::{Effects, Part, Parts, ShardState, Step};
use larder::shard::{FillReply, Listener};
use parking_lot::Mutex;

use crate::dice::Dice;
use crate::exec::{Executor, Nanos, Owner, millis};
use crate::trace::Event;
use crate::weather::{NODES, SHARDS, Weather};
use crate::world::World;
use link::{Link, Sent};
use server::Server;

/// Every so many messages one is slow, so that its answer meets a changed world.
const SLOW_ONE_IN: u64 = 4;
/// How much longer a slow message may take.
const SLOW_FACTOR: u64 = 8;

/// Whether a verb works on a server that is no primary any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Access {
    /// A tail begins with a delete: a server that is no primary any more shall confirm nothing.
    const TAIL: Access = Access::Write;
}

/// Why a request had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Miss {
    /// Said at once.
    Refused(&'static str),
    /// The caller finds out when its time is up.
    Silent,
}

struct State {
    servers: Vec<Server>,
    links: Vec<Vec<Link>>,
}

/// The network of one simulation.
pub(crate) struct Network {
    executor: Executor,
    world: Arc<World>,
    weather: Arc<Weather>,
    dice: Dice,
    /// From here on messages are quick and none is lost.
    healed: std::sync::atomic::AtomicBool,
    state: Mutex<State>,
}

/// How a message travels.
struct Fate {
    /// When the request arrives; twice if it is doubled, never if it is lost.
    arrivals: Vec<Nanos>,
    answer_takes: Nanos,
    answer_lost: bool,
}

impl Network {
    pub(crate) fn new(world: Arc<World>, weather: Arc<Weather>, dice: Dice) -> Arc<Self> {
        let servers = (0..SHARDS).map(|_| Server::new(dice.below(1 << 40))).collect();
        let links = (0..NODES).map(|_| (0..SHARDS).map(|_| Link::default()).collect()).collect();
        Arc::new(Network {
            executor: world.executor.clone(),
            world,
            weather,
            dice,
            healed: false.into(),
            state: Mutex::new(State { servers, links }),
        })
    }

    fn leg(&self, slow: Slow) -> Nanos {
        let longest = if self.is_healed() { millis(2) } else { self.weather.delay };
        let factor = if slow == Slow::Yes { SLOW_FACTOR } else { 1 };
        self.dice.below(longest * factor) + 1
    }

    fn is_healed(&self) -> bool {
        self.healed.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// True `per_mille` times in a thousand, until the network is healed.
    fn mishap(&self, per_mille: u64) -> bool {
        !self.is_healed() && self.dice.chance(per_mille)
    }

    fn fate(&self) -> Fate {
        let slow = if self.dice.below(SLOW_ONE_IN) == 0 { Slow::Yes } else { Slow::No };
        let sent = self.executor.now();
        let mut arrivals = Vec::new();
        if self.mishap(self.weather.lost / 2) {
            self.world.count("requests lost");
        } else {
            arrivals.push(sent + self.leg(slow));
            if self.mishap(self.weather.doubled) {
                self.world.count("requests doubled");
                arrivals.push(sent + self.leg(Slow::Yes));
            }
        }
        let answer_lost = self.mishap(self.weather.lost / 2);
        if answer_lost {
            self.world.count("answers lost");
        }
        let answer_takes = self.leg(slow);
        let in_time = arrivals
            .first()
            .is_some_and(|at| at - sent + answer_takes < self.weather.call_timeout / 20 * 19);
        if answer_lost || !in_time {
            // The caller will find the shard unreachable, by its own clock a little earlier or later.
            self.world.disturbed();
        }
        Fate { arrivals, answer_takes, answer_lost }
    }

    /// The next message of a node's connection to a shard is sent under this.
    fn sending(&self, node: usize, shard: usize) -> Sent {
        let state = self.state.lock();
        let link = &state.links[node][shard];
        Sent { opened: link.opened, flushed: link.flushed, run: state.servers[shard].run }
    }

    /// Runs one step on the server that a message reaches now, after the check that precedes the
    /// first command of a connection.
    fn reach<T>(
        &self,
        (node, shard): (usize, usize),
        sent: Sent,
        access: Access,
        act: impl FnOnce(&mut ShardState, &Step, &mut Effects) -> T,
    ) -> Result<T, Miss> {
        let now = self.executor.now();
        let fresh = self.dice.wide();
        let mut effects = Effects::default();
        let mut state = self.state.lock();
        let State { servers, links } = &mut *state;
        let (server, link) = (&mut servers[shard], &mut links[node][shard]);
        link.carries(sent, server, now)?;
        let step = server.step(now, fresh);
        if link.former_until > now
            && sent.opened == link.opened
            && let Some(former) = &mut server.former
        {
            // It is a replica by now, or cut off from those it has to copy to.
            return match access {
                Access::Read => {
                    let step = Step { run: former.run, ..step };
                    Ok(act(&mut former.state, &step, &mut effects))
                }
                Access::Write => Err(Miss::Refused("the server is no primary")),
            };
        }
        if !server.up {
            return Err(Miss::Refused("connection refused"));
        }
        if sent.opened == link.opened && link.checked != Some(server.run) {
            server.state.connect(&step);
            link.checked = Some(server.run);
        }
        let result = act(&mut server.state, &step, &mut effects);
        if access == Access::Write && self.dice.chance(500) {
            server.snapshot();
        }
        let listeners: Vec<_> =
            (0..NODES).map(|node| links[node][shard].subscription(server, now)).collect();
        drop(state);
        self.tell(listeners, effects);
        Ok(result)
    }

    /// Whether an answer to what was `sent` still comes back.
    fn returns(&self, node: usize, shard: usize, sent: Sent) -> bool {
        self.state.lock().links[node][shard].returns(sent, self.executor.now())
    }

    /// Which server process a read is on: its two halves must be on one.
    fn incarnation(&self, node: usize, shard: usize) -> (u64, bool) {
        let state = self.state.lock();
        let (server, link) = (&state.servers[shard], &state.links[node][shard]);
        (server.run.0, server.former.is_some() && link.former_until > self.executor.now())
    }

    fn tell(&self, listeners: Vec<Option<Subscription>>, effects: Effects) {
        let Effects { woken, pushed } = effects;
        for subscription in listeners.into_iter().flatten() {
            for key in &woken {
                let key = key.clone();
                self.push(&subscription, move |listener| listener.woken(&key));
            }
            if let Some((epoch, records)) = &pushed {
                let (epoch, records) = (*epoch, records.clone());
                self.push(&subscription, move |listener| listener.pushed(epoch, records.clone()));
            }
        }
    }

    /// Pushes travel like messages, but nobody notices when one is lost.
    fn push(
        &self,
        subscription: &Subscription,
        tell: impl Fn(&dyn Listener) + Send + Sync + 'static,
    ) {
        if self.mishap(self.weather.pushes_lost) {
            return self.world.count("pushes lost");
        }
        let tell: Tell = Arc::new(tell);
        let times = if self.mishap(self.weather.doubled) { 2 } else { 1 };
        for _ in 0..times {
            let slow = if self.dice.below(SLOW_ONE_IN) == 0 { Slow::Yes } else { Slow::No };
            let at = self.executor.now() + self.leg(slow);
            self.world.count("pushes sent");
            subscription.clone().deliver(self.executor.clone(), at, Arc::clone(&tell));
        }
    }
}

/// Whether a message is one of the slow ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slow {
    Yes,
    No,
}

/// Who hears what one shard says, as it was when it was said.
#[derive(Clone)]
struct Subscription {
    owner: Owner,
    listener: Arc<dyn Listener>,
    alive: Arc<()>,
}

type Tell = Arc<dyn Fn(&dyn Listener) + Send + Sync>;

impl Subscription {
    fn deliver(self, executor: Executor, at: Nanos, tell: Tell) {
        let later = executor.clone();
        executor.at(at, move || {
            // The link holds the other reference; without it the connection is gone.
            if Arc::strong_count(&self.alive) < 2 {
                return;
            }
            if later.is_paused(self.owner) {
                let again = later.now() + millis(10);
                return self.deliver(later, again, tell);
            }
            tell(&*self.listener);
        });
    }
}

/// The switches that faults turn, see [`crate::faults`].
impl Network {
    /// From now on messages are quick, and every link and server is up.
    pub(crate) fn heal(&self) {
        self.healed.store(true, std::sync::atomic::Ordering::Relaxed);
        let mut state = self.state.lock();
        for server in &mut state.servers {
            server.up = true;
            server.former = None;
        }
        state.links.iter_mut().flatten().for_each(Link::heal);
    }

    /// Lets go of every listener, which hold the nodes, which hold the network.
    pub(crate) fn hang_up(&self) {
        (0..NODES).for_each(|node| self.close_links(node));
    }

    pub(crate) fn shard_down(&self, shard: usize) {
        self.state.lock().servers[shard].up = false;
    }

    /// Brings a shard that is down up again, in the state it had.
    pub(crate) fn shard_up(&self, shard: usize) {
        self.state.lock().servers[shard].up = true;
    }

    pub(crate) fn restart_empty(&self, shard: usize) {
        self.state.lock().servers[shard].restart_empty();
    }

    /// An old state takes over. Until `until` the former primary answers reads of `node`.
    pub(crate) fn fail_over(&self, shard: usize, node: usize, until: Nanos, unnoticed: Unnoticed) {
        let mut state = self.state.lock();
        let State { servers, links } = &mut *state;
        let before = servers[shard].run;
        if !servers[shard].fail_over() {
            return;
        }
        links[node][shard].former_until = until;
        for link in links.iter_mut().map(|links| &mut links[shard]) {
            // A proxy in between kept the connection open: the client has no reason to check.
            if unnoticed == Unnoticed::BySome && link.checked == Some(before) && self.dice.chance(500)
            {
                link.checked = Some(servers[shard].run);
            }
        }
    }

    pub(crate) fn lose_messages(&self, node: usize, shard: usize) {
        self.state.lock().links[node][shard].flushed += 1;
    }

    pub(crate) fn cut(&self, node: usize, shard: usize, until: Nanos) {
        let link = &mut self.state.lock().links[node][shard];
        link.flushed += 1;
        link.checked = None;
        link.cut_until = until;
    }

    pub(crate) fn half_open(&self, node: usize, shard: usize, until: Nanos) {
        self.state.lock().links[node][shard].half_open_until = until;
    }

    pub(crate) fn evict(&self, shard: usize, part: &Part) {
        self.state.lock().servers[shard].state.parts_mut().evict(part);
    }

    /// The process of `node` is gone; what it sent may still arrive.
    pub(crate) fn close_links(&self, node: usize) {
        let mut state = self.state.lock();
        let closed: Vec<Link> = state.links[node]
            .iter_mut()
            .map(|link| std::mem::replace(link, link.reopened()))
            .collect();
        drop(state);
        drop(closed);
    }

    /// Looks at what a shard holds, unless its next connection would begin a new epoch anyway.
    pub(crate) fn look<T>(&self, shard: usize, look: impl FnOnce(&Parts) -> T) -> Option<T> {
        let state = self.state.lock();
        let server = &state.servers[shard];
        let parts = server.state.parts();
        let current = parts.meta.as_ref().is_some_and(|meta| meta.run == server.run);
        current.then(|| look(parts))
    }

    fn subscribe(&self, node: usize, shard: usize, owner: Owner, listener: Arc<dyn Listener>) {
        let link = &mut self.state.lock().links[node][shard];
        link.listener = Some(Subscription { owner, listener, alive: Arc::new(()) });
    }

    fn count_fill(&self, shard: usize, key: &EncodedKey, reply: FillReply) {
        let what = match reply {
            FillReply::Stored => "fills stored",
            FillReply::Rejected => "fills rejected",
        };
        self.world.count(what);
        self.world.note(Event::new(what, u64::from(key.hash().row0())).on_shard(shard));
    }
}

/// Whether some connections live through a failover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unnoticed {
    ByNobody,
    BySome,
}
