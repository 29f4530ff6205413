//! What a loader is told and what it answers.

use std::sync::Arc;
use std::time::Duration;

use crate::hit::{Hit, Lookup};
use crate::memory::resident::Resident;
use crate::policy::AskedTimes;
use crate::record::Tag;
use crate::{Entry, Error};

/// What a loader is told about its load.
pub struct Load<V> {
    pub(crate) as_of: u64,
    pub(crate) shown: Option<Arc<Resident<V>>>,
    pub(crate) index: usize,
}

impl<V> Load<V> {
    /// The position of the log when this load began: a value loaded now may be served until an
    /// invalidation with a larger position names it.
    pub fn as_of(&self) -> u64 {
        self.as_of
    }

    /// The value that is about to be replaced, if it is still at hand. A loader that finds it
    /// unchanged at the source may answer [`Loaded::not_modified`].
    pub fn shown(&self) -> Option<&V> {
        self.shown.as_ref().and_then(|shown| shown.value.get())
    }

    /// Which of a batch's keys this is.
    pub(crate) fn index(&self) -> usize {
        self.index
    }
}

/// A loader's answer with all that it may say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<V> {
    pub(crate) content: Content<V>,
    pub(crate) asked: AskedTimes,
    pub(crate) tags: Vec<Tag>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content<V> {
    Value(V),
    Absent,
    NotModified,
}

impl<V> Loaded<V> {
    fn of(content: Content<V>) -> Self {
        Loaded { content, asked: AskedTimes::default(), tags: Vec::new() }
    }

    /// The source has this value.
    pub fn value(value: V) -> Self {
        Loaded::of(Content::Value(value))
    }

    /// The source has no such value. Kept for the cache's `negative_for`, with no tags but those
    /// that its key implies: whoever creates the row names its key or a prefix of it, not a tag
    /// that only the row could tell.
    pub fn absent() -> Self {
        Loaded::of(Content::Absent)
    }

    /// The value that the loader was [shown](Load::shown) is still right. It keeps its tags, and its
    /// [end](Self::kept_at_most) unless this answer has another.
    pub fn not_modified() -> Self {
        Loaded::of(Content::NotModified)
    }

    /// Keeps it fresh for this long instead of the cache's time; zero means "do not keep".
    #[must_use]
    pub fn fresh_for(mut self, time: Duration) -> Self {
        self.asked.fresh_for = Some(time);
        self
    }

    /// Ends it this long after its load began, on every node and in every tier: neither fresh time
    /// nor sliding, neither stale nor fail-safe time passes that. For what ends by itself, such as a
    /// session. Zero means "do not keep"; times above the node's `ttl_max` change nothing.
    #[must_use]
    pub fn kept_at_most(mut self, time: Duration) -> Self {
        self.asked.kept_at_most = Some(time);
        self
    }

    /// Labels the value, so that an invalidation of the tag reaches it. An entry has at most 64
    /// tags and prefixes; with more it is answered but not kept.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.tags.push(tag.into());
        self
    }
}

/// What a loader may answer, and the shape in which its caller gets it back.
///
/// | the loader gives | the read answers |
/// |---|---|
/// | `V` | [`Hit<V>`] |
/// | `Option<V>` | [`Lookup<V>`]; `None` is kept as a negative entry |
/// | [`Loaded<V>`] | [`Lookup<V>`] |
pub trait IntoLoaded<V: Entry>: Send + 'static {
    /// What the read answers.
    type Answer;

    /// The loader's answer in full.
    fn into_loaded(self) -> Loaded<V>;

    /// The read's answer in the loader's shape.
    ///
    /// # Errors
    /// [`Error::Absent`] where the shape has no place for "the source has none".
    fn shape(lookup: Lookup<V>) -> Result<Self::Answer, Error>;
}

impl<V: Entry> IntoLoaded<V> for V {
    type Answer = Hit<V>;

    fn into_loaded(self) -> Loaded<V> {
        Loaded::value(self)
    }

    #[inline]
    fn shape(lookup: Lookup<V>) -> Result<Hit<V>, Error> {
        lookup.found().ok_or(Error::Absent)
    }
}

impl<V: Entry> IntoLoaded<V> for Option<V> {
    type Answer = Lookup<V>;

    fn into_loaded(self) -> Loaded<V> {
        self.map_or_else(Loaded::absent, Loaded::value)
    }

    #[inline]
    fn shape(lookup: Lookup<V>) -> Result<Lookup<V>, Error> {
        Ok(lookup)
    }
}

impl<V: Entry> IntoLoaded<V> for Loaded<V> {
    type Answer = Lookup<V>;

    fn into_loaded(self) -> Loaded<V> {
        self
    }

    #[inline]
    fn shape(lookup: Lookup<V>) -> Result<Lookup<V>, Error> {
        Ok(lookup)
    }
}
