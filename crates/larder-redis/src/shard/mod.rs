//! One shard on a Redis server: each verb of [`Shard`] as one script, reads as plain commands.

mod join;
mod scan;
mod time;
mod verbs;
mod way;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::TryFutureExt;
use larder::clock::Moment;
use larder::key::EncodedKey;
use larder::key::pattern::Pattern;
use larder::record::{Mode, Record};
use larder::shard::{
    Appended, Fill, FillReply, LeaseReply, Listener, ReadReply, Reply, Scan, ScanReply, ServerTime,
    Shard, TailReply, TailRequest, Token,
};

use crate::fault::Fault;
use crate::names::Names;
use crate::options::RedisOptions;
use crate::rights::{self, MissingRight};
use crate::server::Need;
use crate::server::ears::Ear;
use crate::topology::{Route, Servers};
use join::Join;
use time::ServerClock;

/// One shard of a namespace on Redis.
pub(crate) struct RedisShard {
    names: Arc<Names>,
    /// Which of the shards of `servers` this is.
    index: usize,
    servers: Arc<Servers>,
    ear: Arc<Ear>,
    join: Join,
    /// The server's clock as this process knows it.
    time: ServerClock,
    /// How many values could not be read.
    damaged: AtomicU64,
    options: RedisOptions,
}

impl RedisShard {
    pub(crate) fn new(
        index: usize,
        names: Arc<Names>,
        servers: Arc<Servers>,
        ear: Arc<Ear>,
        options: RedisOptions,
    ) -> Self {
        RedisShard {
            names,
            index,
            servers,
            ear,
            join: Join::default(),
            time: ServerClock::default(),
            damaged: AtomicU64::new(0),
            options,
        }
    }

    /// How many values were found that could not be read: damaged, cut off, or of another key.
    pub(crate) fn damaged(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Which rights the ACL user of this namespace lacks to use the shard.
    pub(crate) async fn missing_rights(
        &self,
        namespace: &str,
        is_cluster: bool,
    ) -> Result<Vec<MissingRight>, Fault> {
        let Route { server, line } = self.servers.route(self.index, Need::Essential)?;
        let address = server.health().address.map(|address| address.to_string());
        let missing = rights::missing(&line, &self.names, namespace, is_cluster).await?;
        let on = |rule| MissingRight { rule, server: address.clone().unwrap_or_default() };
        Ok(missing.into_iter().map(on).collect())
    }

    fn reply<'a, T: Send>(
        &'a self,
        verb: impl Future<Output = Result<T, Fault>> + Send + 'a,
    ) -> Reply<'a, T> {
        Box::pin(verb.err_into())
    }
}

impl Shard for RedisShard {
    fn keeps_values(&self) -> bool {
        true
    }

    fn subscribe(&self, listener: Arc<dyn Listener>) {
        self.ear.listen(listener);
    }

    fn read(&self, keys: Vec<EncodedKey>) -> Reply<'_, ReadReply> {
        self.reply(self.read_values(keys))
    }

    fn lease(&self, key: EncodedKey, token: Token, seen: Option<u128>) -> Reply<'_, LeaseReply> {
        self.reply(self.ask_lease(key, token, seen))
    }

    fn renew(&self, key: EncodedKey, token: Token) -> Reply<'_, bool> {
        self.reply(self.renew_lease(key, token))
    }

    fn release(&self, key: EncodedKey, token: Token) -> Reply<'_, ()> {
        self.reply(self.release_lease(key, token))
    }

    fn fill(&self, fill: Fill) -> Reply<'_, FillReply> {
        self.reply(self.fill_value(fill))
    }

    fn append(&self, records: Vec<Record>) -> Reply<'_, Appended> {
        self.reply(self.append_records(records))
    }

    fn write_through(&self, fill: Fill, records: Vec<Record>) -> Reply<'_, (Appended, FillReply)> {
        self.reply(self.write_value_through(fill, records))
    }

    fn tail(&self, request: TailRequest) -> Reply<'_, TailReply> {
        self.reply(self.tail_log(request))
    }

    fn anchor(&self) -> Reply<'_, Appended> {
        self.reply(self.anchor_scan())
    }

    fn scan(&self, scan: Scan) -> Reply<'_, ScanReply> {
        self.reply(self.scan_batch(scan))
    }

    fn finish(&self, pattern: Pattern, mode: Mode, anchor: Appended) -> Reply<'_, Option<Appended>> {
        self.reply(self.finish_scan(pattern, mode, anchor))
    }

    fn server_time(&self, now: Moment) -> ServerTime {
        self.time.at(now)
    }
}
