//! Invalidations that wait for their time: which are due, in which order, and which of them are one.
//! Needs no runtime until something waits.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Node;
use super::marks::Target;
use super::tail;
use crate::asked::Asked;
use crate::clock::Moment;
use crate::record::Mode;
use crate::wait;

/// The most plans that wait; what is planned beyond is sent at once.
pub(crate) const PLANS_MAX: usize = 10_000;

/// So many plans that are due are sent as one.
const BATCH: usize = 100;

/// When something is to be invalidated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// So long after it was planned.
    After(Duration),
    /// Once nobody has planned the same for `quiet`, but not later than `at_most` after the first.
    Quiet { quiet: Duration, at_most: Duration },
}

/// Something to invalidate later.
pub(crate) struct Plan {
    pub(crate) asked: Asked,
    /// Of those that are due together, the higher goes first.
    pub(crate) priority: u32,
    pub(crate) when: When,
}

/// What makes two debounced plans one.
type Same = Vec<(Target, Mode)>;

/// A plan's place: when it is due, and which one of that moment.
type Place = (Moment, u64);

/// The plans of a node.
#[derive(Default)]
pub(crate) struct Agenda {
    plans: Mutex<Plans>,
    earlier: Arc<Notify>,
}

#[derive(Default)]
struct Plans {
    waiting: BTreeMap<Place, Waiting>,
    debounced: HashMap<Same, Debounced>,
    count: u64,
    kept: bool,
    /// Nobody waits any more: what is planned is sent at once.
    closed: bool,
}

struct Waiting {
    asked: Asked,
    priority: u32,
    debounced: bool,
}

struct Debounced {
    place: Place,
    latest: Moment,
}

impl Plans {
    /// Notes a plan, or gives it back when there is no room.
    fn note(&mut self, plan: Plan, now: Moment) -> Result<(), Asked> {
        let Plan { asked, priority, when } = plan;
        if self.closed {
            return Err(asked);
        }
        self.count += 1;
        let debounced = matches!(when, When::Quiet { .. });
        let due = match when {
            When::After(delay) => now.plus(delay),
            When::Quiet { quiet, at_most } => {
                let postponed = self.debounced.remove(&asked.records);
                let first = postponed.as_ref().map(|known| known.latest);
                if let Some(known) = postponed {
                    self.waiting.remove(&known.place);
                }
                // Of two rules that name the same, the more impatient one counts.
                let own = now.plus(at_most);
                let latest = first.map_or(own, |first| first.min(own));
                let due = now.plus(quiet).min(latest);
                if self.waiting.len() < PLANS_MAX {
                    let known = Debounced { place: (due, self.count), latest };
                    self.debounced.insert(asked.records.clone(), known);
                }
                due
            }
        };
        if self.waiting.len() >= PLANS_MAX {
            return Err(asked);
        }
        self.waiting.insert((due, self.count), Waiting { asked, priority, debounced });
        Ok(())
    }

    /// Takes what is due, the highest priority first.
    fn due(&mut self, now: Moment) -> Vec<Waiting> {
        let later = self.waiting.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut self.waiting, later);
        let mut due: Vec<Waiting> = due.into_values().collect();
        for waiting in due.iter().filter(|waiting| waiting.debounced) {
            self.debounced.remove(&waiting.asked.records);
        }
        due.sort_by_key(|waiting| std::cmp::Reverse(waiting.priority));
        due
    }
}

impl Node {
    /// Plans these. Gives back what did not fit, to be sent at once.
    pub(crate) fn plan(self: &Arc<Self>, plans: Vec<Plan>) -> Vec<Asked> {
        let now = self.now();
        let (refused, starts) = {
            let mut kept = self.agenda.plans.lock();
            let refused: Vec<Asked> =
                plans.into_iter().filter_map(|plan| kept.note(plan, now).err()).collect();
            let starts = !kept.kept && !kept.waiting.is_empty();
            kept.kept |= starts;
            (refused, starts)
        };
        match starts {
            true => self.tasks.spawn(Box::pin(keep(Arc::downgrade(self)))),
            false => self.agenda.earlier.notify_one(),
        }
        refused
    }

    /// How many plans wait.
    pub(crate) fn planned(&self) -> usize {
        self.agenda.plans.lock().waiting.len()
    }

    /// Sends every plan, whenever it is due. What is planned from now on does not wait.
    pub(crate) async fn hurry_plans(self: &Arc<Self>) {
        let due = {
            let mut plans = self.agenda.plans.lock();
            plans.closed = true;
            plans.due(Moment::NEVER)
        };
        self.send_plans(due).await;
    }

    async fn send_plans(self: &Arc<Self>, due: Vec<Waiting>) {
        let mut due = due.into_iter().peekable();
        while due.peek().is_some() {
            let batch = due.by_ref().take(BATCH).map(|waiting| waiting.asked);
            drop(self.invalidate(batch.fold(Asked::default(), Asked::and).merged()).await);
        }
    }

    /// When the next plan is due. `None`: there is none, and nobody keeps the agenda any more.
    fn next_due(&self) -> Option<Moment> {
        let mut plans = self.agenda.plans.lock();
        let next = plans.waiting.keys().next().map(|(due, _)| *due);
        plans.kept = next.is_some();
        next
    }
}

/// Sends plans as they fall due, until none is left or the node is gone.
async fn keep(node: Weak<Node>) {
    while let Some(waiting) = next(&node) {
        waiting.await;
        let Some(node) = tail::open(&node) else { return };
        let due = node.agenda.plans.lock().due(node.now());
        node.send_plans(due).await;
    }
}

/// Waits until the next plan may be due, or an earlier one came, or the node closes; does not keep
/// the node alive. `None`: nothing waits any more.
fn next(node: &Weak<Node>) -> Option<impl Future<Output = ()> + use<>> {
    let node = tail::open(node)?;
    let timer = node.clock.sleep_until(node.next_due()?);
    let (earlier, closing) = (Arc::clone(&node.agenda.earlier), Arc::clone(&node.closing));
    Some(async move {
        let changed = wait::until(earlier.notified(), timer);
        wait::until(changed, closing.wait()).await;
    })
}
