//! What the events of a domain make wrong, declared in one place.

mod rule;

use std::fmt;
use std::sync::Arc;

pub use rule::Rule;

use crate::Larder;
use crate::asked::Asked;
use crate::invalidation::{Invalidated, Invalidation};
use crate::node::agenda::Plan;

/// The rules of a domain, by which its events invalidate. Cheap to clone.
///
/// Every rule that an event meets applies. What it makes wrong at once is invalidated in the
/// caller's task, with one append a shard for any number of events; a rule may also
/// [wait for quiet](Rule::debounced) or [for its time](Rule::delayed).
///
/// ```
/// use std::time::Duration;
/// use larder::{Invalidation, Larder, Rule, Rules};
///
/// enum RoomEvent { Renamed { room: u64 }, Scored { room: u64 } }
/// use RoomEvent::{Renamed, Scored};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let larder = Larder::new("tabletop")?;
/// let rooms = larder.cache::<u64, String>("rooms").build()?;
/// let rules = Rules::new(&larder, [
///     Rule::new("room", |event| match event {
///         Renamed { room } => Some(Invalidation::new().key("rooms", room)),
///         Scored { .. } => None,
///     }).priority(60),
///     Rule::new("leaderboard", |event| match event {
///         Scored { .. } => Some(Invalidation::new().tag("leaderboard").soft()),
///         Renamed { .. } => None,
///     }).debounced(Duration::from_millis(200), Duration::from_secs(1)),
/// ]);
///
/// let told = rules.tell(&Renamed { room: 12 }).await;
/// assert!(told.invalidated.position().is_some());
/// assert_eq!(rules.tell(&Scored { room: 12 }).await.planned, 1);
/// # Ok(()) }
/// ```
pub struct Rules<E> {
    larder: Larder,
    rules: Arc<[Rule<E>]>,
}

impl<E> Clone for Rules<E> {
    fn clone(&self) -> Self {
        Rules { larder: self.larder.clone(), rules: Arc::clone(&self.rules) }
    }
}

impl<E> fmt::Debug for Rules<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// What became of events.
#[derive(Debug, Clone)]
#[must_use = "`unmatched` says that no rule knew an event"]
#[non_exhaustive]
pub struct Told {
    /// What was invalidated at once.
    pub invalidated: Invalidated,
    /// How many invalidations wait for their time; those that became one count as often as they
    /// were asked for.
    pub planned: usize,
    /// How many would have waited but did not fit, and were sent at once: ten thousand may wait.
    pub hurried: usize,
    /// How many events met no rule.
    pub unmatched: usize,
}

impl<E> Rules<E> {
    /// These rules, on this node.
    pub fn new(larder: &Larder, rules: impl IntoIterator<Item = Rule<E>>) -> Self {
        Rules { larder: larder.clone(), rules: rules.into_iter().collect() }
    }

    /// Says that something happened, after the source has committed it.
    ///
    /// # Cancel safety
    /// As [`Larder::invalidate`].
    pub async fn tell(&self, event: &E) -> Told {
        self.tell_all([event]).await
    }

    /// Says that many things happened. What several of them name is invalidated once.
    ///
    /// # Cancel safety
    /// As [`Larder::invalidate`].
    ///
    /// # Cost
    /// One append a shard for each thousand different names.
    pub async fn tell_all<'e>(&self, events: impl IntoIterator<Item = &'e E>) -> Told
    where
        E: 'e,
    {
        let (mut at_once, mut later, mut unmatched) = (Asked::default(), Vec::new(), 0);
        for event in events {
            let mut is_met = false;
            for (rule, wrong) in self.met(event) {
                is_met = true;
                let asked = wrong.into_asked();
                match rule.when {
                    None => at_once = at_once.and(asked),
                    Some(when) => later.push(Plan { asked, priority: rule.priority, when }),
                }
            }
            unmatched += usize::from(!is_met);
        }
        let planned = later.len();
        let refused = self.larder.node().plan(later);
        let hurried = refused.len();
        let at_once = refused.into_iter().fold(at_once, Asked::and).merged();
        let invalidated = self.larder.node().invalidate(at_once).await;
        Told { invalidated, planned: planned - hurried, hurried, unmatched }
    }

    /// What an event makes wrong at once: to be written into the transaction that makes the event
    /// true. Rules that wait are left out; [`tell`](Rules::tell) plans them.
    pub fn wrong(&self, event: &E) -> Invalidation {
        let at_once = self.met(event).filter(|(rule, _)| rule.when.is_none());
        at_once.fold(Invalidation::new(), |all, (_, wrong)| all.and(wrong))
    }

    /// The rules that an event meets, with what each says is wrong.
    fn met(&self, event: &E) -> impl Iterator<Item = (&Rule<E>, Invalidation)> {
        self.rules.iter().filter_map(move |rule| {
            let wrong = rule.wrong(event)?;
            Some((rule, wrong))
        })
    }
}
