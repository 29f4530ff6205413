//! Heirs at work, and where changes happen.

use std::time::Duration;

use larder_outbox_crashes::{Node, Place};
use larder_rig::{PostgresDatabase, RedisServer};
use tokio::time::timeout;

/// How late an invalidation may be after a restart.
pub(crate) const LATE_MAX: Duration = Duration::from_secs(5);

/// Which database a test is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    pub(crate) async fn place(self) -> Place {
        match self {
            Database::Sqlite => Place::on_sqlite().await,
            Database::Postgres => Place::on_postgres(PostgresDatabase::fresh()).await,
        }
    }
}

/// A node of this place, part of its fleet.
pub(crate) async fn node(place: &Place, redis: &RedisServer) -> Node {
    Node::open(&place.url, &place.namespace, redis.port()).await.joined().await
}

/// Runs the relays of two heirs until `done` is, which must be soon.
pub(crate) async fn relayed_by<T>(heirs: [&Node; 2], done: impl Future<Output = T>) -> T {
    let [mut one, mut two] = heirs.map(|heir| heir.outbox.relay(heir.pool.clone()));
    tokio::select! {
        () = one.run() => unreachable!("a relay does not end"),
        () = two.run() => unreachable!("a relay does not end"),
        done = timeout(LATE_MAX, done) => done.expect("in time"),
    }
}

/// Completes once this heir has looked so often.
pub(crate) async fn has_looked(heir: &Node, times: u64) {
    let looks = heir.outbox.stats().looks;
    while heir.outbox.stats().looks < looks + times {
        tokio::task::yield_now().await;
    }
}
