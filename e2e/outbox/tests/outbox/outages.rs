//! Changes while the way to the log or the database is cut, and commits that land late.

use larder::Outcome;
use larder_outbox_crashes::{NEW, Node, OLD, Place, Point};
use larder_rig::{Fault, PostgresDatabase, Proxy, RedisServer};
use sqlx::PgPool;
use tokio::time::timeout;

use crate::crashes::dies;
use crate::support::{Database, LATE_MAX, has_looked, node, relayed_by};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_stays_while_the_log_cannot_be_reached_and_goes_when_it_is_sent() {
    let (place, redis) = (Place::on_sqlite().await, RedisServer::start());
    let witness = node(&place, &redis).await;
    let proxy = Proxy::before(redis.port()).await;
    let writer = Node::open(&place.url, &place.namespace, proxy.port()).await.joined().await;
    witness.holds_the_price().await;
    proxy.inflict(Fault::Cut);
    let mut transaction = writer.pool.begin().await.expect("begin");
    writer.reprice(&mut transaction).await;
    let noted = writer.outbox.invalidate(&mut *transaction, writer.wrong()).await.expect("noted");
    transaction.commit().await.expect("commit");
    let invalidated = noted.committed().await;
    assert!(matches!(invalidated.outcome(), Outcome::Local(_)), "{invalidated:?}");
    let mut relay = writer.outbox.relay(writer.pool.clone());
    let healed = async {
        // Long enough for a relay to take it for one that a crash has left.
        has_looked(&writer, 6).await;
        assert_eq!((witness.rows().await, witness.holds()), (1, true), "it waits");
        proxy.inflict(Fault::None);
        timeout(LATE_MAX, witness.drops_it()).await.expect("sent once it can be");
        timeout(LATE_MAX, async { while witness.rows().await > 0 {} }).await.expect("gone");
    };
    tokio::select! {
        () = relay.run() => unreachable!("a relay does not end"),
        () = healed => {}
    }
    assert_eq!(witness.price().await, NEW);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_writer_did_not_get_into_the_log_before_it_died_its_heirs_send() {
    let (place, redis) = (Place::on_sqlite().await, RedisServer::start());
    let witness = node(&place, &redis).await;
    witness.holds_the_price().await;
    let proxy = Proxy::before(redis.port()).await;
    proxy.inflict(Fault::Cut);
    dies(&place, proxy.port(), Point::Appended);
    assert!(witness.holds());
    let (heir, another) = (node(&place, &redis).await, node(&place, &redis).await);
    relayed_by([&heir, &another], witness.drops_it()).await;
    assert_eq!(witness.price().await, NEW);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_lands_after_its_caller_was_cancelled_reaches_all_nodes() {
    for database in [Database::Sqlite, Database::Postgres] {
        let (place, redis) = (database.place().await, RedisServer::start());
        let (witness, writer) = (node(&place, &redis).await, node(&place, &redis).await);
        witness.holds_the_price().await;
        let mut transaction = writer.pool.begin().await.expect("begin");
        writer.reprice(&mut transaction).await;
        let noted = writer.outbox.invalidate(&mut *transaction, writer.wrong()).await;
        drop(noted.expect("noted"));
        timeout(LATE_MAX, witness.drops_it()).await.expect("it may have committed");
        // The commit is still on its way: what is loaded now is old, and newer than the record.
        witness.holds_the_price().await;
        assert_eq!(witness.price().await, OLD, "{database:?}");
        let heir = node(&place, &redis).await;
        relayed_by([&heir, &writer], async {
            has_looked(&heir, 1).await;
            transaction.commit().await.expect("commit");
            witness.drops_it().await;
        })
        .await;
        assert_eq!(witness.price().await, NEW, "{database:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_postgresql_alone_will_do() {
    let (place, redis) = (Database::Postgres.place().await, RedisServer::start());
    let (witness, writer) = (node(&place, &redis).await, node(&place, &redis).await);
    witness.holds_the_price().await;
    let pool = PgPool::connect(&place.url).await.expect("connect");
    let mut transaction = pool.begin().await.expect("begin");
    let noted = writer.outbox.invalidate(&mut *transaction, writer.wrong()).await.expect("noted");
    transaction.commit().await.expect("commit");
    // As if it had died here.
    noted.rolled_back();
    let mut relay = writer.outbox.relay(pool);
    let gone = async {
        witness.drops_it().await;
        while witness.rows().await > 0 {}
    };
    tokio::select! {
        () = relay.run() => unreachable!("a relay does not end"),
        gone = timeout(LATE_MAX, gone) => gone.expect("in time"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_outlives_its_database() {
    let (place, redis) = (Place::on_postgres(PostgresDatabase::apart()).await, RedisServer::start());
    let witness = node(&place, &redis).await;
    witness.holds_the_price().await;
    dies(&place, redis.port(), Point::AfterCommit);
    let server = &place.postgres.as_ref().expect("a server").server;
    let heir = node(&place, &redis).await;
    server.kill();
    let mut relay = heir.outbox.relay(heir.pool.clone());
    let ran = timeout(LATE_MAX / 4, relay.run()).await;
    assert!(ran.is_err() && witness.holds(), "nobody can read the row");
    server.start();
    relayed_by([&heir, &witness], witness.drops_it()).await;
    assert_eq!(witness.price().await, NEW);
}
