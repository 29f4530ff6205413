//! Puts reads that wait for one connection into one pipeline: all values, then epoch and head
//! once for each shard. The second half never comes before the first.
//!
//! Values are asked for many at a time: a command costs both ends more than a value of a thousand
//! bytes does. The keys of a shard have one hash tag, so that a cluster takes them in one command.
//!
//! A call that asks several shards of one server has a read for each, and all of them wait before the first is
//! sent: otherwise that one would go alone, and the others a round trip later.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use larder::key::EncodedKey;
use larder::shard::Epoch;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value};
use smallvec::SmallVec;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::answer::{Answer, epoch};
use crate::fault::{Fault, FaultKind};
use crate::names::Names;
use crate::options::RedisOptions;

/// How many reads wait, before callers wait to be queued.
const QUEUE_MAX: usize = 1024;
/// With so many values a pipeline is full, also where its last read asks for many more. What comes back at once is
/// still in the processor's cache when it is decoded, on both ends.
const KEYS_MAX: usize = 256;
/// How many pipelines are under way where they are full: with one the line is idle in between, with more both ends
/// are late with what they have.
const UNDER_WAY_MAX: usize = 2;
/// How many values one command asks for: the server does nothing else until it has answered it.
const VALUES_MAX: usize = 64;

/// Most reads are of one key, and need no list on the heap.
pub(crate) type OneOrMany<T> = SmallVec<[T; 1]>;

/// The answer to one read: the values in order, then what the meta of their shard said.
#[derive(Debug)]
pub(crate) struct RawRead {
    pub(crate) values: OneOrMany<Value>,
    pub(crate) meta: Meta,
}

/// Epoch and head of a shard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meta {
    /// `None`: the shard has none, or its bytes are no epoch.
    pub(crate) epoch: Option<Epoch>,
    pub(crate) head: u64,
}

impl Meta {
    fn of(answer: Value) -> Result<Self, Fault> {
        let mut answer = Answer::list("read", answer)?;
        let epoch = answer.optional_bytes()?.as_deref().and_then(epoch);
        Ok(Meta { epoch, head: answer.optional_number()?.unwrap_or(0) })
    }
}

struct Read {
    names: Arc<Names>,
    keys: OneOrMany<EncodedKey>,
    answer: oneshot::Sender<Result<RawRead, Fault>>,
}

/// The reads of one connection. Its task ends with it.
#[derive(Debug)]
pub(crate) struct Reads {
    queue: mpsc::Sender<Read>,
    due: Arc<Notify>,
    /// How many shards a call may ask at once.
    shards: u32,
    _task: JoinSet<()>,
}

/// Says that what waits is due, also where who asked went away: others may wait behind it.
struct Due<'r>(&'r Notify);

impl Drop for Due<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Reads {
    /// Each pipeline is given up after the time of a command.
    pub(crate) fn on(connection: MultiplexedConnection, options: &RedisOptions) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let (due, mut task) = (Arc::new(Notify::new()), JoinSet::new());
        task.spawn(run(connection, waiting, Arc::clone(&due), options.command_timeout));
        Reads { queue, due, shards: options.parameters.shards(), _task: task }
    }

    /// Reads the values of these keys, then the meta of their shard, whose names these are.
    pub(crate) async fn read(
        &self,
        names: Arc<Names>,
        keys: OneOrMany<EncodedKey>,
    ) -> Result<RawRead, Fault> {
        let (answer, answered) = oneshot::channel();
        let lost = || Fault::new(FaultKind::Lost, "read", "the connection was closed");
        // At once where there is room: tokio makes a task that has done much wait before it may send, and
        // this read would be left behind by the others of its call.
        match self.queue.try_send(Read { names, keys, answer }) {
            Ok(()) => {}
            Err(TrySendError::Full(read)) => self.queue.send(read).await.map_err(|_| lost())?,
            Err(TrySendError::Closed(_)) => return Err(lost()),
        }
        let due = Due(&self.due);
        if self.shards > 1 {
            polled_again().await;
        }
        drop(due);
        answered.await.map_err(|_| lost())?
    }
}

/// Completes when it is polled for the second time: whatever its task polls beside it has been polled then.
async fn polled_again() {
    let mut polled = false;
    poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// One pipeline after the other: while one is under way, the next becomes long. Only behind a full one the next
/// does not wait.
async fn run(
    connection: MultiplexedConnection,
    mut waiting: mpsc::Receiver<Read>,
    due: Arc<Notify>,
    limit: Duration,
) {
    loop {
        due.notified().await;
        let mut under_way = FuturesUnordered::new();
        loop {
            let (reads, is_full) = taken(&mut waiting);
            under_way.push(exchange(connection.clone(), reads, limit));
            // Behind a full one there may be others, which have said already that they are due.
            if !is_full {
                break;
            }
            if under_way.len() == UNDER_WAY_MAX {
                under_way.next().await;
            }
        }
        while under_way.next().await.is_some() {}
    }
}

/// What waits, as much as one pipeline takes, and whether it is full.
fn taken(waiting: &mut mpsc::Receiver<Read>) -> (Vec<Read>, bool) {
    let (mut reads, mut room) = (Vec::new(), KEYS_MAX);
    while room > 0
        && let Ok(read) = waiting.try_recv()
    {
        room = room.saturating_sub(read.keys.len());
        reads.push(read);
    }
    (reads, room == 0)
}

async fn exchange(mut connection: MultiplexedConnection, reads: Vec<Read>, limit: Duration) {
    let shards = by_shard(reads);
    if shards.is_empty() {
        return;
    }
    let pipeline = packed(&shards);
    let answers = connection.send_packed_commands(&pipeline, 0, pipeline.len());
    let fault = match tokio::time::timeout(limit, answers).await {
        Ok(Ok(answers)) => return distribute(shards, answers),
        Ok(Err(error)) => Fault::of("read", &error),
        Err(_) => Fault::timed_out("read", limit),
    };
    shards.into_iter().for_each(|shard| shard.fail(&fault));
}

/// The reads of one shard.
struct OfShard {
    names: Arc<Names>,
    reads: Vec<Read>,
}

impl OfShard {
    fn keys(&self) -> impl Iterator<Item = &EncodedKey> {
        self.reads.iter().flat_map(|read| read.keys.iter())
    }

    /// How many commands ask for the values.
    fn commands(&self) -> usize {
        self.reads.iter().map(|read| read.keys.len()).sum::<usize>().div_ceil(VALUES_MAX)
    }

    fn succeed(self, values: Vec<Value>, meta: Meta) {
        let mut values = values.into_iter();
        for read in self.reads {
            let values = values.by_ref().take(read.keys.len()).collect();
            answer(read.answer, Ok(RawRead { values, meta }));
        }
    }

    fn fail(self, fault: &Fault) {
        self.reads.into_iter().for_each(|read| answer(read.answer, Err(fault.clone())));
    }
}

/// The reads that somebody still waits for, each with the others of its shard.
fn by_shard(reads: Vec<Read>) -> Vec<OfShard> {
    let mut shards: Vec<OfShard> = Vec::new();
    for read in reads.into_iter().filter(|read| !read.answer.is_closed()) {
        match shards.iter_mut().find(|shard| Arc::ptr_eq(&shard.names, &read.names)) {
            Some(shard) => shard.reads.push(read),
            None => shards.push(OfShard { names: Arc::clone(&read.names), reads: vec![read] }),
        }
    }
    shards
}

fn packed(shards: &[OfShard]) -> Pipeline {
    let mut pipeline = Pipeline::new();
    let mut name = Vec::new();
    for shard in shards {
        for (index, key) in shard.keys().enumerate() {
            if index.is_multiple_of(VALUES_MAX) {
                pipeline.cmd("MGET");
            }
            shard.names.write_value(key, &mut name);
            pipeline.arg(name.as_slice());
        }
    }
    for shard in shards {
        pipeline.cmd("HMGET").arg(shard.names.meta.as_slice()).arg("e").arg("h");
    }
    pipeline
}

fn distribute(shards: Vec<OfShard>, mut answers: Vec<Value>) {
    let metas = answers.split_off(answers.len().saturating_sub(shards.len()));
    let mut answers = answers.into_iter();
    for (shard, meta) in shards.into_iter().zip(metas) {
        // All of them, also where the first is an error: the next are those of another shard.
        let answered: Vec<Value> = answers.by_ref().take(shard.commands()).collect();
        match values(answered).and_then(|values| Ok((values, Meta::of(meta)?))) {
            Ok((values, meta)) => shard.succeed(values, meta),
            Err(fault) => shard.fail(&fault),
        }
    }
}

/// The values of one shard, in order. One error makes all of its reads one.
fn values(answers: Vec<Value>) -> Result<Vec<Value>, Fault> {
    let mut values = Vec::new();
    for answer in answers {
        match answer {
            Value::Array(some) if values.is_empty() => values = some,
            Value::Array(some) => values.extend(some),
            Value::ServerError(error) => return Err(Fault::of("read", &error.into())),
            other => return Err(Fault::unexpected("read", &other)),
        }
    }
    Ok(values)
}

fn answer(to: oneshot::Sender<Result<RawRead, Fault>>, answer: Result<RawRead, Fault>) {
    // Who asked may have gone away.
    drop(to.send(answer));
}
