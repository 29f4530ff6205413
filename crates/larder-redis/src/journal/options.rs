//! What a journal is configured with.

use std::time::Duration;

use crate::error::{Mistake, OpenError};
use crate::journal::durability::Durability;
use crate::options::RedisOptions;

/// How long the server may take for a call, with its tries.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest name of a holder, in bytes.
const HOLDER_BYTES_MAX: usize = 256;

/// The most journals that a cache may have. Whoever opens one looks at all of them.
const PROCESSES_MAX: u32 = 64;

/// What a [`RedisJournal`](super::RedisJournal) is configured with.
#[derive(Debug, Clone)]
pub struct JournalOptions {
    /// The server, and how it is reached: topology, TLS, credentials, database, timeouts, backoff.
    /// `lease_ttl` is how long another process waits until it takes the journal of one that died.
    /// What only the shared tier has (parameters, log, breaker) means nothing here.
    pub redis: RedisOptions,
    /// What the server must promise. Default: each append is on its disk.
    pub durability: Durability,
    /// How others call this process when they want the journal that it has. Default: its number and the
    /// name of its machine.
    pub holder: String,
    /// How many processes may write behind the same cache, each with a journal of its own; 1 to 64, and the same for
    /// all of them. Default 1.
    pub processes_max: u32,
}

impl JournalOptions {
    /// Every default, for the server of these options. It may take 5 s to answer (`command_timeout`):
    /// a disk can be slower than a reader's patience.
    pub fn new(redis: RedisOptions) -> Self {
        let machine = rustix::system::uname();
        let holder =
            format!("process {} on {}", std::process::id(), machine.nodename().to_string_lossy());
        JournalOptions {
            redis: RedisOptions { command_timeout: COMMAND_TIMEOUT, ..redis },
            durability: Durability::default(),
            holder,
            processes_max: 1,
        }
    }

    /// Every mistake at once.
    pub(super) fn check(&self, namespace: &str) -> Result<(), OpenError> {
        let checked = self.redis.check(namespace);
        let mut mistakes = checked.err().map(|error| error.mistakes).unwrap_or_default();
        let bytes = self.holder.len();
        if !(1..=HOLDER_BYTES_MAX).contains(&bytes) {
            let problem = format!("has {bytes} bytes; it must have 1 to {HOLDER_BYTES_MAX}");
            mistakes.push(Mistake::new("holder", problem));
        }
        let processes = self.processes_max;
        if !(1..=PROCESSES_MAX).contains(&processes) {
            let problem = format!("is {processes}; it must be 1 to {PROCESSES_MAX}");
            mistakes.push(Mistake::new("processes_max", problem));
        }
        OpenError::unless_empty(mistakes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Topology;

    #[test]
    fn a_holder_is_named_unless_told_otherwise() {
        let mut options =
            JournalOptions::new(RedisOptions::new(Topology::single("cache.local", 6379)));
        assert!(options.holder.contains(&std::process::id().to_string()), "{options:?}");
        options.holder.clear();
        options.processes_max = 65;
        let error = options.check("a{b").expect_err("three mistakes");
        let fields: Vec<&str> = error.mistakes.iter().map(|mistake| mistake.field).collect();
        assert_eq!(fields, ["namespace", "holder", "processes_max"]);
    }
}
