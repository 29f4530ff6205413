//! What ends by itself, in real time: the suite of promises turns a clock that a server has not.

use std::sync::Arc;
use std::time::Duration;

use larder::clock::{Clock, SystemClock};
use larder::key::EncodedKey;
use larder::record::{Mode, Name, Record};
use larder::shard::{Fill, FillReply, LeaseReply, ReadReply, ServerTime, Shard, StoredEntry, Token};
use larder_redis::{Redis, RedisOptions, Topology};
use larder_rig::RedisServer;

use crate::support::{entry, millis, pause};

const LEASE_TTL: Duration = millis(300);

struct Bench {
    _server: RedisServer,
    _redis: Redis,
    shard: Arc<dyn Shard>,
}

async fn bench() -> Bench {
    let server = RedisServer::start();
    let mut options = RedisOptions::new(Topology::single("127.0.0.1", server.port()));
    options.lease_ttl = LEASE_TTL;
    let redis = Redis::open("lifetimes", options).expect("options in range");
    redis.connected().await;
    redis.joined().await.expect("the server answers");
    Bench { shard: redis.shards().remove(0), _redis: redis, _server: server }
}

fn key() -> EncodedKey {
    EncodedKey::new("numbers", &7_u64)
}

impl Bench {
    async fn lease(&self, token: u128) -> LeaseReply {
        self.shard.lease(key(), Token(token), None).await.expect("answered")
    }

    async fn fill(&self, token: u128, reply: &LeaseReply, lives: Duration) -> FillReply {
        let now = self.shard.server_time(SystemClock.precise());
        self.fill_until(token, reply, now.plus(lives)).await
    }

    async fn fill_until(&self, token: u128, reply: &LeaseReply, until: ServerTime) -> FillReply {
        let entry = entry(token, reply, until);
        self.shard.fill(Fill { key: key(), token: Token(token), entry }).await.expect("answered")
    }

    async fn append(&self, mode: Mode) {
        let records = vec![Record { name: Name::key(&key()), mode }];
        self.shard.append(records).await.expect("answered");
    }

    async fn value(&self) -> Option<StoredEntry> {
        let ReadReply { mut entries, .. } = self.shard.read(vec![key()]).await.expect("answered");
        entries.pop().flatten()
    }
}

#[tokio::test]
async fn a_lease_that_nobody_renews_ends_and_its_holder_cannot_fill() {
    let bench = bench().await;
    let late = bench.lease(1).await;
    assert!(matches!(bench.lease(2).await, LeaseReply::Held));
    pause(LEASE_TTL + millis(50)).await;
    let next = bench.lease(3).await;
    assert_eq!(bench.fill(1, &late, millis(60_000)).await, FillReply::Rejected);
    assert_eq!(bench.fill(3, &next, millis(60_000)).await, FillReply::Stored);
}

#[tokio::test]
async fn a_renewed_lease_lasts_on_and_an_ended_one_cannot_be_renewed() {
    let bench = bench().await;
    let granted = bench.lease(1).await;
    for _ in 0..4 {
        pause(LEASE_TTL / 2).await;
        assert!(bench.shard.renew(key(), Token(1)).await.expect("answered"));
    }
    assert_eq!(bench.fill(1, &granted, millis(60_000)).await, FillReply::Stored);
    assert!(!bench.shard.renew(key(), Token(1)).await.expect("answered"));
}

#[tokio::test]
async fn a_value_is_there_until_it_expires_and_bars_no_lease_after_it() {
    let bench = bench().await;
    let granted = bench.lease(1).await;
    assert_eq!(bench.fill(1, &granted, millis(400)).await, FillReply::Stored);
    assert!(bench.value().await.is_some());
    pause(millis(500)).await;
    assert!(bench.value().await.is_none());
    assert!(matches!(bench.lease(2).await, LeaseReply::Granted { .. }));
}

#[tokio::test]
async fn an_entry_that_has_expired_is_not_stored() {
    let bench = bench().await;
    let granted = bench.lease(1).await;
    let now = bench.shard.server_time(SystemClock.precise());
    let a_second_ago = ServerTime(now.0 - 1_000);
    assert_eq!(bench.fill_until(1, &granted, a_second_ago).await, FillReply::Rejected);
}

#[tokio::test]
async fn a_soft_flag_does_not_keep_a_value_alive() {
    let bench = bench().await;
    let granted = bench.lease(1).await;
    assert_eq!(bench.fill(1, &granted, millis(400)).await, FillReply::Stored);
    bench.append(Mode::Soft).await;
    assert!(bench.value().await.is_some_and(|value| value.soft));
    pause(millis(500)).await;
    assert!(bench.value().await.is_none());
}

#[tokio::test]
async fn a_write_through_after_its_lease_ended_is_appended_and_not_stored() {
    let bench = bench().await;
    let granted = bench.lease(1).await;
    pause(LEASE_TTL + millis(50)).await;
    let now = bench.shard.server_time(SystemClock.precise());
    let fill = Fill { key: key(), token: Token(1), entry: entry(1, &granted, now.plus(LEASE_TTL)) };
    let records = vec![Record { name: Name::key(&key()), mode: Mode::Hard }];
    let (at, stored) = bench.shard.write_through(fill, records).await.expect("answered");
    assert_eq!((at.position, stored), (1, FillReply::Rejected));
    assert!(bench.value().await.is_none());
}
