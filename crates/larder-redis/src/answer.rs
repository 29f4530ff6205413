//! What scripts answer, taken apart. What does not fit is a fault, never a panic.

use larder::shard::parameters::Parameters;
use larder::shard::{Epoch, ServerTime};
use redis::Value;

use crate::fault::{Fault, FaultKind};
use crate::wire::parameters;

/// The answer of one verb.
pub(crate) struct Answer {
    verb: &'static str,
    values: std::vec::IntoIter<Value>,
}

impl Answer {
    pub(crate) fn list(verb: &'static str, value: Value) -> Result<Self, Fault> {
        match value {
            Value::Array(values) => Ok(Answer { verb, values: values.into_iter() }),
            Value::ServerError(error) => Err(Fault::of(verb, &error.into())),
            other => Err(Fault::unexpected(verb, &other)),
        }
    }

    fn next(&mut self) -> Value {
        self.values.next().unwrap_or(Value::Nil)
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, Fault> {
        match self.next() {
            Value::BulkString(bytes) => Ok(bytes),
            other => Err(Fault::unexpected(self.verb, &other)),
        }
    }

    pub(crate) fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        match self.next() {
            Value::BulkString(bytes) => Ok(Some(bytes)),
            Value::Nil => Ok(None),
            other => Err(Fault::unexpected(self.verb, &other)),
        }
    }

    pub(crate) fn number(&mut self) -> Result<u64, Fault> {
        let value = self.next();
        number(&value).ok_or_else(|| Fault::unexpected(self.verb, &value))
    }

    pub(crate) fn optional_number(&mut self) -> Result<Option<u64>, Fault> {
        match self.next() {
            Value::Nil => Ok(None),
            value => number(&value).map(Some).ok_or_else(|| Fault::unexpected(self.verb, &value)),
        }
    }

    pub(crate) fn epoch(&mut self) -> Result<Epoch, Fault> {
        let bytes = self.bytes()?;
        epoch(&bytes).ok_or_else(|| Fault::unexpected(self.verb, &Value::BulkString(bytes)))
    }

    pub(crate) fn parameters(&mut self) -> Result<Parameters, Fault> {
        let bytes = self.bytes()?;
        match parameters::decode(&bytes) {
            Some(Ok(parameters)) => Ok(parameters),
            Some(Err(error)) => Err(Fault::new(FaultKind::Refused, self.verb, error)),
            None => Err(Fault::unexpected(self.verb, &Value::BulkString(bytes))),
        }
    }

    /// Seconds and microseconds, as TIME gives them.
    pub(crate) fn time(&mut self) -> Result<ServerTime, Fault> {
        let (seconds, micros) = (self.number()?, self.number()?);
        Ok(ServerTime(seconds.saturating_mul(1_000).saturating_add(micros / 1_000)))
    }

    pub(crate) fn nested(&mut self) -> Result<Vec<Value>, Fault> {
        match self.next() {
            Value::Array(values) => Ok(values),
            other => Err(Fault::unexpected(self.verb, &other)),
        }
    }
}

/// A number, as an integer or in decimal digits.
pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::BulkString(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        Value::SimpleString(digits) => digits.parse().ok(),
        _ => None,
    }
}

pub(crate) fn epoch(bytes: &[u8]) -> Option<Epoch> {
    bytes.try_into().ok().map(|bytes| Epoch(u128::from_le_bytes(bytes)))
}
