//! A node without memory that never answers from the shared tier, but fills it by the book. It
//! breaks no promise, which shows that faults alone do not make the checker cry.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use larder::clock::Clock;
use larder::key::EncodedKey;
use larder::random::Random;
use larder::record::{Mode, Name, Record};
use larder::shard::{
    Appended, Epoch, Fill, LeaseReply, Payload, Scan, ServerTime, Shard, StoredEntry, Token,
    Unreachable,
};

use super::names::{RowKey, owner_tag, pattern, prefix, recorded};
use super::{Environment, Outcome, ReadFailure, Subject, Wish, row_as_json, row_of_json};
use crate::weather::SHARDS;
use crate::world::Answer;
use crate::world::names::{KEYS, Mark, Named, PARTS, Row};
use crate::world::source::{Loaded, Loader, SourceFailed};

/// How often a held lease is asked for again.
const ASKED_MAX: usize = 60;

pub(crate) struct FillsOnly {
    environment: Environment,
    loading: [AtomicBool; KEYS],
}

/// The right to load one row in this process.
struct Turn<'a>(&'a AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

struct Lease {
    token: Token,
    epoch: Epoch,
    as_of: u64,
}

impl FillsOnly {
    fn shard(&self, key: usize) -> &dyn Shard {
        &*self.environment.shards[key % SHARDS]
    }

    async fn rest(&self) {
        let clock = &self.environment.clock;
        clock.sleep_until(clock.precise().plus(Duration::from_millis(20))).await;
    }

    async fn turn(&self, key: usize) -> Turn<'_> {
        while self.loading[key].swap(true, Ordering::Relaxed) {
            self.rest().await;
        }
        Turn(&self.loading[key])
    }

    async fn lease(&self, key: usize) -> Option<Lease> {
        let token = Token(self.environment.random.next_u128());
        let mut seen = None;
        for _ in 0..ASKED_MAX {
            match self.shard(key).lease(RowKey::encoded(key), token, seen).await.ok()? {
                LeaseReply::Granted { epoch, as_of } => return Some(Lease { token, epoch, as_of }),
                LeaseReply::Filled { entry, .. } => seen = Some(entry.id),
                LeaseReply::Held => self.rest().await,
            }
        }
        None
    }

    fn filled(&self, key: usize, lease: &Lease, row: Option<Row>) -> Fill {
        let owner = row.map(|row| Name::tag(&owner_tag(row.owner)).hash());
        let tags = [prefix(PARTS[key].0).hash()].into_iter().chain(owner).collect();
        let payload = row.map(|row| row_as_json(&row));
        let now = self.shard(key).server_time(self.environment.clock.precise());
        let entry = StoredEntry {
            id: lease.token.0,
            epoch: lease.epoch,
            as_of: lease.as_of,
            soft: false,
            tags,
            fresh_until: now,
            expires_at: ServerTime(u64::MAX),
            ends_at: None,
            load_cost: Duration::ZERO,
            loaded_at: now,
            fingerprint: <Row as larder::Entry>::FINGERPRINT,
            payload,
        };
        Fill { key: RowKey::encoded(key), token: lease.token, entry }
    }

    async fn scan(&self, shard: &dyn Shard, mode: Mode) -> Result<Option<Appended>, Unreachable> {
        let anchor = shard.anchor().await?;
        let mut cursor = Some(Vec::new());
        while let Some(from) = cursor {
            let epoch = anchor.epoch;
            let scan = Scan { pattern: pattern(), mode, epoch, cursor: from, batch_max: 1 };
            cursor = shard.scan(scan).await?.cursor;
        }
        shard.finish(pattern(), mode, anchor).await
    }

    async fn tell(&self, shard: usize, names: &[Named], mode: Mode) -> Result<bool, Unreachable> {
        let here = |named: &&Named| named.as_key().is_none_or(|key| key % SHARDS == shard);
        let records: Vec<Record> = names
            .iter()
            .filter(here)
            .filter_map(|named| recorded(*named))
            .map(|name| Record { name, mode })
            .collect();
        let shard = &*self.environment.shards[shard];
        if !records.is_empty() {
            shard.append(records).await?;
        }
        Ok(!names.contains(&Named::Pattern) || self.scan(shard, mode).await?.is_some())
    }
}

impl Subject for FillsOnly {
    type Position = ();

    fn start(environment: Environment) -> Self {
        FillsOnly { environment, loading: Default::default() }
    }

    fn merged((): &(), (): &()) {}

    fn encoded_key(key: usize) -> EncodedKey {
        RowKey::encoded(key)
    }

    fn decoded(payload: &Payload) -> Option<Row> {
        row_of_json(payload)
    }

    async fn read(
        self: Arc<Self>,
        key: usize,
        _: Wish<()>,
        loader: Loader,
    ) -> Result<Answer, ReadFailure> {
        let _turn = self.turn(key).await;
        let lease = self.lease(key).await;
        let row = match loader.load(None).await {
            Ok(Loaded::Row(row)) => Some(row),
            Ok(Loaded::Absent | Loaded::NotModified) => None,
            Err(SourceFailed) => return Err(ReadFailure::Source),
        };
        if let Some(lease) = lease {
            drop(self.shard(key).fill(self.filled(key, &lease, row)).await);
        }
        Ok(Answer { row, mark: Mark::Fresh, origin: "loaded" })
    }

    async fn invalidate(self: Arc<Self>, names: Vec<Named>, mode: Mode) -> Outcome<()> {
        for shard in 0..SHARDS {
            if !matches!(self.tell(shard, &names, mode).await, Ok(true)) {
                return Outcome::Local;
            }
        }
        Outcome::Shared(())
    }

    async fn set(self: Arc<Self>, row: Row) -> Outcome<()> {
        let record = Record { name: Name::key(&RowKey::encoded(row.key)), mode: Mode::Hard };
        let Some(lease) = self.lease(row.key).await else {
            return self.invalidate(vec![Named::Key(row.key)], Mode::Hard).await;
        };
        let fill = self.filled(row.key, &lease, Some(row));
        match self.shard(row.key).write_through(fill, vec![record]).await {
            Ok(_) => Outcome::Shared(()),
            Err(_) => Outcome::Local,
        }
    }

    fn unfinished(&self) -> String {
        String::new()
    }

    async fn close(self: Arc<Self>) {}
}
