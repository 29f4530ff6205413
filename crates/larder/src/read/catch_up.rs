//! What a read may stand on: memory and shared tier, or the source only.

use super::Consistency;
use crate::node::tailing::Tailed;
use crate::node::view::View;
use crate::node::{CATCH_UP_TRIES, Node};
use crate::position::Mark;
use crate::wait;

/// What a read may stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Footing {
    /// Memory and the shared tier.
    Whole,
    /// The log cannot be confirmed, but the namespace prefers stale answers: memory, told stale.
    Partitioned,
    /// The log cannot be confirmed: the source, and what this process loaded itself just now.
    Bypass,
    /// The source only; nothing is shared, nothing is kept.
    Alone,
}

/// Finds the footing of one read, and remembers that it has caught up.
#[derive(Debug, Default)]
pub(crate) struct CatchUp {
    caught: bool,
    /// An answer came from another epoch than the view's.
    forced: bool,
}

impl CatchUp {
    /// The log is to be caught up with again: an answer came from another epoch.
    pub(crate) fn again(&mut self) {
        self.caught = false;
        self.forced = true;
    }
}

impl Node {
    pub(crate) async fn footing(
        &self,
        view: &View,
        consistency: &Consistency,
        catch_up: &mut CatchUp,
    ) -> Footing {
        if self.embedded().is_some() {
            return Footing::Whole;
        }
        // Forced: asked again at once, the shard would only give the same other epoch.
        if matches!(consistency, Consistency::Eventual) && !catch_up.forced {
            return Footing::Whole;
        }
        let behind = match consistency {
            Consistency::Eventual | Consistency::Bounded => false,
            Consistency::AtLeast(position) => {
                !catch_up.caught && self.is_behind(view, position.mark(view.index))
            }
            Consistency::Latest => !catch_up.caught,
        };
        if !behind && !catch_up.forced && !view.is_suspect(self.clock.coarse()) {
            return Footing::Whole;
        }
        catch_up.forced = false;
        let footing = self.catch_up(view, consistency).await;
        catch_up.caught = footing == Footing::Whole;
        footing
    }

    fn is_behind(&self, view: &View, mark: Option<Mark>) -> bool {
        let place = view.place();
        match mark {
            None => false,
            Some(Mark::Head) => true,
            Some(Mark::At(epoch, sequence)) => place.epoch != Some(epoch) || sequence > place.applied,
        }
    }

    /// Tails until the head of the first answer is applied.
    async fn catch_up(&self, view: &View, consistency: &Consistency) -> Footing {
        let mut goal = None;
        for _ in 0..CATCH_UP_TRIES {
            let asked = view.tailing.request();
            // A closed node has no task that tails: who waited for one would wait for ever.
            let tailed = wait::until(view.tailing.ended(asked), self.closing.wait()).await;
            let Some(Tailed::Answered { epoch, head }) = tailed else {
                return self.unconfirmed(consistency);
            };
            let (epoch, head) = *goal.get_or_insert((epoch, head));
            let place = view.place();
            let arrived = place.epoch == Some(epoch) && place.applied >= head;
            if arrived && !view.is_suspect(self.clock.coarse()) {
                return Footing::Whole;
            }
            if place.epoch != Some(epoch) {
                goal = None;
            }
        }
        Footing::Alone
    }

    fn unconfirmed(&self, consistency: &Consistency) -> Footing {
        match consistency {
            Consistency::Eventual | Consistency::Bounded
                if self.limits.serve_stale_when_partitioned =>
            {
                Footing::Partitioned
            }
            Consistency::Eventual | Consistency::Bounded => Footing::Bypass,
            Consistency::AtLeast(_) | Consistency::Latest => Footing::Alone,
        }
    }
}
