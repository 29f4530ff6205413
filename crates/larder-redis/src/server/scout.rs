//! Asks one of several servers where others are. Who answered last is asked first.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::sync::Mutex;

use super::dial::Dial;
use crate::address::{Address, Credentials, Tls};
use crate::fault::{Fault, FaultKind};
use crate::options::RedisOptions;

/// Knows whom to ask. Keeps one connection, to who answered last.
pub(crate) struct Scout {
    seeds: Vec<Address>,
    tls: Option<Tls>,
    credentials: Credentials,
    /// How long one of them may take, with its connection.
    timeout: Duration,
    keepalive: Duration,
    answered: Mutex<Option<Answered>>,
}

struct Answered {
    address: Address,
    connection: MultiplexedConnection,
}

impl Scout {
    /// Asks these as who the credentials say; all else is as for the servers of the options.
    pub(crate) fn new(seeds: Vec<Address>, credentials: Credentials, options: &RedisOptions) -> Self {
        let (timeout, keepalive) = (options.connect_timeout, options.keepalive);
        let tls = options.tls.clone();
        Scout { seeds, tls, credentials, timeout, keepalive, answered: Mutex::default() }
    }

    /// The first answer that `reads` can read, of the one that answered last, the seeds, then
    /// `others`. The fault of the last one asked, if there is none.
    pub(crate) async fn ask<T>(
        &self,
        verb: &'static str,
        command: &Cmd,
        others: &[Address],
        reads: impl Fn(Value, &Address) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut answered = self.answered.lock().await;
        if let Some(Answered { address, connection }) = answered.take() {
            let answer = self.exchange(verb, command, connection.clone()).await;
            if let Ok(answer) = answer.and_then(|answer| reads(answer, &address)) {
                *answered = Some(Answered { address, connection });
                return Ok(answer);
            }
        }
        let mut last = Fault::new(FaultKind::Lost, verb, "there is nobody to ask");
        for address in self.seeds.iter().chain(others) {
            let asked = async {
                let connection = self.connect(verb, address).await?;
                let answer = self.exchange(verb, command, connection.clone()).await?;
                Ok((connection, reads(answer, address)?))
            };
            match asked.await {
                Ok((connection, answer)) => {
                    *answered = Some(Answered { address: address.clone(), connection });
                    return Ok(answer);
                }
                Err(fault) => last = fault,
            }
        }
        Err(last)
    }

    async fn connect(
        &self,
        verb: &'static str,
        address: &Address,
    ) -> Result<MultiplexedConnection, Fault> {
        let (tls, credentials) = (self.tls.as_ref(), &self.credentials);
        let dial = Dial { address, tls, credentials, database: 0, keepalive: self.keepalive };
        let connected = tokio::time::timeout(self.timeout, dial.connection()).await;
        let connected = connected.map_err(|_| self.late(verb, address))?;
        connected.map_err(|error| Fault::new(FaultKind::Lost, verb, format!("{address}: {error}")))
    }

    async fn exchange(
        &self,
        verb: &'static str,
        command: &Cmd,
        mut connection: MultiplexedConnection,
    ) -> Result<Value, Fault> {
        let answer = connection.send_packed_command(command);
        let answer = tokio::time::timeout(self.timeout, answer).await;
        let within = format!("no answer within {:?}", self.timeout);
        let answer = answer.map_err(|_| Fault::new(FaultKind::TimedOut, verb, within))?;
        answer.and_then(Value::extract_error).map_err(|error| Fault::of(verb, &error))
    }

    fn late(&self, verb: &'static str, address: &Address) -> Fault {
        let reason = format!("{address}: no connection within {:?}", self.timeout);
        Fault::new(FaultKind::TimedOut, verb, reason)
    }
}
