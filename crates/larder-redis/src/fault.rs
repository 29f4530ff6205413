//! What went wrong with one command, by what to do about it.

use std::time::Duration;

use larder::shard::Unreachable;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// A command that has no good answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{verb}: {reason}")]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    verb: &'static str,
    reason: String,
}

/// What a fault says about its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The connection is gone, or was never there.
    Lost,
    /// No answer in time.
    TimedOut,
    /// The server is not the one to ask any more: it became a replica.
    Elsewhere,
    /// The shard is not kept by this server any more, or is on its way to another one. Nothing was
    /// done.
    Moved,
    /// It will answer soon: it loads, its cluster is not whole, or it runs a long script.
    Busy,
    /// It has no memory left for a write.
    Full,
    /// It answered that it will not, or that we may not. Asking again changes nothing.
    Refused,
}

/// What an ACL user may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forbidden {
    /// Send this command.
    Command,
    /// Touch this key.
    Key,
    /// Use this channel.
    Channel,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, verb: &'static str, reason: impl ToString) -> Self {
        Fault { kind, verb, reason: reason.to_string() }
    }

    pub(crate) fn of(verb: &'static str, error: &RedisError) -> Self {
        Fault::new(kind_of(error), verb, error)
    }

    pub(crate) fn timed_out(verb: &'static str, limit: Duration) -> Self {
        Fault::new(FaultKind::TimedOut, verb, format!("no answer within {limit:?}"))
    }

    /// An answer that this crate does not understand.
    pub(crate) fn unexpected(verb: &'static str, found: &redis::Value) -> Self {
        let mut found = format!("{found:?}");
        found.truncate(found.floor_char_boundary(200));
        Fault::new(FaultKind::Refused, verb, format!("unexpected answer: {found}"))
    }

    /// The same fault, with what to do about it where the server says that we may not.
    pub(crate) fn advised(mut self, advice: &str) -> Self {
        if self.forbidden().is_some() {
            self.reason = format!("{advice} ({})", self.reason);
        }
        self
    }

    /// What the server says that we may not, if that is what it says.
    pub(crate) fn forbidden(&self) -> Option<Forbidden> {
        // Versions say it in words of their own.
        let says = |words: [&str; 2]| words.iter().any(|words| self.reason.contains(words));
        if says(["access one of the channels", "access a channel"]) {
            return Some(Forbidden::Channel);
        }
        if says(["access one of the keys", "access a key"]) {
            return Some(Forbidden::Key);
        }
        says(["can't run this command", "no permissions"]).then_some(Forbidden::Command)
    }

    /// Whether a later try within the same call may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.kind, FaultKind::Busy | FaultKind::Lost)
    }
}

impl From<Fault> for Unreachable {
    fn from(fault: Fault) -> Self {
        Unreachable::new(fault)
    }
}

fn kind_of(error: &RedisError) -> FaultKind {
    // Before version 7, Redis wraps what stopped a script into one kind of error.
    let wrapped = |code: &str| error.detail().is_some_and(|detail| detail.contains(code));
    match error.kind() {
        _ if error.is_timeout() => FaultKind::TimedOut,
        ErrorKind::Server(ServerErrorKind::ResponseError) if wrapped("-READONLY") => {
            FaultKind::Elsewhere
        }
        ErrorKind::Server(ServerErrorKind::ResponseError) if wrapped("-OOM") => FaultKind::Full,
        ErrorKind::Server(kind) => match kind {
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown => FaultKind::Elsewhere,
            ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::TryAgain => {
                FaultKind::Moved
            }
            ServerErrorKind::BusyLoading | ServerErrorKind::ClusterDown => FaultKind::Busy,
            _ => FaultKind::Refused,
        },
        ErrorKind::Extension if matches!(error.code(), Some("BUSY" | "UNBLOCKED")) => FaultKind::Busy,
        ErrorKind::Extension if error.code() == Some("OOM") => FaultKind::Full,
        ErrorKind::Extension => FaultKind::Refused,
        _ => FaultKind::Lost,
    }
}
