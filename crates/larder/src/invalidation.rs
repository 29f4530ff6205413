//! What to invalidate, and what became of it.

mod text;

use std::sync::Arc;

use crate::asked::{Asked, Cause};
use crate::key::pattern::Pattern;
use crate::key::{EncodedKey, Key};
use crate::node::marks::Target;
use crate::node::queue::Ticket;
use crate::position::Position;
use crate::record::{Mode, Name, Tag};

pub use text::InvalidationTextError;

/// What names the cache of an entry with key `K`: a [`Cache`](crate::Cache) of such keys, or a text.
#[diagnostic::on_unimplemented(message = "`{Self}` is no cache of keys `{K}`, nor a cache's name")]
pub trait CacheOf<K: ?Sized> {
    /// The name of the cache.
    fn cache_name(&self) -> &str;
}

impl<K: ?Sized> CacheOf<K> for str {
    fn cache_name(&self) -> &str {
        self
    }
}

impl<K: ?Sized> CacheOf<K> for String {
    fn cache_name(&self) -> &str {
        self
    }
}

impl<K: ?Sized> CacheOf<K> for Box<str> {
    fn cache_name(&self) -> &str {
        self
    }
}

impl<K: ?Sized> CacheOf<K> for Arc<str> {
    fn cache_name(&self) -> &str {
        self
    }
}

impl<K: ?Sized, C: CacheOf<K> + ?Sized> CacheOf<K> for &C {
    fn cache_name(&self) -> &str {
        (**self).cache_name()
    }
}

/// Everything that one change of the source makes wrong: any number of keys, prefixes, tags,
/// caches and patterns, invalidated in one call.
///
/// ```
/// use larder::{Invalidation, Pattern};
/// let invalidation = Invalidation::new()
///     .key("rooms", &12u64)
///     .tag("rooms-of-7")
///     .pattern(Pattern::glob("chat:12:*")?)
///     .soft();
/// # Ok::<(), larder::PatternError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "an invalidation does nothing until it is given to `Larder::invalidate`"]
pub struct Invalidation {
    targets: Vec<Target>,
    soft: bool,
    cause: Cause,
    /// Those of other invalidations, each with the mode it had there.
    joined: Vec<(Target, Mode)>,
}

impl Invalidation {
    /// Names nothing yet.
    pub fn new() -> Self {
        Invalidation::default()
    }

    fn with(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    fn named(self, name: Name) -> Self {
        self.with(Target::Name(name))
    }

    /// One entry of a cache. A handle takes only keys of its own type; a name takes any, and where
    /// the type is another one than the cache's, it names another key: `1_i32` is not `1_u64`.
    pub fn key<K: Key + ?Sized>(self, cache: impl CacheOf<K>, key: &K) -> Self {
        self.named(Name::key(&EncodedKey::new(cache.cache_name(), key)))
    }

    /// Every entry of a cache whose key begins with these parts, and the one whose key they are.
    pub fn prefix<K: Key + ?Sized>(self, cache: impl AsRef<str>, prefix: &K) -> Self {
        let under = Name::prefix(cache.as_ref(), prefix);
        self.key(cache.as_ref(), prefix).named(under)
    }

    /// Every entry that carries this tag, in any cache.
    pub fn tag(self, tag: impl Into<Tag>) -> Self {
        self.named(Name::tag(&tag.into()))
    }

    /// Every entry of a cache.
    pub fn cache(self, cache: impl AsRef<str>) -> Self {
        self.named(Name::cache(cache.as_ref()))
    }

    /// Every entry of the namespace.
    pub fn everything(self) -> Self {
        self.named(Name::root())
    }

    /// Every entry whose key's text matches. Unlike the others this costs a scan.
    pub fn pattern(self, pattern: Pattern) -> Self {
        self.with(Target::Pattern(pattern))
    }

    /// Makes what is named stale instead of gone: it may be served, marked so, while one caller
    /// reloads it. What was joined with [`and`](Self::and) stays as it is.
    pub fn soft(mut self) -> Self {
        self.soft = true;
        self
    }

    /// Says who invalidates, for the audit trail ([`Larder::audit`](crate::Larder::audit)).
    pub fn by(mut self, who: impl Into<Arc<str>>) -> Self {
        self.cause.by = Some(who.into());
        self
    }

    /// Says why, for the audit trail ([`Larder::audit`](crate::Larder::audit)).
    pub fn because(mut self, why: impl Into<Arc<str>>) -> Self {
        self.cause.because = Some(why.into());
        self
    }

    pub(crate) fn because_unless_said(mut self, why: &Arc<str>) -> Self {
        self.cause.because.get_or_insert_with(|| Arc::clone(why));
        self
    }

    /// What either names; each stays soft or hard as it was.
    pub fn and(mut self, other: Invalidation) -> Self {
        let Asked { records, cause } = other.into_asked();
        self.joined.extend(records);
        self.cause = self.cause.or(cause);
        self
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.joined.is_empty()
    }

    fn of_asked(Asked { records, cause }: Asked) -> Self {
        Invalidation { joined: records, cause, ..Invalidation::default() }
    }

    fn records(&self) -> impl Iterator<Item = (&Target, Mode)> {
        let mode = if self.soft { Mode::Soft } else { Mode::Hard };
        let own = self.targets.iter().map(move |target| (target, mode));
        own.chain(self.joined.iter().map(|(target, mode)| (target, *mode)))
    }

    pub(crate) fn into_asked(self) -> Asked {
        let mode = if self.soft { Mode::Soft } else { Mode::Hard };
        let own = self.targets.into_iter().map(|target| (target, mode));
        Asked { records: own.chain(self.joined).collect(), cause: self.cause }
    }
}

/// How far an invalidation has come.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is in the log at this position. No reader that has seen the position is served what it
    /// killed, from any tier, on any node.
    Shared(Position),
    /// It is not shared yet. This node honours it already; it is retried in order until the log
    /// has it, and the ticket says when.
    Local(Ticket),
}

/// What became of an invalidation.
#[derive(Debug, Clone)]
#[must_use = "`Local` says that other nodes do not know yet"]
pub struct Invalidated {
    pub(crate) outcome: Outcome,
    pub(crate) matched: Option<u64>,
}

impl Invalidated {
    /// How far it has come.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The position, if it is in the log.
    pub fn position(&self) -> Option<&Position> {
        match &self.outcome {
            Outcome::Shared(position) => Some(position),
            Outcome::Local(_) => None,
        }
    }

    /// How many stored values a pattern matched; `None` if there was none to count. Names are
    /// not counted: killing ten entries or ten million is the same one record.
    pub fn matched(&self) -> Option<u64> {
        self.matched
    }
}
