//! The connection of one node to one shard, as far as the network knows it.

use larder::shard::state::RunId;

use super::server::Server;
use super::{Miss, Subscription};
use crate::exec::Nanos;

/// What a message knows of the connection that it was sent on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) opened: u64,
    pub(super) flushed: u64,
    pub(super) run: RunId,
}

/// One node's connection to one shard.
#[derive(Default)]
pub(super) struct Link {
    /// Counts the runs of the node.
    pub(super) opened: u64,
    /// Counts how often everything in flight was lost.
    pub(super) flushed: u64,
    /// The server that the connection was checked against before its first command.
    pub(super) checked: Option<RunId>,
    pub(super) cut_until: Nanos,
    /// Until then requests arrive, but nothing comes back.
    pub(super) half_open_until: Nanos,
    /// Until then the connection ends at the former primary.
    pub(super) former_until: Nanos,
    pub(super) listener: Option<Subscription>,
}

impl Link {
    /// Whether a message that was sent earlier still gets through to `server`.
    pub(super) fn carries(&self, sent: Sent, server: &Server, now: Nanos) -> Result<(), Miss> {
        if sent.flushed != self.flushed && sent.opened == self.opened {
            return Err(Miss::Silent);
        }
        if sent.opened != self.opened && sent.run != server.run {
            // Its sender is dead, so nobody sends it again to the new server.
            return Err(Miss::Silent);
        }
        if self.cut_until > now { Err(Miss::Refused("no route")) } else { Ok(()) }
    }

    /// Whether an answer to a message that was sent earlier still comes back.
    pub(super) fn returns(&self, sent: Sent, now: Nanos) -> bool {
        let same = (sent.opened, sent.flushed) == (self.opened, self.flushed);
        same && self.cut_until <= now && self.half_open_until <= now
    }

    /// Who hears what `server` says now.
    pub(super) fn subscription(&self, server: &Server, now: Nanos) -> Option<Subscription> {
        let connected =
            self.checked == Some(server.run) && self.cut_until <= now && self.half_open_until <= now;
        self.listener.clone().filter(|_| connected && self.former_until <= now)
    }

    /// The link of the next run of the node.
    pub(super) fn reopened(&self) -> Link {
        Link { opened: self.opened + 1, ..Link::default() }
    }

    /// Everything gets through again.
    pub(super) fn heal(&mut self) {
        self.cut_until = 0;
        self.half_open_until = 0;
        self.former_until = 0;
    }
}
