//! A server that keeps what it confirms, and journals on it.

use std::time::Duration;

use larder::behind::{Journal, JournalError, JournalRecord};
use larder::clock::{Clock, SystemClock};
use larder_redis::journal::{JournalOptions, RedisJournal};
use larder_redis::{RedisOptions, Topology};
use larder_rig::RedisServer;
use redis::{Cmd, FromRedisValue};

/// How long a journal stays that of a process that is gone. Machines under load stand still for tens of
/// milliseconds: one that lives must have renewed it.
pub(crate) const LEASE_TTL: Duration = Duration::from_millis(400);

/// For a holder that must keep its journal however busy the machine is: seconds without a renewal are
/// no matter. A rival with [`LEASE_TTL`] does not wait for its end.
pub(crate) const LONG_LEASE_TTL: Duration = Duration::from_secs(5);

/// Where Redis notes who holds the journal.
pub(crate) const HELD: &str = "{shop.journal}:held:numbers";

/// What takes longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The cache that the journals are of.
pub(crate) const CACHE: &str = "numbers";

/// A server that has each write on its disk before it confirms it.
pub(crate) fn durable() -> RedisServer {
    RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"])
}

pub(crate) fn options(port: u16) -> JournalOptions {
    let mut redis = RedisOptions::new(Topology::single("127.0.0.1", port));
    redis.lease_ttl = LEASE_TTL;
    JournalOptions::new(redis)
}

pub(crate) fn with(options: JournalOptions) -> RedisJournal {
    RedisJournal::open("shop", options).expect("options in range")
}

/// A journal whose holder is called `holder`.
pub(crate) fn of(port: u16, holder: &str) -> RedisJournal {
    with(JournalOptions { holder: holder.to_owned(), ..options(port) })
}

/// A journal that is open, and the largest sequence that it ever held.
pub(crate) async fn opened(port: u16) -> (RedisJournal, u64) {
    let journal = of(port, "the first");
    let last = Journal::open(&journal, CACHE).await.expect("nobody has it");
    (journal, last)
}

/// A journal that is open for [`LONG_LEASE_TTL`], and the largest sequence that it ever held.
pub(crate) async fn opened_for_long(port: u16) -> (RedisJournal, u64) {
    let mut options = JournalOptions { holder: "the first".into(), ..options(port) };
    options.redis.lease_ttl = LONG_LEASE_TTL;
    let journal = with(options);
    let last = Journal::open(&journal, CACHE).await.expect("nobody has it");
    (journal, last)
}

/// Completes once the lease ends later than it does now.
pub(crate) async fn renewed(server: &RedisServer) {
    let until = || ask::<u64>(server, &["HGET", HELD, "u"]);
    let before = until();
    let later = async {
        while until() <= before {
            pause(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, later).await.expect("it is renewed");
}

pub(crate) fn record(sequence: u64) -> JournalRecord {
    JournalRecord { sequence, bytes: sequence.to_be_bytes().to_vec() }
}

pub(crate) async fn append(journal: &RedisJournal, sequence: u64) -> Result<(), JournalError> {
    journal.append(CACHE, &[record(sequence)]).await
}

pub(crate) async fn sequences(journal: &RedisJournal) -> Vec<u64> {
    let read = journal.read(CACHE, 0, 1_000).await.expect("it can be read");
    read.iter().map(|record| record.sequence).collect()
}

/// Asks a server one command, given as its words.
pub(crate) fn ask<T: FromRedisValue>(server: &RedisServer, words: &[&str]) -> T {
    let mut command = Cmd::new();
    for word in words {
        command.arg(*word);
    }
    server.ask(&command)
}

/// Lets real time go by: a server's clock cannot be turned.
pub(crate) async fn pause(span: Duration) {
    SystemClock.sleep_until(SystemClock.precise().plus(span)).await;
}
