//! Puts reads that wait for one connection into one pipeline: all values, then epoch and head
//! once for each shard. The second half never comes before the first.

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

/// The answer to one read: the values in order, then epoch and head.
#[derive(Debug)]
pub(crate) struct RawRead {
    pub(crate) values: Vec<Value>,
    pub(crate) meta: Value,
}

struct Read {
    names: Arc<Names>,
    values: Vec<Vec<u8>>,
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
        values: Vec<Vec<u8>>,
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
    let values = reads.iter().map(|read| read.values.len()).sum::<usize>();
    let mut pipeline = Pipeline::with_capacity(values + shards.len());
    for value in reads.iter().flat_map(|read| &read.values) {
        pipeline.cmd("GET").arg(value.as_slice());
    }
    for shard in shards {
        pipeline.cmd("HMGET").arg(shard.meta.as_slice()).arg("e").arg("h");
    }
    pipeline
}

fn distribute(reads: Vec<Read>, shards: &[Arc<Names>], mut values: Vec<Value>) {
    let metas = values.split_off(values.len().saturating_sub(shards.len()));
    let mut values = values.into_iter();
    for read in reads {
        let own: Vec<Value> = values.by_ref().take(read.values.len()).collect();
        let shard = shards.iter().position(|shard| Arc::ptr_eq(shard, &read.names));
        let meta = shard.and_then(|shard| metas.get(shard)).cloned();
        answer(read.answer, checked(own, meta.unwrap_or(Value::Nil)));
    }
}

/// One error makes the whole read one.
fn checked(values: Vec<Value>, meta: Value) -> Result<RawRead, Fault> {
    for value in values.iter().chain([&meta]) {
        if let Value::ServerError(error) = value {
            return Err(Fault::of("read", &error.clone().into()));
        }
    }
    Ok(RawRead { values, meta })
}

fn answer(to: oneshot::Sender<Result<RawRead, Fault>>, answer: Result<RawRead, Fault>) {
    // Who asked may have gone away.
    drop(to.send(answer));
}
