//! Puts reads that wait for one connection into one pipeline: all values, then epoch and head
//! once for each shard. The second half never comes before the first.
//!
//! Values are asked for many at a time: a command costs both ends more than a value of a thousand
//! bytes does. The keys of a shard have one hash tag, so that a cluster takes them in one command.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::fault::{Fault, FaultKind};
use crate::names::Names;

/// How many pipelines may be under way: one is answered while the next is sent.
const IN_FLIGHT_MAX: usize = 2;
/// How many reads wait, before callers wait to be queued.
const QUEUE_MAX: usize = 1024;
/// How many reads go into one pipeline, so that one does not hold up the server.
const READS_MAX: usize = 256;
/// How many values one command asks for: the server does nothing else until it has answered it.
const VALUES_MAX: usize = 64;

/// The answer to one read: the values in order, then epoch and head.
#[derive(Debug)]
pub(crate) struct RawRead {
    pub(crate) values: Vec<Value>,
    pub(crate) meta: Value,
}

struct Read {
    names: Arc<Names>,
    values: Arc<[Vec<u8>]>,
    answer: oneshot::Sender<Result<RawRead, Fault>>,
}

/// The reads of one connection. Its task ends with it.
#[derive(Debug)]
pub(crate) struct Reads {
    queue: mpsc::Sender<Read>,
    _task: JoinSet<()>,
}

impl Reads {
    pub(crate) fn on(connection: MultiplexedConnection) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let mut task = JoinSet::new();
        task.spawn(run(connection, waiting));
        Reads { queue, _task: task }
    }

    /// Reads the values under these names, then the meta of their shard.
    pub(crate) async fn read(
        &self,
        names: Arc<Names>,
        values: Arc<[Vec<u8>]>,
    ) -> Result<RawRead, Fault> {
        let (answer, answered) = oneshot::channel();
        let lost = || Fault::new(FaultKind::Lost, "read", "the connection was closed");
        self.queue.send(Read { names, values, answer }).await.map_err(|_| lost())?;
        answered.await.map_err(|_| lost())?
    }
}

async fn run(connection: MultiplexedConnection, mut waiting: mpsc::Receiver<Read>) {
    let mut in_flight = FuturesUnordered::new();
    let mut reads = Vec::new();
    loop {
        tokio::select! {
            queued = waiting.recv_many(&mut reads, READS_MAX), if in_flight.len() < IN_FLIGHT_MAX => {
                if queued == 0 {
                    break;
                }
                in_flight.push(exchange(connection.clone(), std::mem::take(&mut reads)));
            }
            Some(()) = in_flight.next() => {}
        }
    }
}

async fn exchange(mut connection: MultiplexedConnection, mut reads: Vec<Read>) {
    reads.retain(|read| !read.answer.is_closed());
    if reads.is_empty() {
        return;
    }
    let shards = shards_of(&reads);
    let pipeline = packed(&reads, &shards);
    let answers = connection.send_packed_commands(&pipeline, 0, pipeline.len()).await;
    match answers {
        Ok(values) => distribute(reads, &shards, values),
        Err(error) => {
            let fault = Fault::of("read", &error);
            for read in reads {
                answer(read.answer, Err(fault.clone()));
            }
        }
    }
}

/// Each shard that these reads ask, once.
fn shards_of(reads: &[Read]) -> Vec<Arc<Names>> {
    let mut shards: Vec<Arc<Names>> = Vec::new();
    for read in reads {
        if !shards.iter().any(|shard| Arc::ptr_eq(shard, &read.names)) {
            shards.push(Arc::clone(&read.names));
        }
    }
    shards
}

fn packed(reads: &[Read], shards: &[Arc<Names>]) -> Pipeline {
    let mut pipeline = Pipeline::new();
    for shard in shards {
        let values: Vec<&Vec<u8>> =
            of_shard(reads, shard).flat_map(|read| read.values.iter()).collect();
        for some in values.chunks(VALUES_MAX) {
            pipeline.cmd("MGET");
            for value in some {
                pipeline.arg(value.as_slice());
            }
        }
    }
    for shard in shards {
        pipeline.cmd("HMGET").arg(shard.meta.as_slice()).arg("e").arg("h");
    }
    pipeline
}

fn of_shard<'r>(reads: &'r [Read], shard: &'r Arc<Names>) -> impl Iterator<Item = &'r Read> {
    reads.iter().filter(|read| Arc::ptr_eq(&read.names, shard))
}

fn distribute(reads: Vec<Read>, shards: &[Arc<Names>], mut answers: Vec<Value>) {
    let metas = answers.split_off(answers.len().saturating_sub(shards.len()));
    let mut answers = answers.into_iter();
    let mut rest = reads;
    for (shard, meta) in shards.iter().zip(metas) {
        let (own, others): (Vec<Read>, Vec<Read>) =
            rest.into_iter().partition(|read| Arc::ptr_eq(&read.names, shard));
        rest = others;
        let count = own.iter().map(|read| read.values.len()).sum::<usize>();
        // All of them, also where the first is an error: the next are those of another shard.
        let answered: Vec<Value> = answers.by_ref().take(count.div_ceil(VALUES_MAX)).collect();
        match values(answered, &meta) {
            Ok(values) => {
                let mut values = values.into_iter();
                for read in own {
                    let values = values.by_ref().take(read.values.len()).collect();
                    answer(read.answer, Ok(RawRead { values, meta: meta.clone() }));
                }
            }
            Err(fault) => {
                own.into_iter().for_each(|read| answer(read.answer, Err(fault.clone())));
            }
        }
    }
}

/// The values of one shard, in order. One error makes all of its reads one.
fn values(answers: Vec<Value>, meta: &Value) -> Result<Vec<Value>, Fault> {
    if let Value::ServerError(error) = meta {
        return Err(Fault::of("read", &error.clone().into()));
    }
    let mut values = Vec::new();
    for answer in answers {
        match answer {
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
