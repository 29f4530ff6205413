//! How long a caller waits for a load: until the soft timeout while it has something to fall back
//! on, else until the hard timeout. The hard timeout counts from the moment the source is asked:
//! what the cache itself needs before is bounded by limits of its own, and never fails a read.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::lead::Landing;
use crate::clock::{BoxFuture, Moment, NodeClock};
use crate::flight::Flight;

/// Which timeout has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    Soft,
    Hard(Duration),
}

/// Completes when a caller need not wait any longer.
pub(super) struct Patience<V> {
    clock: NodeClock,
    soft: Option<BoxFuture<'static, ()>>,
    hard: Option<Duration>,
    flight: Arc<Flight<Landing<V>>>,
    /// The hard timeout of a load that began at this moment.
    timer: Option<(Moment, BoxFuture<'static, ()>)>,
}

impl<V> Patience<V> {
    pub(super) fn new(
        clock: &NodeClock,
        soft_deadline: Option<Moment>,
        hard: Option<Duration>,
        flight: Arc<Flight<Landing<V>>>,
    ) -> Self {
        let soft = soft_deadline.map(|deadline| clock.sleep_until(deadline));
        Patience { clock: clock.clone(), soft, hard, flight, timer: None }
    }

    /// Polls the hard timeout of the load that runs now; another leader begins another.
    fn poll_hard(&mut self, context: &mut Context<'_>) -> Poll<Passed> {
        let (Some(hard), Some(began)) = (self.hard, self.flight.loading_since()) else {
            return Poll::Pending;
        };
        let fresh = || (began, self.clock.sleep_until(began.plus(hard)));
        let (_, timer) = match &mut self.timer {
            Some(timer) if timer.0 == began => timer,
            other => other.insert(fresh()),
        };
        timer.as_mut().poll(context).map(|()| Passed::Hard(hard))
    }
}

impl<V> Future for Patience<V> {
    type Output = Passed;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Passed> {
        if let Some(soft) = &mut self.soft
            && soft.as_mut().poll(context).is_ready()
        {
            self.soft = None;
            return Poll::Ready(Passed::Soft);
        }
        self.poll_hard(context)
    }
}
