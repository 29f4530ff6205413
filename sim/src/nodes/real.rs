//! The real node.

use std::sync::Arc;
use std::time::Duration;

use larder::clock::Clock;
use larder::key::EncodedKey;
use larder::random::Random;
use larder::record::Mode;
use larder::shard::Payload;
use larder::tasks::Tasks;
use larder::{
    Cache, Consistency, Error, Event, Invalidated, Invalidation, Larder, Load, Lookup, Observer,
    Origin, Position,
};

use super::names::{CACHE, RowKey, owner_tag, pattern};
use super::{Environment, Outcome, ReadFailure, Subject, Wish, row_of_json};
use crate::network::server::{LEASE_TTL, TAG_SLOTS};
use crate::weather::{LEASE_WAIT_MS, POLL_INTERVAL_MS, STALENESS_MAX_MS};
use crate::world::names::{Mark, Named, Row};
use crate::world::source::{Loaded, Loader};
use crate::world::writer::{WriteFailed, Writer};
use crate::world::{Answer, World};

/// How long what is not fresh any more may be of use: longer than any simulation.
const KEPT: Duration = Duration::from_secs(3_600);

/// One node of larder with its one cache.
pub(crate) struct RealNode {
    larder: Larder,
    rows: Cache<RowKey, Row>,
}

/// Counts what a schedule has to reach and only a node can see.
struct Counting(Arc<World>);

impl Observer for Counting {
    fn observe(&self, event: &Event<'_>) {
        let name = match event {
            Event::Resynced { .. } => "resyncs",
            Event::Bypassed { .. } => {
                // It joins no flight that may answer from the shared tier, but loads beside it.
                self.0.disturbed();
                "reads past a suspect shard"
            }
            Event::FailSafe { .. } => "fail-safe answers",
            Event::Suspended { .. } => "suspends noticed",
            _ => return,
        };
        self.0.count(name);
    }
}

impl RealNode {
    fn named(invalidation: Invalidation, named: Named) -> Invalidation {
        match named {
            Named::Key(key) => invalidation.key(CACHE, &RowKey::of(key)),
            Named::Root => invalidation.everything(),
            Named::Cache => invalidation.cache(CACHE),
            Named::Prefix => invalidation.prefix(CACHE, &(0u64,)),
            Named::Owner(owner) => invalidation.tag(owner_tag(owner)),
            Named::Pattern => invalidation.pattern(pattern()),
        }
    }
}

fn outcome(invalidated: &Invalidated) -> Outcome<Position> {
    invalidated.position().map_or(Outcome::Local, |position| Outcome::Shared(position.clone()))
}

fn answer(lookup: &Lookup<Row>) -> Answer {
    let origin = match lookup.origin() {
        Origin::Memory => "memory hits",
        Origin::Shared => "shared hits",
        Origin::Loaded => "loaded",
    };
    let mark = if lookup.is_stale() { Mark::Stale } else { Mark::Fresh };
    Answer { row: lookup.value().copied(), mark, origin }
}

fn loaded(found: Loaded) -> larder::Loaded<Row> {
    match found {
        Loaded::Row(row) => larder::Loaded::value(row).tag(owner_tag(row.owner)),
        Loaded::Absent => larder::Loaded::absent(),
        Loaded::NotModified => larder::Loaded::not_modified(),
    }
}

impl Subject for RealNode {
    type Position = Position;

    fn start(environment: Environment) -> Self {
        let Environment { world, clock, random, tasks, shards, fresh, call_timeout } = environment;
        let fresh = Duration::from_nanos(fresh);
        let larder = Larder::builder("simulation")
            .bytes_max(1 << 20)
            .entries_max(64)
            .poll_interval(Duration::from_millis(POLL_INTERVAL_MS))
            .staleness_max(Duration::from_millis(STALENESS_MAX_MS))
            .lease_ttl(LEASE_TTL)
            .lease_wait_max(Duration::from_millis(LEASE_WAIT_MS))
            .call_timeout(Duration::from_nanos(call_timeout))
            .tag_slots(TAG_SLOTS)
            .shards(shards)
            .clock(clock as Arc<dyn Clock>)
            .random(random as Arc<dyn Random>)
            .tasks(tasks as Arc<dyn Tasks>)
            .observer(Arc::new(Counting(world)))
            .build()
            .expect("the settings are within their limits");
        let rows = larder
            .cache(CACHE)
            .fresh_for(fresh)
            .stale_for(KEPT)
            .fail_safe_for(KEPT)
            .negative_for(fresh)
            .build()
            .expect("the policy is within its limits");
        RealNode { larder, rows }
    }

    fn merged(one: &Position, other: &Position) -> Position {
        // By its text form: that is how a token travels.
        let text = one.clone().merge(other).to_string();
        text.parse().expect("a position reads its own text")
    }

    fn encoded_key(key: usize) -> EncodedKey {
        RowKey::encoded(key)
    }

    fn decoded(payload: &Payload) -> Option<Row> {
        row_of_json(payload)
    }

    async fn read(
        self: Arc<Self>,
        key: usize,
        wish: Wish<Position>,
        loader: Loader,
    ) -> Result<Answer, ReadFailure> {
        let consistency = match wish {
            Wish::Eventual => Consistency::Eventual,
            Wish::Bounded => Consistency::Bounded,
            Wish::AtLeast(position) => Consistency::AtLeast(position),
            Wish::Latest => Consistency::Latest,
        };
        let load = move |load: Load<Row>| {
            let shown = load.shown().copied();
            async move { loader.load(shown).await.map(loaded) }
        };
        match self.rows.read(&RowKey::of(key)).consistency(consistency).get_or_load(load).await {
            Ok(lookup) => Ok(answer(&lookup)),
            Err(Error::Source(_)) => Err(ReadFailure::Source),
            Err(error) => Err(ReadFailure::Cache(error.to_string())),
        }
    }

    async fn invalidate(self: Arc<Self>, names: Vec<Named>, mode: Mode) -> Outcome<Position> {
        let invalidation = names.into_iter().fold(Invalidation::new(), Self::named);
        let invalidation = if mode == Mode::Soft { invalidation.soft() } else { invalidation };
        outcome(&self.larder.invalidate(invalidation).await)
    }

    async fn set(self: Arc<Self>, row: Row) -> Outcome<Position> {
        let tagged = loaded(Loaded::Row(row));
        outcome(&self.rows.set(&RowKey::of(row.key), tagged).await.invalidated)
    }

    async fn write_through(
        self: Arc<Self>,
        writer: Writer,
    ) -> Result<Outcome<Position>, WriteFailed> {
        let key = RowKey::of(writer.key);
        let beside = writer.beside.iter().copied().fold(Invalidation::new(), Self::named);
        let (world, creates) = (Arc::clone(&writer.world), writer.creates);
        let write = move || async move { writer.write().await.map(loaded) };
        let through = match creates {
            true => self.rows.create_through(write, |row| RowKey::of(row.key)),
            false => self.rows.write_through(&key, write),
        };
        let through = through.also(beside).rolled_back(|why| *why == WriteFailed::RolledBack);
        let written = through.run().await?;
        if written.stored {
            world.count(if creates { "rows created through" } else { "rows written through" });
        }
        Ok(outcome(&written.invalidated))
    }

    fn unfinished(&self) -> String {
        let stats = self.larder.stats();
        match (stats.backlog, stats.flights) {
            (0, 0) => String::new(),
            (backlog, flights) => format!("{backlog} appends and {flights} flights"),
        }
    }

    async fn close(self: Arc<Self>) {
        self.larder.close().await;
    }
}
