//! One node's view of one simulated shard: each verb is a request, a step on the server, and an
//! answer, and each of the three may go wrong.

use std::sync::Arc;

use larder::clock::{Clock, Moment};
use larder::key::EncodedKey;
use larder::key::pattern::Pattern;
use larder::record::{Mode, Record};
use larder::shard::state::{Effects, ShardState, Step};
use larder::shard::{
    Appended, Fill, FillReply, LeaseReply, Listener, ReadReply, Reply, Scan, ScanReply, ServerTime,
    Shard, StoredEntry, TailReply, TailRequest, Token, Unreachable,
};
use parking_lot::Mutex;

use super::answer::Answer;
use super::link::Sent;
use super::{Access, Miss, Network, Slow};
use crate::clock::SimClock;
use crate::exec::{Nanos, Owner};
use crate::trace::Event;

/// The connection of one run of a node to one shard.
pub(crate) struct SimShard(Arc<Connection>);

struct Connection {
    network: Arc<Network>,
    node: usize,
    shard: usize,
    owner: Owner,
    clock: SimClock,
    /// The server's time at a moment of the local clock.
    server_time: Mutex<(Moment, ServerTime)>,
}

/// What a verb does on the server. Runs once for each time that the request arrives.
trait Act<T>: Fn(&mut ShardState, &Step, &mut Effects) -> Option<T> + Send + Sync + 'static {}
impl<T, A: Fn(&mut ShardState, &Step, &mut Effects) -> Option<T> + Send + Sync + 'static> Act<T>
    for A
{
}

/// One call on its way.
struct Call<T> {
    connection: Arc<Connection>,
    /// Tells its trace apart from that of other calls.
    serial: u64,
    sent: Sent,
    answer: Answer<T>,
}

/// How an answer travels.
#[derive(Clone, Copy)]
struct Way {
    takes: Nanos,
    lost: bool,
}

impl SimShard {
    /// Connects `node`, whose tasks `owner` owns and whose time `clock` tells.
    pub(crate) fn new(
        network: Arc<Network>,
        node: usize,
        shard: usize,
        owner: Owner,
        clock: SimClock,
    ) -> Self {
        let server_time = Mutex::new((clock.precise(), ServerTime::default()));
        SimShard(Arc::new(Connection { network, node, shard, owner, clock, server_time }))
    }

    fn call<T: Send + 'static>(
        &self,
        verb: &'static str,
        access: Access,
        act: impl Act<T>,
    ) -> Reply<'static, T> {
        let connection = Arc::clone(&self.0);
        // Sent when it is first polled, as a real client does.
        Box::pin(
            async move { connection.send(verb, move |call, way| call.run(access, &act, way)).await },
        )
    }
}

impl Connection {
    fn send<T: Send + 'static>(
        self: Arc<Self>,
        verb: &'static str,
        arrive: impl Fn(Arc<Call<T>>, Way) + Send + Sync + 'static,
    ) -> Answer<T> {
        let network = Arc::clone(&self.network);
        let fate = network.fate();
        let sent = network.sending(self.node, self.shard);
        let answer = Answer::awaited();
        let serial = network.world.next_call();
        self.note(verb, serial);
        let call = Arc::new(Call { connection: self, serial, sent, answer: answer.clone() });
        let way = Way { takes: fate.answer_takes, lost: fate.answer_lost };
        let arrive = Arc::new(arrive);
        for at in fate.arrivals {
            let (call, arrive) = (Arc::clone(&call), Arc::clone(&arrive));
            network.executor.at(at, move || arrive(call, way));
        }
        let timeout = network.executor.now() + network.weather.call_timeout;
        network.executor.at(timeout, move || call.fail("timed out"));
        answer
    }

    fn note(&self, what: &'static str, serial: u64) {
        self.network.world.note(Event::new(what, serial).on_node(self.node).on_shard(self.shard));
    }

    fn reach<T>(
        &self,
        sent: Sent,
        access: Access,
        act: impl FnOnce(&mut ShardState, &Step, &mut Effects) -> T,
    ) -> Result<T, Miss> {
        self.network.reach((self.node, self.shard), sent, access, act)
    }
}

impl<T: Send + 'static> Call<T> {
    fn run(self: Arc<Self>, access: Access, act: &impl Act<T>, way: Way) {
        let reached = self
            .connection
            .reach(self.sent, access, |state, step, effects| act(state, step, effects));
        self.settle(reached, way);
    }

    fn settle(self: Arc<Self>, reached: Result<Option<T>, Miss>, way: Way) {
        let executor = self.connection.network.executor.clone();
        let at = executor.now() + way.takes;
        match reached {
            Ok(Some(_)) if way.lost => {}
            Ok(Some(reply)) => executor.at(at, move || self.come_back(reply)),
            Ok(None) => executor.at(at, move || self.fail("the server was replaced")),
            Err(Miss::Refused(reason)) => executor.at(at, move || self.fail(reason)),
            Err(Miss::Silent) => {}
        }
    }

    fn come_back(&self, reply: T) {
        let Connection { network, node, shard, .. } = &*self.connection;
        if network.returns(*node, *shard, self.sent) {
            self.connection.note("is answered", self.serial);
            self.answer.resolve(Ok(reply));
        }
    }

    fn fail(&self, reason: &'static str) {
        if self.answer.is_open() {
            let network = &self.connection.network;
            self.connection.note("finds it unreachable", self.serial);
            network.world.count("calls unreachable");
            network.world.disturbed();
            self.answer.resolve(Err(Unreachable::new(reason)));
        }
    }
}

impl Call<ReadReply> {
    /// Values and meta are two steps: for what happens between them, values come first.
    fn read(self: Arc<Self>, keys: &[EncodedKey], way: Way) {
        let Connection { network, node, shard, .. } = &*self.connection;
        let incarnation = network.incarnation(*node, *shard);
        let values = self
            .connection
            .reach(self.sent, Access::Read, |state, step, _| state.values(keys, step.now));
        let entries = match values {
            Ok(entries) => entries,
            Err(miss) => return self.settle(Err(miss), way),
        };
        let at = network.executor.now() + network.leg(Slow::No);
        let executor = network.executor.clone();
        executor.at(at, move || self.read_meta(entries, incarnation, way));
    }

    fn read_meta(
        self: Arc<Self>,
        entries: Vec<Option<StoredEntry>>,
        incarnation: (u64, bool),
        way: Way,
    ) {
        let Connection { network, node, shard, .. } = &*self.connection;
        if network.incarnation(*node, *shard) != incarnation {
            return self.settle(Ok(None), way);
        }
        let head = self.connection.reach(self.sent, Access::Read, |state, _, _| state.head());
        let reply = head.map(|head| {
            let (epoch, head) = head.unzip();
            Some(ReadReply { entries, epoch, head: head.unwrap_or(0) })
        });
        self.settle(reply, way);
    }
}

impl Shard for SimShard {
    fn keeps_values(&self) -> bool {
        true
    }

    fn subscribe(&self, listener: Arc<dyn Listener>) {
        let Connection { network, node, shard, owner, .. } = &*self.0;
        network.subscribe(*node, *shard, *owner, listener);
    }

    fn read(&self, keys: Vec<EncodedKey>) -> Reply<'_, ReadReply> {
        let connection = Arc::clone(&self.0);
        Box::pin(async move {
            connection.send("asks: read", move |call, way| call.read(&keys, way)).await
        })
    }

    fn lease(&self, key: EncodedKey, token: Token, seen: Option<u128>) -> Reply<'_, LeaseReply> {
        self.call(
            "asks: lease",
            Access::Write,
            move |state: &mut ShardState, step: &Step, _: &mut Effects| {
                Some(state.lease(step, &key, token, seen))
            },
        )
    }

    fn renew(&self, key: EncodedKey, token: Token) -> Reply<'_, bool> {
        self.call(
            "asks: renew",
            Access::Write,
            move |state: &mut ShardState, step: &Step, _: &mut Effects| {
                Some(state.renew(step, &key, token))
            },
        )
    }

    fn release(&self, key: EncodedKey, token: Token) -> Reply<'_, ()> {
        self.call(
            "asks: release",
            Access::Write,
            move |state: &mut ShardState, step: &Step, effects: &mut Effects| {
                state.release(step, &key, token, effects);
                Some(())
            },
        )
    }

    fn fill(&self, fill: Fill) -> Reply<'_, FillReply> {
        let connection = Arc::clone(&self.0);
        let counted = fill.key.clone();
        let stored = self.call(
            "asks: fill",
            Access::Write,
            move |state: &mut ShardState, step: &Step, effects: &mut Effects| {
                Some(state.fill(step, &fill, effects))
            },
        );
        Box::pin(async move {
            let reply = stored.await?;
            connection.network.count_fill(connection.shard, &counted, reply);
            Ok(reply)
        })
    }

    fn append(&self, records: Vec<Record>) -> Reply<'_, Appended> {
        self.call(
            "asks: append",
            Access::Write,
            move |state: &mut ShardState, step: &Step, effects: &mut Effects| {
                Some(state.append(step, records.clone(), effects))
            },
        )
    }

    fn write_through(&self, fill: Fill, records: Vec<Record>) -> Reply<'_, (Appended, FillReply)> {
        let connection = Arc::clone(&self.0);
        let stored = self.call(
            "asks: write-through",
            Access::Write,
            move |state: &mut ShardState, step: &Step, effects: &mut Effects| {
                Some(state.write_through(step, &fill, records.clone(), effects))
            },
        );
        Box::pin(async move {
            let (appended, reply) = stored.await?;
            if reply == FillReply::Stored {
                connection.network.world.count("write-throughs stored");
            }
            Ok((appended, reply))
        })
    }

    fn tail(&self, request: TailRequest) -> Reply<'_, TailReply> {
        let connection = Arc::clone(&self.0);
        let asked = connection.clock.precise();
        let tail = self.call(
            "asks: tail",
            Access::TAIL,
            move |state: &mut ShardState, step: &Step, _: &mut Effects| {
                Some(state.tail(step, &request))
            },
        );
        Box::pin(async move {
            let reply = tail.await?;
            *connection.server_time.lock() = (asked, reply.server_time);
            if reply.table.is_some() {
                connection.network.world.count("tag tables sent");
            }
            Ok(reply)
        })
    }

    fn anchor(&self) -> Reply<'_, Appended> {
        self.call(
            "asks: anchor",
            Access::Write,
            move |state: &mut ShardState, step: &Step, effects: &mut Effects| {
                Some(state.anchor(step, effects))
            },
        )
    }

    fn scan(&self, scan: Scan) -> Reply<'_, ScanReply> {
        self.call(
            "asks: scan",
            Access::Write,
            move |state: &mut ShardState, step: &Step, _: &mut Effects| state.scan(step, &scan),
        )
    }

    fn finish(&self, pattern: Pattern, mode: Mode, anchor: Appended) -> Reply<'_, Option<Appended>> {
        self.call(
            "asks: finish",
            Access::Write,
            move |state: &mut ShardState, step: &Step, effects: &mut Effects| {
                Some(state.finish(step, pattern.clone(), mode, anchor, effects))
            },
        )
    }

    fn server_time(&self, now: Moment) -> ServerTime {
        let (moment, time) = *self.0.server_time.lock();
        time.plus(now.since(moment))
    }
}
