//! Decides how long to wait before a server is dialled again. Pure: no clock, no dice.

use std::time::Duration;

/// Waits that grow by one step each time, up to a limit. The first is none: a connection that was cut is back at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    step: Duration,
    max: Duration,
    tries: u32,
}

impl Backoff {
    pub(crate) fn new(step: Duration, max: Duration) -> Self {
        Backoff { step, max, tries: 0 }
    }

    /// The next wait: between half and all of it, by `chance` in 0 to 1, so that nodes that lost
    /// one server together do not return together.
    pub(crate) fn next(&mut self, chance: f64) -> Duration {
        let whole = self.step.saturating_mul(self.tries).min(self.max);
        self.tries = self.tries.saturating_add(1);
        whole.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0))
    }

    /// The server was well: the next wait is none again.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(chance: f64) -> Vec<u128> {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(120));
        (0..5).map(|_| backoff.next(chance).as_millis()).collect()
    }

    #[test]
    fn waits_grow_up_to_their_limit() {
        assert_eq!(waits(1.0), [0, 50, 100, 120, 120]);
    }

    #[test]
    fn jitter_takes_at_most_half() {
        assert_eq!(waits(0.0), [0, 25, 50, 60, 60]);
    }

    #[test]
    fn after_a_reset_the_next_comes_at_once() {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
        for _ in 0..5 {
            backoff.next(1.0);
        }
        backoff.reset();
        assert_eq!(backoff.next(1.0), Duration::ZERO);
    }
}
