//! Cache-aside as it is usually written: look in memory, look in the shared tier, load, store;
//! delete on a write. It breaks the promises, which shows that the checker can fail.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use larder::clock::{Clock, Moment};
use larder::key::EncodedKey;
use larder::random::Random;
use larder::record::{Mode, Name, Record};
use larder::shard::{Fill, LeaseReply, Payload, ServerTime, Shard, StoredEntry, Token};
use larder::tasks::Tasks;
use parking_lot::Mutex;

use super::{Environment, Outcome, ReadFailure, Subject, Wish, row_as_json, row_of_json};
use crate::weather::SHARDS;
use crate::world::Answer;
use crate::world::names::{Mark, Named, Row};
use crate::world::source::{Loaded, Loader};

/// A node that trusts its memory until the time is up.
pub(crate) struct CacheAside {
    environment: Environment,
    memory: Mutex<HashMap<usize, (Moment, Option<Row>)>>,
}

impl CacheAside {
    fn keep(&self, key: usize, row: Option<Row>) {
        let until =
            self.environment.clock.coarse().plus(Duration::from_nanos(self.environment.fresh));
        self.memory.lock().insert(key, (until, row));
    }

    fn shard(&self, key: usize) -> &dyn Shard {
        &*self.environment.shards[key % SHARDS]
    }

    async fn stored(&self, key: usize) -> Option<Option<Row>> {
        let reply = self.shard(key).read(vec![Self::encoded_key(key)]).await.ok()?;
        let entry = reply.entries.into_iter().next().flatten()?;
        Some(entry.payload.and_then(|payload| Self::decoded(&payload)))
    }

    async fn store(&self, key: usize, row: Option<Row>) {
        let token = Token(self.environment.random.next_u128());
        let encoded = Self::encoded_key(key);
        // The lease is taken after the load: exactly the mistake that `as_of` is there for.
        let lease = self.shard(key).lease(encoded.clone(), token, None).await;
        let Ok(LeaseReply::Granted { epoch, as_of }) = lease else { return };
        let payload = row.map(|row| row_as_json(&row));
        let now = self.shard(key).server_time(self.environment.clock.precise());
        let entry = StoredEntry {
            id: token.0,
            epoch,
            as_of,
            soft: false,
            tags: Arc::from([]),
            fresh_until: now,
            expires_at: ServerTime(u64::MAX),
            ends_at: None,
            load_cost: Duration::ZERO,
            loaded_at: now,
            fingerprint: <Row as larder::Entry>::FINGERPRINT,
            payload,
        };
        // A failed store is no failed read.
        drop(self.shard(key).fill(Fill { key: encoded, token, entry }).await);
    }
}

impl Subject for CacheAside {
    type Position = ();

    fn start(environment: Environment) -> Self {
        CacheAside { environment, memory: Mutex::default() }
    }

    fn merged((): &(), (): &()) {}

    fn encoded_key(key: usize) -> EncodedKey {
        EncodedKey::from_encoded(key.to_be_bytes().as_slice())
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
        let answer = |row, origin| Answer { row, mark: Mark::Fresh, origin };
        let now = self.environment.clock.coarse();
        let kept = self.memory.lock().get(&key).copied();
        if let Some((_, row)) = kept.filter(|(until, _)| now < *until) {
            return Ok(answer(row, "memory hits"));
        }
        if let Some(row) = self.stored(key).await {
            self.keep(key, row);
            return Ok(answer(row, "shared hits"));
        }
        let row = match loader.load(None).await {
            Ok(Loaded::Row(row)) => Some(row),
            Ok(Loaded::Absent | Loaded::NotModified) => None,
            Err(_) => return Err(ReadFailure::Source),
        };
        self.keep(key, row);
        let node = Arc::clone(&self);
        self.environment.tasks.spawn(Box::pin(async move { node.store(key, row).await }));
        Ok(answer(row, "loaded"))
    }

    async fn invalidate(self: Arc<Self>, names: Vec<Named>, mode: Mode) -> Outcome<()> {
        self.memory.lock().clear();
        let record = |named: Named| match named.as_key() {
            Some(key) => Record { name: Name::key(&Self::encoded_key(key)), mode },
            None => Record { name: Name::root(), mode },
        };
        for shard in &self.environment.shards {
            if shard.append(names.iter().copied().map(record).collect()).await.is_err() {
                return Outcome::Local;
            }
        }
        Outcome::Shared(())
    }

    async fn set(self: Arc<Self>, row: Row) -> Outcome<()> {
        let outcome = Arc::clone(&self).invalidate(vec![Named::Key(row.key)], Mode::Hard).await;
        self.store(row.key, Some(row)).await;
        outcome
    }

    fn unfinished(&self) -> String {
        String::new()
    }

    async fn close(self: Arc<Self>) {}
}
