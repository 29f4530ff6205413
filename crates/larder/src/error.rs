//! What can go wrong for a caller. Faults of the cache are not in here: they never fail a read.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why a read has no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The loader failed, and nothing stale was allowed in its place. Everyone who waited for
    /// the same load gets the same error.
    #[error("the source failed: {0}")]
    Source(#[source] SourceError),
    /// The loader panicked. Its panic was caught; nobody else was harmed.
    #[error("the loader panicked: {message}")]
    LoaderPanicked {
        /// What the panic said, if it was text.
        message: Arc<str>,
    },
    /// The load took longer than the cache's hard timeout. It goes on, and may still fill.
    #[error("the load is not done after {after_ms} ms (hard_timeout)")]
    TimedOut {
        /// The timeout, in milliseconds.
        after_ms: u64,
    },
    /// The load ran for the node's `load_time_max` and was dropped.
    #[error("the load was given up after {after_ms} ms (load_time_max)")]
    GivenUp {
        /// The limit, in milliseconds.
        after_ms: u64,
    },
    /// The loader was asked for a value, but the source has none: another loader of this cache
    /// answered "absent". Let this loader answer `Option<V>` to see it.
    #[error("the source has no such value")]
    Absent,
    /// A loader said "not modified", but it was shown no value.
    #[error("the loader said `not modified`, but it was shown no value")]
    NothingToKeep,
    /// The node was closed before the load could begin.
    #[error("the node was closed")]
    Closed,
}

impl Error {
    pub(crate) fn timed_out(after: Duration) -> Self {
        Error::TimedOut { after_ms: millis(after) }
    }

    pub(crate) fn given_up(after: Duration) -> Self {
        Error::GivenUp { after_ms: millis(after) }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The error of a loader, shared by everyone who waited for its load.
#[derive(Clone)]
pub struct SourceError(Arc<dyn StdError + Send + Sync>);

impl SourceError {
    pub(crate) fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        SourceError(Arc::from(error.into()))
    }

    /// The loader's own error, if it is an `E`.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for SourceError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// Every mistake of a configuration, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    mistakes: Vec<Mistake>,
}

/// One field that has a wrong value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
pub struct Mistake {
    field: &'static str,
    problem: String,
}

impl Mistake {
    pub(crate) fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Mistake { field, problem: problem.into() }
    }

    /// The name of the setter.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

impl From<crate::shard::parameters::InvalidSetting> for Mistake {
    fn from(invalid: crate::shard::parameters::InvalidSetting) -> Self {
        Mistake::new(invalid.field, format!("is {}; it must be {}", invalid.found, invalid.limit))
    }
}

impl BuildError {
    pub(crate) fn unless_empty(mistakes: Vec<Mistake>) -> Result<(), BuildError> {
        if mistakes.is_empty() { Ok(()) } else { Err(BuildError { mistakes }) }
    }

    pub(crate) fn of(mistake: Mistake) -> Self {
        BuildError { mistakes: vec![mistake] }
    }

    /// What is wrong, in the order of the fields.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            write!(f, "{}{mistake}", if index > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl StdError for BuildError {}
