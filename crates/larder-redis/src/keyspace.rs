//! Walks over the keys of a server a few at a time, so that what others ask meanwhile waits for those
//! few. Knows how far to go and when to rest, not what the keys are for.

use std::time::Duration;

use larder::clock::{Clock, Moment};
use redis::{Cmd, Value};

use crate::answer::Answer;
use crate::fault::Fault;
use crate::names::Keyspace;
use crate::server::{Need, Server};

const VERB: &str = "scan";

/// How many keys one step of a count looks at: some ten microseconds of the server.
const STEP: usize = 25;

/// The rest between two steps: a count takes less than a hundredth of the server's time, so that the p99 of others
/// is what it was.
const REST: Duration = Duration::from_millis(1);

/// How many keys a namespace has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyCount {
    /// All of them: values, leases, logs and what belongs to them, journals; also those that other
    /// parameters have left behind.
    pub keys: u64,
    /// Those of them that are values.
    pub values: u64,
    /// Whether every key was looked at. `false`: there are at least so many.
    pub is_whole: bool,
}

impl KeyCount {
    /// What servers have together that were counted one by one.
    pub(crate) fn sum(counts: impl IntoIterator<Item = KeyCount>) -> Self {
        let none = KeyCount { is_whole: true, ..KeyCount::default() };
        counts.into_iter().fold(none, |sum, one| KeyCount {
            keys: sum.keys + one.keys,
            values: sum.values + one.values,
            is_whole: sum.is_whole && one.is_whole,
        })
    }
}

/// What asks for the names that follow `cursor` and match `glob`.
pub(crate) fn scan(cursor: &[u8], glob: &[u8], keys: usize) -> Cmd {
    let mut command = redis::cmd("SCAN");
    let cursor = if cursor.is_empty() { b"0" } else { cursor };
    command.arg(cursor).arg("MATCH").arg(glob).arg("COUNT").arg(keys.max(1));
    command
}

/// What one step has found: where to go on, if that was not all, and names.
pub(crate) type Found = (Option<Vec<u8>>, Vec<Vec<u8>>);

pub(crate) fn scanned(answer: Value) -> Result<Found, Fault> {
    let mut answer = Answer::list(VERB, answer)?;
    let cursor = Some(answer.bytes()?).filter(|cursor| cursor != b"0");
    let names = answer.nested()?.into_iter().filter_map(|name| match name {
        Value::BulkString(name) => Some(name),
        _ => None,
    });
    Ok((cursor, names.collect()))
}

/// Counts the keys of a namespace on one server, until `end` at the latest. Each answer may take `limit`.
pub(crate) async fn count(
    server: &Server,
    keyspace: &Keyspace,
    clock: &dyn Clock,
    limit: Duration,
    end: Moment,
) -> Result<KeyCount, Fault> {
    // One line to the end: where another process answers, a cursor means nothing.
    let line = server.line(Need::Essential)?;
    let (mut counted, mut cursor) = (KeyCount::default(), Vec::new());
    loop {
        let command = scan(&cursor, &keyspace.glob, STEP);
        let answer = tokio::time::timeout(limit, line.command(VERB, &command)).await;
        let (next, names) = scanned(answer.unwrap_or_else(|_| Err(Fault::timed_out(VERB, limit)))?)?;
        for is_value in names.iter().filter_map(|name| keyspace.is_value(name)) {
            counted.keys += 1;
            counted.values += u64::from(is_value);
        }
        let Some(next) = next else { return Ok(KeyCount { is_whole: true, ..counted }) };
        if clock.precise() >= end {
            return Ok(counted);
        }
        cursor = next;
        clock.sleep_until(clock.precise().plus(REST)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_whole_when_each_part_is() {
        let part = KeyCount { keys: 3, values: 2, is_whole: true };
        assert_eq!(KeyCount::sum([part, part]), KeyCount { keys: 6, values: 4, is_whole: true });
        assert!(!KeyCount::sum([part, KeyCount { is_whole: false, ..part }]).is_whole);
    }
}
