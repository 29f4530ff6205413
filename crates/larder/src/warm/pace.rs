//! Decides when the next keys may be read: all runs share one pace. Pure: no clock, no waiting.

use std::time::Duration;

use crate::clock::Moment;
use crate::sync::Mutex;

/// When the next keys may be read.
#[derive(Debug, Default)]
pub(super) struct Pace {
    free_at: Mutex<Moment>,
}

impl Pace {
    /// The moment from which `keys` may be read at `per_second`. The next ones come after these: who
    /// asks at another rate takes its share of the time.
    pub(super) fn turn(&self, keys: usize, per_second: u32, now: Moment) -> Moment {
        let takes = Duration::from_secs_f64(keys as f64 / f64::from(per_second));
        let mut free_at = self.free_at.lock();
        let turn = now.max(*free_at);
        *free_at = turn.plus(takes);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_one_after_the_other_at_their_rates() {
        let (pace, start) = (Pace::default(), Moment::from_nanos(5_000_000_000));
        let after = |turn: Moment| turn.since(start).as_millis();
        assert_eq!(after(pace.turn(100, 500, start)), 0);
        assert_eq!(after(pace.turn(100, 10_000, start)), 200);
        assert_eq!(after(pace.turn(1, 500, start)), 210);
        let later = start.plus(Duration::from_secs(9));
        assert_eq!(after(pace.turn(1, 500, later)), 9_000, "what was not used is not saved up");
    }
}
