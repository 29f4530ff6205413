//! Two builds of a service on one namespace, whose keys have different forms: a rolling deploy.

use std::sync::Arc;

use larder::clock::{Clock, SystemClock};
use larder::key::EncodedKey;
use larder::record::{Change, Mode, Name, Record};
use larder::shard::state::ConnectReply;
use larder::shard::{Appended, Fill, FillReply, Shard, TailRequest, Token};
use larder_redis::{Redis, RedisOptions, Topology};
use larder_rig::RedisServer;

use crate::support::{PATIENCE, entry};

/// One build on the namespace, connected.
struct Build {
    redis: Redis,
    shard: Arc<dyn Shard>,
}

impl Build {
    /// The build whose keys have this form, joined.
    async fn of_encoding(server: &RedisServer, encoding: u32) -> (Self, ConnectReply) {
        let mut options = RedisOptions::new(Topology::single("127.0.0.1", server.port()));
        options.parameters = options.parameters.of_versions(options.parameters.version(), encoding);
        let redis = Redis::open("builds", options).expect("options in range");
        redis.connected().await;
        let reply = redis.joined().await.expect("it answers")[0];
        let shard = Arc::clone(&redis.shards()[0]);
        (Build { redis, shard }, reply)
    }

    async fn append(&self, record: &Record) -> Appended {
        self.shard.append(vec![record.clone()]).await.expect("it is logged")
    }

    /// The last record of the log, as this build reads it.
    async fn last(&self, appended: Appended) -> Record {
        let from = appended.position - 1;
        let request = TailRequest { epoch: Some(appended.epoch), from, records_max: 9 };
        let reply = self.shard.tail(request).await.expect("its own form");
        match &reply.records.last().expect("a record").change {
            Change::Invalidated(record) => record.clone(),
            other => panic!("{other:?}"),
        }
    }
}

fn room() -> EncodedKey {
    EncodedKey::new("rooms", &7_u64)
}

fn changed() -> Record {
    Record { name: Name::key(&room()), mode: Mode::Hard }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_another_has_outranked_names_the_cache_from_its_next_record_on() {
    let server = RedisServer::start();
    let (old, _) = Build::of_encoding(&server, 1).await;
    let before = old.append(&changed()).await;
    assert_eq!(old.last(before).await, changed(), "alone, it names the key");

    let (new, _) = Build::of_encoding(&server, 2).await;
    let after = old.append(&changed()).await;
    assert_ne!(after.epoch, before.epoch);
    // The new build could not tell which entry the old form of a key means.
    assert_eq!(new.last(after).await.name, Name::cache("rooms"));
    let joined = old.redis.joined().await.expect("it answers")[0];
    assert!(matches!(joined, ConnectReply::Outranked { .. }), "{joined:?}");
    let own = new.append(&changed()).await;
    assert_eq!((new.last(own).await, own.position), (changed(), after.position + 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_another_has_outranked_gets_no_lease_from_then_on() {
    let server = RedisServer::start();
    let (old, _) = Build::of_encoding(&server, 1).await;
    assert!(old.shard.lease(room(), Token(7), None).await.is_ok(), "alone, it shares values");
    let (_new, _) = Build::of_encoding(&server, 2).await;
    for _ in 0..2 {
        assert!(old.shard.lease(room(), Token(8), None).await.is_err(), "it shares no values");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_another_has_outranked_writes_nothing_through_and_scans_nothing() {
    let server = RedisServer::start();
    let (old, _) = Build::of_encoding(&server, 1).await;
    let (as_old, _) = Build::of_encoding(&server, 1).await;
    let lease = old.shard.lease(room(), Token(7), None).await.expect("alone, it shares values");
    let until = old.shard.server_time(SystemClock.precise()).plus(PATIENCE);
    let fill = Fill { key: room(), token: Token(7), entry: entry(7, &lease, until) };

    let (new, _) = Build::of_encoding(&server, 2).await;
    let written = old.shard.write_through(fill, vec![changed()]).await.expect("it is logged");
    assert_eq!(written.1, FillReply::Rejected);
    assert_eq!(new.last(written.0).await.name, Name::cache("rooms"));
    assert!(as_old.shard.anchor().await.is_err(), "it would look for keys of its own form");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_begins_a_namespace_anew_once_it_is_alone_shares_values_again() {
    let server = RedisServer::start();
    let (new, _) = Build::of_encoding(&server, 2).await;
    let (old, _) = Build::of_encoding(&server, 1).await;
    drop(new);
    server.ask::<()>(&redis::cmd("FLUSHALL"));
    let begun = old.append(&changed()).await;
    old.last(begun).await;
    assert!(old.shard.lease(room(), Token(7), None).await.is_ok(), "nobody outranks it");
    let named = old.append(&changed()).await;
    assert_eq!(old.last(named).await, changed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_takes_a_namespace_back_that_a_lower_one_began_anew() {
    let server = RedisServer::start();
    let (new, _) = Build::of_encoding(&server, 2).await;
    let (old, reply) = Build::of_encoding(&server, 1).await;
    assert!(matches!(reply, ConnectReply::Outranked { .. }), "{reply:?}");
    server.ask::<()>(&redis::cmd("FLUSHALL"));
    let begun = old.append(&changed()).await;
    let taken = new.append(&changed()).await;
    assert_ne!(taken.epoch, begun.epoch);
    assert_eq!(new.last(taken).await, changed());
    assert!(new.shard.lease(room(), Token(7), None).await.is_ok(), "it shares values again");
}
