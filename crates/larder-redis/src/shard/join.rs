//! What comes before a shard's first command on a connection: hearing its channel, comparing the
//! run id, agreeing on parameters.

use std::sync::{Arc, Weak};

use larder::shard::ServerTime;
use larder::shard::parameters::Parameters;
use larder::shard::state::ConnectReply;
use parking_lot::Mutex;
use redis::Value;

use super::RedisShard;
use crate::answer::Answer;
use crate::fault::{Fault, FaultKind};
use crate::rights::NEEDS_INFO;
use crate::scripts::CONNECT;
use crate::server::line::Line;

/// The last line that the shard joined, and what came of it.
#[derive(Default)]
pub(super) struct Join {
    joined: Mutex<Option<Joined>>,
    joining: tokio::sync::Mutex<()>,
}

struct Joined {
    line: Weak<Line>,
    reply: ConnectReply,
}

impl Join {
    fn of(&self, line: &Arc<Line>) -> Option<ConnectReply> {
        let joined = self.joined.lock();
        let joined = joined.as_ref().filter(|joined| joined.line.as_ptr() == Arc::as_ptr(line))?;
        Some(joined.reply)
    }

    /// This is not so any more: the next verb joins again, unless another did meanwhile.
    pub(super) fn forget(&self, reply: ConnectReply) {
        self.forget_if(|known| known == reply);
    }

    /// The shard has these parameters, and its caller has `ours`.
    pub(super) fn learn(&self, theirs: Parameters, ours: Parameters) {
        self.forget_if(|known| match known {
            ConnectReply::Joined { .. } => theirs != ours,
            ConnectReply::Outranked { parameters } => theirs != parameters,
        });
    }

    fn forget_if(&self, is_over: impl FnOnce(ConnectReply) -> bool) {
        let mut joined = self.joined.lock();
        if joined.as_ref().is_some_and(|joined| is_over(joined.reply)) {
            *joined = None;
        }
    }
}

impl RedisShard {
    /// Joins the shard on this line, unless that was done before.
    pub(super) async fn join(&self, line: &Arc<Line>) -> Result<ConnectReply, Fault> {
        match self.join.of(line) {
            Some(reply) => Ok(reply),
            // Boxed: it is rare, and every call has room for it otherwise.
            None => Box::pin(self.join_in_time(line)).await,
        }
    }

    async fn join_in_time(&self, line: &Arc<Line>) -> Result<ConnectReply, Fault> {
        let limit = self.options.command_timeout;
        let joined = tokio::time::timeout(limit, self.join_now(line)).await;
        joined.unwrap_or_else(|_| Err(Fault::timed_out(CONNECT.verb, limit)))
    }

    async fn join_now(&self, line: &Arc<Line>) -> Result<ConnectReply, Fault> {
        let _one_at_a_time = self.join.joining.lock().await;
        if let Some(reply) = self.join.of(line) {
            return Ok(reply);
        }
        // Heard before the first lease is asked for, so that no wake-up can be missed.
        line.listen(&self.names.channel).await?;
        let asked = self.options.clock.precise();
        let answer = line.call(&self.call(&CONNECT, Vec::new(), Vec::new())).await;
        let answer = answer.map_err(|fault| fault.advised(NEEDS_INFO))?;
        let (reply, time) = self.connect_reply(answer)?;
        self.time.learn(time, asked);
        *self.join.joined.lock() = Some(Joined { line: Arc::downgrade(line), reply });
        Ok(reply)
    }

    /// As [`join`](Self::join), for verbs that need equal parameters.
    pub(super) async fn join_as_member(&self, line: &Arc<Line>) -> Result<ConnectReply, Fault> {
        match self.join(line).await? {
            joined @ ConnectReply::Joined { .. } => Ok(joined),
            ConnectReply::Outranked { parameters } => {
                let reason = format!("the namespace is used with higher parameters: {parameters:?}");
                Err(Fault::new(FaultKind::Refused, CONNECT.verb, reason))
            }
        }
    }

    fn connect_reply(&self, answer: Value) -> Result<(ConnectReply, ServerTime), Fault> {
        let mut answer = Answer::list(CONNECT.verb, answer)?;
        let (epoch, server_time) = (answer.epoch()?, answer.time()?);
        let parameters = answer.parameters()?;
        let reply = if parameters == self.options.parameters {
            ConnectReply::Joined { epoch, server_time }
        } else {
            ConnectReply::Outranked { parameters }
        };
        Ok((reply, server_time))
    }
}
