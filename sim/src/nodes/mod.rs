//! What the simulation runs as a node. The contract is what a caller of the cache sees, so that a
//! cache which breaks its promises can take the place of the real one.

pub(crate) mod cache_aside;
pub(crate) mod fills_only;

pub(crate) mod names;
pub(crate) mod real;

use std::sync::Arc;

use larder::key::EncodedKey;
use larder::record::Mode;
use larder::shard::{Payload, Shard};

use crate::clock::{SimClock, SimTasks};
use crate::dice::Dice;
use crate::exec::Nanos;
use crate::world::names::{Named, Row};
use crate::world::source::Loader;
use crate::world::writer::{WriteFailed, Writer};
use crate::world::{Answer, World};

/// What one run of a node is started with.
pub(crate) struct Environment {
    pub(crate) world: Arc<World>,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) random: Arc<Dice>,
    pub(crate) tasks: Arc<SimTasks>,
    pub(crate) shards: Vec<Arc<dyn Shard>>,
    /// How long an entry is fresh.
    pub(crate) fresh: Nanos,
    /// How long one call to a shard may take.
    pub(crate) call_timeout: Nanos,
}

/// How current a read has to be.
#[derive(Debug, Clone)]
pub(crate) enum Wish<P> {
    Eventual,
    Bounded,
    AtLeast(P),
    Latest,
}

/// What an invalidation answered.
#[derive(Debug, Clone)]
pub(crate) enum Outcome<P> {
    /// Every shard has it.
    Shared(P),
    /// Only this node knows so far.
    Local,
}

/// Why a read had no answer.
#[derive(Debug, Clone)]
pub(crate) enum ReadFailure {
    /// The loader said so.
    Source,
    /// The cache itself failed, which it never may.
    Cache(String),
}

/// One run of one node.
pub(crate) trait Subject: Send + Sync + Sized + 'static {
    /// A session token.
    type Position: Clone + Send + Sync + 'static;

    /// A node with empty memory.
    fn start(environment: Environment) -> Self;

    /// A token that is ahead of neither.
    fn merged(one: &Self::Position, other: &Self::Position) -> Self::Position;

    /// The key under which the shared tier keeps row `key`.
    fn encoded_key(key: usize) -> EncodedKey;

    /// The row inside a stored value.
    fn decoded(payload: &Payload) -> Option<Row>;

    /// Reads row `key`, loading it if need be.
    fn read(
        self: Arc<Self>,
        key: usize,
        wish: Wish<Self::Position>,
        loader: Loader,
    ) -> impl Future<Output = Result<Answer, ReadFailure>> + Send;

    /// Invalidates `names`, in one call.
    fn invalidate(
        self: Arc<Self>,
        names: Vec<Named>,
        mode: Mode,
    ) -> impl Future<Output = Outcome<Self::Position>> + Send;

    /// Stores `row`, which the source holds since a moment ago.
    fn set(self: Arc<Self>, row: Row) -> impl Future<Output = Outcome<Self::Position>> + Send;

    /// Writes the source, then makes of the cache what the write makes of it. This one only
    /// invalidates.
    fn write_through(
        self: Arc<Self>,
        writer: Writer,
    ) -> impl Future<Output = Result<Outcome<Self::Position>, WriteFailed>> + Send {
        async move {
            let names = writer.names();
            writer.write().await?;
            Ok(self.invalidate(names, Mode::Hard).await)
        }
    }

    /// What this node still has to tell a shard, or waits to be told; empty at rest.
    fn unfinished(&self) -> String;

    /// Ends every background task.
    fn close(self: Arc<Self>) -> impl Future<Output = ()> + Send;
}

/// The payload of a row as `larder` stores it: short, so that it is plain JSON.
fn row_as_json(row: &Row) -> Payload {
    let bytes = serde_json::to_vec(row).expect("a row has a JSON form");
    Payload { form: 1, bytes: bytes.into() }
}

fn row_of_json(payload: &Payload) -> Option<Row> {
    serde_json::from_slice(&payload.bytes).ok()
}
