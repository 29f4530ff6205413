//! How a call reaches the server of its shard: in time, counted by the breaker once, and tried again where that
//! changes nothing. Knows no verb.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use larder::clock::Moment;

use super::RedisShard;
use crate::fault::{Fault, FaultKind};
use crate::server::Need;
use crate::server::line::Line;
use crate::topology::Route;

/// How often a call is tried whose repetition changes nothing.
const TRIES: u32 = 3;
/// The wait before a server is asked again that is busy: between half and all of it.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Whether a call may be tried again within its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Doing it twice is doing it once.
    Idempotent,
    /// The second answer would not be the first one's.
    Once,
}

/// The way of one call: it is counted once, however it ends.
pub(super) struct Way<'a> {
    shard: &'a RedisShard,
    need: Need,
    repeat: Repeat,
    name: &'static str,
    route: Route,
    /// When the last try began.
    began: Moment,
    open: bool,
}

impl RedisShard {
    /// Runs `verb` on the current line, in time, counted by the breaker once.
    pub(super) async fn within<T, V>(
        &self,
        need: Need,
        repeat: Repeat,
        name: &'static str,
        verb: impl Fn(Arc<Line>) -> V,
    ) -> Result<T, Fault>
    where
        V: Future<Output = Result<T, Fault>>,
    {
        let mut way = self.way(need, repeat, name)?;
        let limit = self.options.command_timeout;
        // Pinned here: moved into the timeout, it would take its room twice.
        let first = tokio::time::timeout(limit, pin!(verb(way.line()))).await;
        let first = first.unwrap_or_else(|_| Err(Fault::timed_out(name, limit)));
        way.ended(first, verb).await
    }

    /// The way of a call that begins now, if one may go.
    pub(super) fn way(
        &self,
        need: Need,
        repeat: Repeat,
        name: &'static str,
    ) -> Result<Way<'_>, Fault> {
        let route = self.servers.route(self.index, need)?;
        let began = self.options.clock.precise();
        Ok(Way { shard: self, need, repeat, name, route, began, open: true })
    }
}

impl Way<'_> {
    /// Where the first try goes.
    pub(super) fn line(&self) -> Arc<Line> {
        Arc::clone(&self.route.line)
    }

    /// What the call comes to whose first try ended so.
    pub(super) async fn ended<T, V>(
        &mut self,
        first: Result<T, Fault>,
        verb: impl Fn(Arc<Line>) -> V,
    ) -> Result<T, Fault>
    where
        V: Future<Output = Result<T, Fault>>,
    {
        let answer = match first {
            // Boxed: it is rare, and every call has room for it otherwise.
            Err(fault) if self.may_repeat(&fault) => Box::pin(self.tried_again(fault, verb)).await,
            answer => answer,
        };
        self.open = false;
        self.count(&answer);
        answer
    }

    /// The other tries, in what is left of the time.
    async fn tried_again<T, V>(
        &mut self,
        first: Fault,
        verb: impl Fn(Arc<Line>) -> V,
    ) -> Result<T, Fault>
    where
        V: Future<Output = Result<T, Fault>>,
    {
        let limit = self.shard.options.command_timeout;
        let left = limit.saturating_sub(self.now().since(self.began));
        let mut last = first;
        let trying = async {
            for _ in 1..TRIES {
                if !self.may_repeat(&last) || !self.waited_after(&last).await {
                    return None;
                }
                // Where no call may go now, what the server said stays the answer.
                self.route = self.shard.servers.route(self.shard.index, self.need).ok()?;
                self.began = self.now();
                // Until it answers.
                last = Fault::timed_out(self.name, limit);
                match verb(self.line()).await {
                    Ok(answer) => return Some(answer),
                    Err(fault) => last = fault,
                }
            }
            None
        };
        let answer = tokio::time::timeout(left, trying).await;
        answer.ok().flatten().ok_or(last)
    }

    fn may_repeat(&self, fault: &Fault) -> bool {
        // Of what was moved nothing was done, so that another try is no second time.
        fault.kind == FaultKind::Moved || (self.repeat == Repeat::Idempotent && fault.is_transient())
    }

    /// Waits until another try may end better. `false`: none will.
    async fn waited_after(&self, fault: &Fault) -> bool {
        let RedisShard { servers, options, .. } = self.shard;
        match fault.kind {
            FaultKind::Moved => servers.search_again().await,
            FaultKind::Lost => self.has_next_line().await,
            _ => {
                let wait = TRY_AGAIN_AFTER.mul_f64(0.5 + 0.5 * options.random.next_unit());
                options.clock.sleep_until(self.now().plus(wait)).await;
                true
            }
        }
    }

    /// Waits for the next line. Its server dials at once after a line that was well, and later the less
    /// well it is: a reader waits for that first time only, because it can go on without.
    async fn has_next_line(&self) -> bool {
        let Route { server, line } = &self.route;
        line.end();
        let next = server.line_after(line);
        match self.need {
            Need::Essential => {
                next.await;
                true
            }
            Need::Optional => {
                let patience = self.shard.options.backoff_step / 2;
                tokio::time::timeout(patience, next).await.is_ok()
            }
        }
    }

    fn now(&self) -> Moment {
        self.shard.options.clock.precise()
    }

    fn count<T>(&self, answer: &Result<T, Fault>) {
        self.route.server.record(&self.route.line, self.began, answer);
    }
}

impl Drop for Way<'_> {
    /// Who asked went away. If that was for lack of patience, the server is slow.
    fn drop(&mut self) {
        if self.open && self.now().since(self.began) > self.shard.options.breaker.slow_call {
            let gone = Fault::new(FaultKind::TimedOut, "call", "its caller gave up");
            self.count::<()>(&Err(gone));
        }
    }
}
