//! The server's clock as this process knows it: a time that the server told, and what has passed
//! on the local clock since it was *asked*. So it is never behind the server's own.

use std::sync::atomic::{AtomicI64, Ordering};

use larder::clock::Moment;
use larder::shard::ServerTime;

/// How far the server's clock is ahead of the local one.
#[derive(Debug, Default)]
pub(super) struct ServerClock {
    ahead_ms: AtomicI64,
}

impl ServerClock {
    /// The server told `time` when it was asked at `asked`.
    pub(super) fn learn(&self, time: ServerTime, asked: Moment) {
        let ahead = millis(time.0) - millis(asked.as_nanos() / 1_000_000);
        self.ahead_ms.store(ahead, Ordering::Relaxed);
    }

    pub(super) fn at(&self, now: Moment) -> ServerTime {
        let local = millis(now.as_nanos() / 1_000_000);
        let server = local.saturating_add(self.ahead_ms.load(Ordering::Relaxed));
        ServerTime(u64::try_from(server).unwrap_or(0))
    }
}

fn millis(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_from_when_it_was_asked() {
        let clock = ServerClock::default();
        clock.learn(ServerTime(1_000_000), Moment::from_nanos(5_000_000));
        assert_eq!(clock.at(Moment::from_nanos(8_000_000)), ServerTime(1_000_003));
    }
}
