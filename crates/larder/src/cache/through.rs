//! Write-through: a write of the source, and in the same call what it makes of the cache. Decides
//! when the lease is taken and what becomes of a write that failed; knows no shard.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::Cache;
use super::claim::Claim;
use super::core::{CacheCore, Sought};
use super::storing::{Right, Storing, record};
use crate::asked::Asked;
use crate::hit::Lookup;
use crate::invalidation::{Invalidated, Invalidation};
use crate::loaded::{Content, IntoLoaded, Loaded};
use crate::node::Node;
use crate::node::marks::Target;
use crate::node::view::{Place, View};
use crate::read::lead::Lease;
use crate::read::renew;
use crate::record::{Mode, Tag};
use crate::writing::Writing;
use crate::{Entry, Key};

/// What is told of a result once it is there.
type Told<'c, R, T> = Box<dyn FnOnce(&R) -> T + Send + 'c>;

/// What became of a write of the source, and of the entry that it changed.
#[derive(Debug, Clone)]
pub struct Written<A> {
    /// What the source has now, in the shape in which the write gave it, see [`IntoLoaded`].
    pub answer: A,
    /// Whether the value was stored. If not, the next read loads.
    pub stored: bool,
    /// The invalidation of the old value and of what else was named, which happens in any case.
    pub invalidated: Invalidated,
}

/// A write that is about to be made, see [`Cache::write_through`] and [`Cache::create_through`].
///
/// `L` is what the write gives, and `E` what it fails with.
#[must_use = "nothing is written until it is `run`"]
pub struct WriteThrough<'c, K, V, F, L, E> {
    cache: &'c Cache<K, V>,
    key: WrittenKey<'c, K, V>,
    write: F,
    also: Asked,
    also_of: Vec<Told<'c, L, Invalidation>>,
    keeping: Keeping<'c, L>,
    rolled_back: Option<Told<'c, E, bool>>,
}

/// How what was written is kept.
struct Keeping<'c, L> {
    stored_if: Option<Told<'c, L, bool>>,
    fresh_for: Option<Told<'c, L, Duration>>,
    tags: Option<Told<'c, L, Vec<Tag>>>,
}

/// Which entry is written.
enum WrittenKey<'c, K, V> {
    Known(&'c K),
    OfResult(Told<'c, V, K>),
}

/// What was noted before the source was written.
enum Begun<'c, K, V> {
    Known { sought: Sought, claim: Option<Claim> },
    OfResult { key_of: Told<'c, V, K>, places: Vec<Place> },
}

impl<K: Key, V: Entry> Cache<K, V> {
    /// Writes the source, and stores what the write gives in the place of the old value.
    ///
    /// The lease of the key is taken before the write begins, so of two writers of the fleet at
    /// most one stores its value, and whoever does not have the lease only invalidates: in whatever
    /// order two writes come, the older value never stays. While the write runs, callers who miss
    /// the entry of a shared tier wait for it, as they wait for a load. A write that reads the same entry through
    /// the cache would wait for itself: read the source in it.
    ///
    /// The write gives what a loader would: a `V`, an `Option<V>`, or a
    /// [`Loaded<V>`](crate::Loaded) with a time and tags of its own. What is not kept, because its
    /// time is zero or it is too large, is only invalidated.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::io::{Error, ErrorKind};
    /// use larder::{Invalidation, Larder, Origin};
    ///
    /// let larder = Larder::new("docs")?;
    /// let rooms = larder.cache::<u64, String>("rooms").build()?;
    /// let written = rooms
    ///     .write_through(&12, || async { Ok("the hall".to_owned()) })
    ///     .also(Invalidation::new().tag("lists"))
    ///     .rolled_back(|error: &Error| error.kind() == ErrorKind::InvalidInput)
    ///     .run()
    ///     .await?;
    /// assert!(written.stored && *written.answer == "the hall");
    /// let read = rooms.get(&12).await.ok_or("gone")?;
    /// assert_eq!(read.origin(), Origin::Memory);
    /// # Ok(())
    /// # }
    /// ```
    pub fn write_through<'c, F, Fut, L, E>(
        &'c self,
        key: &'c K,
        write: F,
    ) -> WriteThrough<'c, K, V, F, L, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<L, E>>,
        L: IntoLoaded<V>,
    {
        WriteThrough::new(self, WrittenKey::Known(key), write)
    }

    /// Writes the source, and stores what the write gives under a key that only the result tells,
    /// such as that of a new row.
    ///
    /// There is no lease to take before the write. Instead the place of the log is noted, and the
    /// lease is taken after the write: the value is stored if nothing up to it named the entry.
    /// Another writer of the same row appends after its write, and so, if it wrote after this one,
    /// above the place that was noted.
    ///
    /// A write that gives no value, fails or is cancelled has no key: then only what was named
    /// [besides](WriteThrough::also) is invalidated, and that the row is absent, if it was
    /// remembered, stays so for its time.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let larder = larder::Larder::new("docs")?;
    /// let rooms = larder.cache::<u64, (u64, String)>("rooms").build()?;
    /// let insert = || async { Ok::<_, std::io::Error>((12, "the hall".to_owned())) };
    /// let written = rooms.create_through(insert, |room| room.0).run().await?;
    /// assert!(written.stored && rooms.exists(&12).await);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_through<'c, F, Fut, L, E>(
        &'c self,
        write: F,
        key_of: impl FnOnce(&V) -> K + Send + 'c,
    ) -> WriteThrough<'c, K, V, F, L, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<L, E>>,
        L: IntoLoaded<V>,
    {
        WriteThrough::new(self, WrittenKey::OfResult(Box::new(key_of)), write)
    }
}

impl<'c, K: Key, V: Entry, F, L: IntoLoaded<V>, E> WriteThrough<'c, K, V, F, L, E> {
    fn new(cache: &'c Cache<K, V>, key: WrittenKey<'c, K, V>, write: F) -> Self {
        let (also, also_of) = (Asked::default(), Vec::new());
        let keeping = Keeping { stored_if: None, fresh_for: None, tags: None };
        WriteThrough { cache, key, write, also, also_of, keeping, rolled_back: None }
    }

    /// Whether what was written is stored; what is not is only invalidated. By default it is.
    pub fn stored_if(mut self, stored: impl FnOnce(&L) -> bool + Send + 'c) -> Self {
        self.keeping.stored_if = Some(Box::new(stored));
        self
    }

    /// How long what was written stays fresh, instead of the cache's time; zero means "do not keep".
    pub fn fresh_for(mut self, time: impl FnOnce(&L) -> Duration + Send + 'c) -> Self {
        self.keeping.fresh_for = Some(Box::new(time));
        self
    }

    /// Labels what was written, beside the tags of a [`Loaded`](crate::Loaded).
    pub fn tags<T>(mut self, tags: impl FnOnce(&L) -> T + Send + 'c) -> Self
    where
        T: IntoIterator<Item = Tag>,
    {
        self.keeping.tags = Some(Box::new(|written| tags(written).into_iter().collect()));
        self
    }

    /// What else the write makes wrong, such as lists in which the entry stands.
    pub fn also(mut self, invalidation: Invalidation) -> Self {
        self.also = std::mem::take(&mut self.also).and(invalidation.into_asked());
        self
    }

    /// The same, as far as only the result of the write tells it.
    pub fn also_of(mut self, named: impl FnOnce(&L) -> Invalidation + Send + 'c) -> Self {
        self.also_of.push(Box::new(named));
        self
    }

    /// Which errors prove that the write has changed nothing: then nothing is invalidated. Without
    /// this none does, for a write that failed may have been committed.
    pub fn rolled_back(mut self, proves: impl FnOnce(&E) -> bool + Send + 'c) -> Self {
        self.rolled_back = Some(Box::new(proves));
        self
    }

    /// Takes the lease, writes the source, and stores or only invalidates.
    ///
    /// # Errors
    /// Only the write's own. Faults of the cache are never in here, and never keep the write from
    /// being made: they cost a few times `call_timeout` before it, and `append_timeout` after it.
    ///
    /// # Cancel safety
    /// Dropped once the write has begun, it invalidates: the source may have committed. A commit
    /// that was already on its way may take effect *after* that: where that matters, let the write
    /// run in a task of its own.
    pub async fn run<Fut>(self) -> Result<Written<L::Answer>, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<L, E>>,
    {
        let core = &self.cache.core;
        let begun = Begun::of(core, self.key).await;
        let own = Asked { records: begun.record().into_iter().collect(), ..Asked::default() };
        let mut writing = Writing::of(&core.node, own.and(self.also));
        let began = core.node.now();
        let given = match renewed(&core.node, begun.lease(), (self.write)()).await {
            Ok(given) => given,
            Err(error) => {
                match self.rolled_back.is_some_and(|proves| proves(&error)) {
                    true => writing.rolled_back(),
                    false => drop(writing.committed().await),
                }
                return Err(error);
            }
        };
        self.also_of.into_iter().for_each(|named| writing.also(named(&given)));
        core.counters.set();
        let loaded = self.keeping.loaded(given);
        let (lookup, stored, invalidated) = match begun.right(core, &loaded) {
            Some((sought, right)) => {
                let storing = Storing::new(core, sought, loaded, began);
                let asked = writing.asked_with(storing.record());
                let number = core.node.note_written(&asked);
                let kept = storing.store(core, asked.records, right).await;
                core.node.trail.done(number, &kept.invalidated);
                (kept.lookup(core.node.now()), kept.stored, kept.invalidated)
            }
            None => (Lookup::just_absent(), false, writing.committed().await),
        };
        match L::shape(lookup) {
            Ok(answer) => Ok(Written { answer, stored, invalidated }),
            Err(_) => unreachable!("what a write gave has the shape in which it gave it"),
        }
    }
}

impl<L> Keeping<'_, L> {
    fn loaded<V: Entry>(self, given: L) -> Loaded<V>
    where
        L: IntoLoaded<V>,
    {
        let stored = self.stored_if.is_none_or(|stored| stored(&given));
        let fresh_for = self.fresh_for.map(|time| time(&given));
        let tags = self.tags.map_or_else(Vec::new, |tags| tags(&given));
        let loaded = tags.into_iter().fold(given.into_loaded(), Loaded::tag);
        match (stored, fresh_for) {
            (false, _) => loaded.fresh_for(Duration::ZERO),
            (true, Some(time)) => loaded.fresh_for(time),
            (true, None) => loaded,
        }
    }
}

impl<'c, K: Key, V: Entry> Begun<'c, K, V> {
    async fn of(core: &Arc<CacheCore<V>>, key: WrittenKey<'c, K, V>) -> Self {
        match key {
            WrittenKey::Known(key) => {
                let sought = core.sought(key);
                let claim = core.claim(&sought).await;
                Begun::Known { sought, claim }
            }
            WrittenKey::OfResult(key_of) => {
                let places = core.node.views.iter().map(View::place).collect();
                Begun::OfResult { key_of, places }
            }
        }
    }

    /// The record of the old value, if its key is known.
    fn record(&self) -> Option<(Target, Mode)> {
        match self {
            Begun::Known { sought, .. } => Some(record(sought)),
            Begun::OfResult { .. } => None,
        }
    }

    fn lease(&self) -> Option<&Lease> {
        match self {
            Begun::Known { claim, .. } => claim.as_ref().map(|claim| &claim.lease),
            Begun::OfResult { .. } => None,
        }
    }

    /// Where what was written belongs, and by what right it is stored. `None`: it has no key.
    fn right(self, core: &CacheCore<V>, loaded: &Loaded<V>) -> Option<(Sought, Right)> {
        match (self, &loaded.content) {
            (Begun::Known { sought, claim }, _) => Some((sought, Right::Claimed(claim))),
            (Begun::OfResult { key_of, places }, Content::Value(value)) => {
                let sought = core.sought(&key_of(value));
                let place = places[sought.shard];
                Some((sought, Right::UnnamedSince(place)))
            }
            (Begun::OfResult { .. }, Content::Absent | Content::NotModified) => None,
        }
    }
}

/// What `write` gives; the lease does not run out meanwhile.
async fn renewed<T>(node: &Node, lease: Option<&Lease>, write: impl Future<Output = T>) -> T {
    let Some(lease) = lease else { return write.await };
    match select(pin!(write), pin!(renew(node, vec![lease]))).await {
        Either::Left((given, _)) => given,
        Either::Right((never, _)) => match never {},
    }
}
