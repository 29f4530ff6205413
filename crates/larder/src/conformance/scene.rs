//! One shard with two connections to it, and the words in which cases speak.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::ear::Ear;
use super::{Broken, Fault, Stage};
use crate::key::{EncodedKey, Key, Parts};
use crate::record::{Mode, Name, NameHash, Record, Tag};
use crate::shard::state::Part;
use crate::shard::{
    Appended, Epoch, Fill, FillReply, LeaseReply, Payload, ReadReply, Shard, StoredEntry, TailReply,
    TailRequest, Token,
};

/// The cache that the cases use.
pub(super) const ROOMS: &str = "rooms";

/// A key of two parts: its first part is the prefix that it implies.
pub(super) struct Room {
    pub(super) building: u64,
    pub(super) number: u64,
}

impl Key for Room {
    fn visit<P: Parts>(&self, parts: &mut P) {
        parts.unsigned(self.building);
        parts.unsigned(self.number);
    }
}

struct Building(u64);

impl Key for Building {
    fn visit<P: Parts>(&self, parts: &mut P) {
        parts.unsigned(self.0);
    }
}

/// The key of a room in building 7.
pub(super) fn room(number: u64) -> EncodedKey {
    EncodedKey::new(ROOMS, &Room { building: 7, number })
}

/// Everything in building 7.
pub(super) fn building() -> Name {
    Name::prefix(ROOMS, &Building(7))
}

pub(super) fn tag(text: &str) -> Name {
    Name::tag(&Tag::new(text))
}

pub(super) fn hard(name: Name) -> Record {
    Record { name, mode: Mode::Hard }
}

pub(super) fn soft(name: Name) -> Record {
    Record { name, mode: Mode::Soft }
}

/// The key and the lease that was granted on it.
#[derive(Debug, Clone)]
pub(super) struct Granted {
    pub(super) key: EncodedKey,
    pub(super) token: Token,
    pub(super) epoch: Epoch,
    pub(super) as_of: u64,
}

/// One shard, set up for one case.
pub struct Scene {
    pub(super) stage: Box<dyn Stage>,
    pub(super) shard: Arc<dyn Shard>,
    /// A second connection to the same shard.
    pub(super) other: Arc<dyn Shard>,
    /// What the first connection hears.
    pub(super) ear: Arc<Ear>,
    /// What the second connection hears.
    pub(super) other_ear: Arc<Ear>,
    drawn: AtomicU64,
}

impl Scene {
    pub(super) async fn set(stage: Box<dyn Stage>) -> Self {
        let (shard, other) = (stage.connect().await, stage.connect().await);
        let (ear, other_ear) = (Arc::new(Ear::default()), Arc::new(Ear::default()));
        shard.subscribe(Arc::clone(&ear) as Arc<_>);
        other.subscribe(Arc::clone(&other_ear) as Arc<_>);
        Scene { stage, shard, other, ear, other_ear, drawn: AtomicU64::new(1) }
    }

    /// A number that no other draw of this case has.
    pub(super) fn draw(&self) -> u128 {
        // Both halves count, for a store that cuts numbers would not notice small ones.
        let drawn = u128::from(self.drawn.fetch_add(1, Ordering::Relaxed));
        drawn << 64 | (0xA5A5_0000 + drawn)
    }

    pub(super) fn token(&self) -> Token {
        Token(self.draw())
    }

    /// Asks for the lease of `key` without having seen a value.
    pub(super) async fn ask(&self, key: &EncodedKey) -> Result<LeaseReply, Broken> {
        Ok(self.shard.lease(key.clone(), self.token(), None).await?)
    }

    /// Takes the lease of `key`, whatever value is there.
    pub(super) async fn granted(&self, key: &EncodedKey) -> Result<Granted, Broken> {
        let token = self.token();
        let mut seen = None;
        loop {
            match self.shard.lease(key.clone(), token, seen).await? {
                LeaseReply::Granted { epoch, as_of } => {
                    return Ok(Granted { key: key.clone(), token, epoch, as_of });
                }
                LeaseReply::Filled { entry, .. } if seen != Some(entry.id) => seen = Some(entry.id),
                reply => return Err(Broken::new(format!("{key} was to be granted, not {reply:?}"))),
            }
        }
    }

    /// An entry as a load under this lease would make it, without tags.
    pub(super) fn entry(&self, granted: &Granted) -> StoredEntry {
        let now = self.shard.server_time(self.stage.now());
        let id = granted.token.0;
        StoredEntry {
            fingerprint: 7,
            id,
            epoch: granted.epoch,
            as_of: granted.as_of,
            soft: false,
            tags: Arc::from([]),
            fresh_until: now.plus(Duration::from_secs(60)),
            expires_at: now.plus(Duration::from_secs(3600)),
            ends_at: None,
            load_cost: Duration::from_millis(3),
            loaded_at: now,
            payload: Some(Payload { form: 1, bytes: Bytes::copy_from_slice(&id.to_be_bytes()) }),
        }
    }

    pub(super) fn tagged(&self, granted: &Granted, names: &[Name]) -> StoredEntry {
        let tags: Vec<NameHash> = names.iter().map(Name::hash).collect();
        StoredEntry { tags: tags.into(), ..self.entry(granted) }
    }

    pub(super) fn filling(&self, granted: &Granted, entry: StoredEntry) -> Fill {
        Fill { key: granted.key.clone(), token: granted.token, entry }
    }

    /// Fills what was loaded under this lease, without tags.
    pub(super) async fn fill(&self, granted: &Granted) -> Result<FillReply, Broken> {
        self.fill_with(granted, self.entry(granted)).await
    }

    pub(super) async fn fill_with(
        &self,
        granted: &Granted,
        entry: StoredEntry,
    ) -> Result<FillReply, Broken> {
        Ok(self.shard.fill(self.filling(granted, entry)).await?)
    }

    /// Takes the lease of `key` and fills it.
    pub(super) async fn stored(&self, key: &EncodedKey) -> Result<StoredEntry, Broken> {
        let granted = self.granted(key).await?;
        let entry = self.entry(&granted);
        match self.fill_with(&granted, entry.clone()).await? {
            FillReply::Stored => Ok(entry),
            FillReply::Rejected => Err(Broken::new(format!("{key} was to be stored"))),
        }
    }

    pub(super) async fn write_through(
        &self,
        granted: &Granted,
        entry: StoredEntry,
        records: Vec<Record>,
    ) -> Result<(Appended, FillReply), Broken> {
        Ok(self.shard.write_through(self.filling(granted, entry), records).await?)
    }

    pub(super) async fn append(&self, records: Vec<Record>) -> Result<Appended, Broken> {
        Ok(self.shard.append(records).await?)
    }

    pub(super) async fn read(&self, key: &EncodedKey) -> Result<ReadReply, Broken> {
        Ok(self.shard.read(vec![key.clone()]).await?)
    }

    /// The value of `key` that a reader of the shard's epoch would be shown.
    pub(super) async fn value(&self, key: &EncodedKey) -> Result<Option<StoredEntry>, Broken> {
        let ReadReply { mut entries, epoch, .. } = self.read(key).await?;
        Ok(entries.pop().flatten().filter(|entry| Some(entry.epoch) == epoch))
    }

    /// Whether somebody holds the lease of `key`. If nobody does, a stranger holds it then.
    pub(super) async fn is_held(&self, key: &EncodedKey) -> Result<bool, Broken> {
        Ok(matches!(self.ask(key).await?, LeaseReply::Held))
    }

    /// Tails as a node that has applied everything up to `at`.
    pub(super) async fn tail(&self, at: Appended) -> Result<TailReply, Broken> {
        self.tail_some(at, 10_000).await
    }

    pub(super) async fn tail_some(
        &self,
        at: Appended,
        records_max: usize,
    ) -> Result<TailReply, Broken> {
        let request = TailRequest { epoch: Some(at.epoch), from: at.position, records_max };
        Ok(self.shard.tail(request).await?)
    }

    /// Tails as a node that knows nothing.
    pub(super) async fn tail_anew(&self) -> Result<TailReply, Broken> {
        let request = TailRequest { epoch: None, from: 0, records_max: 10_000 };
        Ok(self.shard.tail(request).await?)
    }

    /// Where the log stands.
    pub(super) async fn head(&self) -> Result<Appended, Broken> {
        let TailReply { epoch, head, .. } = self.tail_anew().await?;
        Ok(Appended { epoch, position: head })
    }

    pub(super) async fn evict(&self, part: Part) {
        self.stage.strike(Fault::Evict(part)).await;
    }

    /// Whether the first connection hears that `key` is woken.
    pub(super) async fn is_woken(&self, key: &EncodedKey) -> bool {
        self.ear.hears_wake(key, self.stage.patience()).await
    }
}
