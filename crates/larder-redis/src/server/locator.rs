//! Decides which server is dialled next: always the same one, or the master that Sentinel names.

use std::time::Duration;

use redis::Value;

use super::scout::Scout;
use crate::address::Address;
use crate::fault::{Fault, FaultKind};
use crate::options::RedisOptions;

const VERB: &str = "sentinel";

/// How often Sentinel is asked whether the master is still the same. A master that was replaced
/// while it cannot be reached by others still answers this process.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// Where a server is found.
pub(crate) enum Locator {
    /// There.
    Fixed(Address),
    /// Where Sentinel says that the master of this name is.
    Master { sentinels: Box<Scout>, name: String },
}

impl Locator {
    pub(crate) async fn locate(&self) -> Result<Address, Fault> {
        match self {
            Locator::Fixed(address) => Ok(address.clone()),
            Locator::Master { sentinels, name } => {
                let mut command = redis::cmd("SENTINEL");
                command.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
                sentinels.ask(VERB, &command, &[], |answer, _| address_of(name, answer)).await
            }
        }
    }

    /// Completes once the server is to be found elsewhere.
    pub(crate) async fn moved(&self, from: &Address, options: &RedisOptions) {
        if let Locator::Fixed(_) = self {
            return std::future::pending().await;
        }
        let clock = &options.clock;
        loop {
            clock.sleep_until(clock.precise().plus(ASKED_EVERY)).await;
            // Without an answer nothing is known to have changed.
            if self.locate().await.is_ok_and(|address| address != *from) {
                return;
            }
        }
    }
}

fn address_of(name: &str, answer: Value) -> Result<Address, Fault> {
    let unknown = || {
        let reason = format!("the sentinels know no master `{name}`");
        Fault::new(FaultKind::Refused, VERB, reason)
    };
    let Value::Array(parts) = answer else { return Err(unknown()) };
    let [Value::BulkString(host), Value::BulkString(port)] = parts.as_slice() else {
        return Err(unknown());
    };
    let port = std::str::from_utf8(port).ok().and_then(|port| port.parse().ok());
    let port = port.ok_or_else(unknown)?;
    Ok(Address::Tcp(String::from_utf8_lossy(host).into_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn sentinel_names_host_and_port() {
        let answer = Value::Array(vec![text("10.0.0.7"), text("6390")]);
        let address = address_of("shop", answer).expect("an address");
        assert_eq!(address, Address::Tcp("10.0.0.7".into(), 6390));
    }

    #[test]
    fn a_master_that_nobody_knows_is_named() {
        for answer in
            [Value::Nil, Value::Array(vec![text("host")]), Value::Array(vec![text("a"), text("b")])]
        {
            let fault = address_of("shop", answer).expect_err("no address");
            assert!(fault.to_string().contains("`shop`"), "{fault}");
        }
    }
}
