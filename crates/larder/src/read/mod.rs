//! One read, from the question to the answer. The path is one module a step: [`catch_up`],
//! memory ([`look`]), the flight ([`drive`]), then the leader: shared tier and lease
//! ([`obtain`]), the loader ([`load`]), and the end of the flight ([`finish`]).

mod alone;
mod batch;
mod catch_up;
mod drive;
mod fetch;
mod finish;
mod held;
pub(crate) mod lead;
mod load;
mod loader;
mod look;
mod obtain;
mod patience;
mod unflushed;

pub(crate) use batch::{BatchLoader, read_many};
pub(crate) use drive::read;
pub(crate) use fetch::{fetch, fetch_one};
pub(crate) use load::renew;
pub(crate) use loader::{Loader, Loading};
pub(crate) use look::peek;

use crate::position::Position;

/// How current an answer must be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Consistency {
    /// Memory is always trusted. The answer may be as old as the last contact with the log.
    Eventual,
    /// At most `staleness_max` behind an invalidation by another node; never behind one by this
    /// node.
    #[default]
    Bounded,
    /// Not behind this position: read your writes, across nodes and services.
    AtLeast(Position),
    /// Not behind any invalidation that was shared before the read began.
    Latest,
}

/// What a caller asks of a read besides its key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Demand {
    pub(crate) consistency: Consistency,
    pub(crate) skip_memory: bool,
    pub(crate) skip_shared: bool,
    /// Neither read nor keep anything.
    pub(crate) bypass: bool,
    pub(crate) await_fill: bool,
    /// Of what is found without a load.
    pub(crate) keep_nothing: bool,
}
