//! A pair of connections to one server: one for commands, and one that listens where there is something to
//! hear. Neither reconnects by itself; when one ends, the line ends, and its server dials a new one.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, PushKind, RedisResult, Value};
use tokio_util::sync::CancellationToken;

use super::batch::Reads;
use super::dial::config;
use super::ears::{Ear, pass_on};
use crate::address::Address;
use crate::fault::{Fault, FaultKind};
use crate::options::RedisOptions;
use crate::scripts::Script;

/// The verb of a line that has gone silent.
const KEEPALIVE: &str = "keepalive";

/// A live pair of connections.
#[derive(Debug)]
pub(crate) struct Line {
    commands: MultiplexedConnection,
    reads: Reads,
    /// `None`: nobody is told anything unasked.
    ears: Option<MultiplexedConnection>,
    ended: CancellationToken,
}

/// One call of a script.
pub(crate) struct Call {
    pub(crate) script: &'static Script,
    pub(crate) keys: Vec<Vec<u8>>,
    pub(crate) arguments: Vec<Vec<u8>>,
}

impl Line {
    /// Connects twice, or once without ears. Dropping the future abandons both.
    pub(crate) async fn dial(
        address: &Address,
        options: &RedisOptions,
        ears: Arc<[Arc<Ear>]>,
    ) -> Result<Self, Fault> {
        let dialled = Line::connect(address, options, ears);
        match tokio::time::timeout(options.connect_timeout, dialled).await {
            Ok(line) => line.map_err(|error| Fault::of("connect", &error)),
            Err(_) => {
                let within = format!("no connection within {:?}", options.connect_timeout);
                Err(Fault::new(FaultKind::TimedOut, "connect", within))
            }
        }
    }

    async fn connect(
        address: &Address,
        options: &RedisOptions,
        ears: Arc<[Arc<Ear>]>,
    ) -> RedisResult<Self> {
        let client = options.dial(address).client()?;
        let ended = CancellationToken::new();
        let (hears, listens) = (ended.clone(), !ears.is_empty());
        let listening = config().set_push_sender(move |push: redis::PushInfo| {
            match push.kind {
                PushKind::Disconnection => hears.cancel(),
                _ => pass_on(&ears, &push),
            }
            Ok::<(), std::convert::Infallible>(())
        });
        let ends = ended.clone();
        let working = config().set_push_sender(move |push: redis::PushInfo| {
            if push.kind == PushKind::Disconnection {
                ends.cancel();
            }
            Ok::<(), std::convert::Infallible>(())
        });
        let commands = client.get_multiplexed_async_connection_with_config(&working).await?;
        let ears = match listens {
            true => Some(client.get_multiplexed_async_connection_with_config(&listening).await?),
            false => None,
        };
        Ok(Line { reads: Reads::on(commands.clone(), options), commands, ears, ended })
    }

    /// From now on hears this channel. Completes once the server has confirmed it.
    pub(crate) async fn listen(&self, channel: &[u8]) -> Result<(), Fault> {
        let Some(mut ears) = self.ears.clone() else {
            return Err(Fault::new(FaultKind::Refused, "subscribe", "this line has no ears"));
        };
        let subscribed = ears.subscribe(channel).await;
        subscribed.map_err(|error| Fault::of("subscribe", &error))
    }

    /// Runs a script, by its digest where the server knows it.
    pub(crate) async fn call(&self, call: &Call) -> Result<Value, Fault> {
        let Call { script, .. } = call;
        let by_digest = self.send(&command("EVALSHA", &script.digest, call)).await;
        let answer = match by_digest {
            Err(error)
                if error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::NoScript) =>
            {
                self.send(&command("EVAL", &script.text, call)).await
            }
            answer => answer,
        };
        answer.map_err(|error| Fault::of(script.verb, &error))
    }

    /// Sends one command.
    pub(crate) async fn command(&self, verb: &'static str, command: &Cmd) -> Result<Value, Fault> {
        self.send(command).await.map_err(|error| Fault::of(verb, &error))
    }

    async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let mut connection = self.commands.clone();
        connection.send_packed_command(command).await?.extract_error()
    }

    /// Where reads are put together before they are sent.
    pub(crate) fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Completes once the server does not answer any more on the connection that listens, or on the only one there
    /// is. One that is open by half says nothing, and nobody misses what it does not say.
    pub(crate) async fn silent(&self, options: &RedisOptions) -> Fault {
        let RedisOptions { clock, keepalive, command_timeout: limit, .. } = options;
        let mut connection = self.ears.as_ref().unwrap_or(&self.commands).clone();
        let ping = redis::cmd("PING");
        loop {
            clock.sleep_until(clock.precise().plus(*keepalive)).await;
            // Any answer will do, also that this user may not ask.
            match tokio::time::timeout(*limit, connection.send_packed_command(&ping)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Fault::of(KEEPALIVE, &error),
                Err(_) => return Fault::timed_out(KEEPALIVE, *limit),
            }
        }
    }

    /// Ends the line: whoever uses it fails, and its server dials another.
    pub(crate) fn end(&self) {
        self.ended.cancel();
    }

    /// Completes when one of the connections has ended, or [`end`](Self::end) was called.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

fn command(name: &str, script: &str, call: &Call) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(call.keys.len());
    for argument in call.keys.iter().chain(&call.arguments) {
        command.arg(argument.as_slice());
    }
    command
}
