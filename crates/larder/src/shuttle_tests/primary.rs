//! A shard on another machine: it may be out of reach, and another server with a log of its own
//! may take over.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::clock::Moment;
use crate::conformance::manual::SeededRandom;
use crate::key::EncodedKey;
use crate::key::pattern::Pattern;
use crate::record::{Mode, Record};
use crate::shard::embedded::{Embedded, EmbeddedOptions};
use crate::shard::{
    Appended, Fill, FillReply, LeaseReply, Listener, ReadReply, Reply, Scan, ScanReply, ServerTime,
    Shard, TailReply, TailRequest, Token, Unreachable,
};

/// Which server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    First,
    Second,
    Unreachable,
}

/// Two servers, and which of them this node reaches. While both believe to be the primary,
/// appends may go to one and tails to the other.
pub(super) struct Primary {
    servers: [Embedded; 2],
    appends: AtomicUsize,
    tails: AtomicUsize,
}

impl Primary {
    pub(super) fn new() -> Arc<Self> {
        let server = |seed| {
            let random = Arc::new(SeededRandom::new(seed));
            let options = EmbeddedOptions { tag_slots: 256, random, ..EmbeddedOptions::default() };
            Embedded::new(options).expect("a shard")
        };
        Arc::new(Primary {
            servers: [server(11), server(12)],
            appends: AtomicUsize::new(Server::First as usize),
            tails: AtomicUsize::new(Server::First as usize),
        })
    }

    pub(super) fn serve(&self, server: Server) {
        self.serve_appends(server);
        self.tails.store(server as usize, Ordering::Relaxed);
    }

    pub(super) fn serve_appends(&self, server: Server) {
        self.appends.store(server as usize, Ordering::Relaxed);
    }

    fn ask<'a, T: Send + 'a>(
        &'a self,
        server: &AtomicUsize,
        verb: impl FnOnce(&'a Embedded) -> Reply<'a, T>,
    ) -> Reply<'a, T> {
        match self.servers.get(server.load(Ordering::Relaxed)) {
            Some(server) => verb(server),
            None => Box::pin(ready(Err(Unreachable::new("out of reach")))),
        }
    }

    fn write<'a, T: Send + 'a>(
        &'a self,
        verb: impl FnOnce(&'a Embedded) -> Reply<'a, T>,
    ) -> Reply<'a, T> {
        self.ask(&self.appends, verb)
    }
}

impl Shard for Primary {
    fn keeps_values(&self) -> bool {
        false
    }

    fn subscribe(&self, _: Arc<dyn Listener>) {
        // Hints may be lost; this shard loses all of them, so that histories say when to tail.
    }

    fn read(&self, keys: Vec<EncodedKey>) -> Reply<'_, ReadReply> {
        self.ask(&self.tails, |server| server.read(keys))
    }

    fn lease(&self, key: EncodedKey, token: Token, seen: Option<u128>) -> Reply<'_, LeaseReply> {
        self.write(|server| server.lease(key, token, seen))
    }

    fn renew(&self, key: EncodedKey, token: Token) -> Reply<'_, bool> {
        self.write(|server| server.renew(key, token))
    }

    fn release(&self, key: EncodedKey, token: Token) -> Reply<'_, ()> {
        self.write(|server| server.release(key, token))
    }

    fn fill(&self, fill: Fill) -> Reply<'_, FillReply> {
        self.write(|server| server.fill(fill))
    }

    fn append(&self, records: Vec<Record>) -> Reply<'_, Appended> {
        self.write(|server| server.append(records))
    }

    fn write_through(&self, fill: Fill, records: Vec<Record>) -> Reply<'_, (Appended, FillReply)> {
        self.write(|server| server.write_through(fill, records))
    }

    fn tail(&self, request: TailRequest) -> Reply<'_, TailReply> {
        self.ask(&self.tails, |server| server.tail(request))
    }

    fn anchor(&self) -> Reply<'_, Appended> {
        self.write(Shard::anchor)
    }

    fn scan(&self, scan: Scan) -> Reply<'_, ScanReply> {
        self.write(|server| server.scan(scan))
    }

    fn finish(&self, pattern: Pattern, mode: Mode, anchor: Appended) -> Reply<'_, Option<Appended>> {
        self.write(|server| server.finish(pattern, mode, anchor))
    }

    fn server_time(&self, now: Moment) -> ServerTime {
        self.servers[0].server_time(now)
    }
}
