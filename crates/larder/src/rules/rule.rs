//! One rule: which events it is about, what they make wrong, and when that is told.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::invalidation::Invalidation;
use crate::node::agenda::When;

/// The priority of a rule that names none.
const PRIORITY: u32 = 20;

/// What an event makes wrong, if a rule is about it.
type Wrong<E> = Box<dyn Fn(&E) -> Option<Invalidation> + Send + Sync>;

/// A rule of [`Rules`](super::Rules).
pub struct Rule<E> {
    name: Arc<str>,
    wrong: Wrong<E>,
    pub(super) priority: u32,
    /// `None`: at once.
    pub(super) when: Option<When>,
}

impl<E> fmt::Debug for Rule<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { name, priority, when, .. } = self;
        f.debug_struct("Rule")
            .field("name", name)
            .field("priority", priority)
            .field("when", when)
            .finish_non_exhaustive()
    }
}

impl<E> Rule<E> {
    /// A rule that says what an event makes wrong, or `None` if it is not about such an event. Its
    /// name is the reason in the audit trail, unless the invalidation says another one.
    pub fn new(
        name: impl Into<Arc<str>>,
        wrong: impl Fn(&E) -> Option<Invalidation> + Send + Sync + 'static,
    ) -> Self {
        Rule { name: name.into(), wrong: Box::new(wrong), priority: PRIORITY, when: None }
    }

    /// Of invalidations that are due together, those of higher priority go first. Default 20.
    #[must_use]
    pub fn priority(mut self, priority: u32) -> Self {
        self.priority = priority;
        self
    }

    /// Invalidates so long after the event: for what becomes wrong by itself at a known time. Of
    /// one that is planned when the node is [closed](crate::Larder::close), only the sending at
    /// that moment is left; it is lost when the process is killed.
    #[must_use]
    pub fn delayed(mut self, by: Duration) -> Self {
        self.when = Some(When::After(by));
        self
    }

    /// Invalidates once no event has named the same for `quiet`, but at most `at_most` after the
    /// first: for what may be a little old, and would be reloaded all the time.
    #[must_use]
    pub fn debounced(mut self, quiet: Duration, at_most: Duration) -> Self {
        self.when = Some(When::Quiet { quiet, at_most });
        self
    }

    pub(super) fn wrong(&self, event: &E) -> Option<Invalidation> {
        (self.wrong)(event).map(|wrong| wrong.because_unless_said(&self.name))
    }
}
