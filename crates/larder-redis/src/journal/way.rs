//! How a call reaches the server of the journals: tried for as long as it may take, on whatever
//! connection there is, once the server was seen to keep what it confirms. Knows no verb.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use redis::Value;

use super::durability::{Durability, Said};
use super::keys::hash_tag;
use super::options::JournalOptions;
use crate::answer::Answer;
use crate::fault::{Fault, FaultKind};
use crate::inspect;
use crate::options::RedisOptions;
use crate::rights::{self, Asked, MissingRight};
use crate::server::Need;
use crate::server::line::{Call, Line};
use crate::topology::{Route, Servers};

/// The verb of errors about what a server promises.
const INSPECT: &str = "durability";
/// The verb of errors about what a user may do.
const RIGHTS: &str = "rights";

/// The wait before another try: between half and all of it.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// The way to the one server that keeps the journals of a namespace.
pub(super) struct Way {
    servers: Servers,
    options: RedisOptions,
    durability: Durability,
    /// The last line whose server was looked at, and found good.
    inspected: Mutex<Weak<Line>>,
}

impl Way {
    /// Dials from now on, in the tokio runtime of the caller.
    pub(super) fn open(namespace: &str, options: &JournalOptions) -> Self {
        let tag = hash_tag(namespace).into_bytes();
        // Without ears: nobody tells a journal anything unasked.
        let servers = Servers::open(&options.redis, Arc::from([]), &[tag]);
        let JournalOptions { redis, durability, .. } = options;
        let inspected = Mutex::default();
        Way { servers, options: redis.clone(), durability: *durability, inspected }
    }

    /// Runs a script that may be run twice. What went wrong last is the answer when the time is over.
    pub(super) async fn run(&self, call: &Call) -> Result<Answer, Fault> {
        let limit = self.options.command_timeout;
        let mut last = None;
        let answered = tokio::time::timeout(limit, self.tried(call, &mut last)).await;
        let late = || Fault::timed_out(call.script.verb, limit);
        let answer = answered.unwrap_or_else(|_| Err(last.unwrap_or_else(late)))?;
        Answer::list(call.script.verb, answer)
    }

    /// What the user lacks of `asked`, once there is a connection. Whether the server keeps what it confirms is
    /// another question.
    pub(super) async fn lacking(
        &self,
        asked: &[Asked],
        namespace: &str,
    ) -> Result<Vec<MissingRight>, Fault> {
        let limit = self.options.command_timeout;
        let asking = async {
            self.servers.connected().await;
            let Route { server, line } = self.servers.route(0, Need::Essential)?;
            let address = server.health().address.map(|address| address.to_string());
            let lacking = rights::lacking(&line, asked, namespace).await?;
            let on = |rule| MissingRight { rule, server: address.clone().unwrap_or_default() };
            Ok::<_, Fault>(lacking.into_iter().map(on).collect())
        };
        let answer = tokio::time::timeout(limit, asking).await;
        answer.unwrap_or_else(|_| {
            // Where there is no connection, it knows why.
            self.servers.route(0, Need::Essential)?;
            Err(Fault::timed_out(RIGHTS, limit))
        })
    }

    async fn tried(&self, call: &Call, last: &mut Option<Fault>) -> Result<Value, Fault> {
        loop {
            let fault = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            match fault.kind {
                FaultKind::Refused | FaultKind::Full => return Err(fault),
                FaultKind::Moved if !self.servers.search_again().await => return Err(fault),
                _ => {}
            }
            *last = Some(fault);
            self.pause().await;
        }
    }

    async fn once(&self, call: &Call) -> Result<Value, Fault> {
        let Route { server, line } = self.servers.route(0, Need::Essential)?;
        // Half of the time is for a connection that is open by half.
        let limit = self.options.command_timeout / 2;
        let began = server.now();
        let answer = tokio::time::timeout(limit, self.inspected_call(&line, call)).await;
        let answer = answer.unwrap_or_else(|_| Err(Fault::timed_out(call.script.verb, limit)));
        server.record(&line, began, &answer);
        if answer.as_ref().is_err_and(|fault| fault.kind == FaultKind::TimedOut) {
            line.end();
        }
        answer
    }

    async fn inspected_call(&self, line: &Arc<Line>, call: &Call) -> Result<Value, Fault> {
        if self.inspected.lock().as_ptr() != Arc::as_ptr(line) {
            self.inspect(line).await?;
            *self.inspected.lock() = Arc::downgrade(line);
        }
        line.call(call).await
    }

    /// # Errors
    /// The server does not promise what it must, or it does not answer.
    async fn inspect(&self, line: &Line) -> Result<(), Fault> {
        let report = inspect::said(line, "default", self.options.database).await?;
        let mut settings = settings(line).await?;
        let said = Said {
            appends_to_file: report.appends_to_file,
            appendfsync: settings.remove("appendfsync"),
            skips_while_rewriting: settings
                .get("no-appendfsync-on-rewrite")
                .is_some_and(|skips| skips == "yes"),
            eviction_policy: report.eviction_policy,
        };
        let problem = self.durability.problem(&said);
        problem.map_or(Ok(()), |problem| Err(Fault::new(FaultKind::Refused, INSPECT, problem)))
    }

    async fn pause(&self) {
        let wait = TRY_AGAIN_AFTER.mul_f64(0.5 + 0.5 * self.options.random.next_unit());
        let clock = &self.options.clock;
        clock.sleep_until(clock.precise().plus(wait)).await;
    }
}

/// What the server is set to, by name. Empty: this user may not see it.
async fn settings(line: &Line) -> Result<HashMap<String, String>, Fault> {
    let mut command = redis::cmd("CONFIG");
    // One pattern: several names in one command are known to Redis 7 and later only.
    command.arg("GET").arg("*appendfsync*");
    match line.command(INSPECT, &command).await {
        Err(fault) if fault.kind == FaultKind::Refused => Ok(HashMap::new()),
        answer => redis::from_redis_value(answer?)
            .map_err(|error| Fault::new(FaultKind::Refused, INSPECT, error)),
    }
}
