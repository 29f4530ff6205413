//! Decides whether calls may go to a server. Opens when calls fail one after the other, or when too
//! many of the last ones failed or were slow; closes after a few good ones. Pure: the caller says
//! what time it is.
//!
//! The circuit breaker of Nygard, "Release It!" (2007), with latency counted as failure.

use std::collections::VecDeque;
use std::time::Duration;

use larder::clock::Moment;

/// When the breaker opens and closes.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerOptions {
    /// It opens when so many calls failed one after the other. Default 2.
    pub failures_max: u32,
    /// How many of the last calls are looked at. Default 20.
    pub window: usize,
    /// With fewer calls their share does not count. Default 10.
    pub calls_min: usize,
    /// It opens when this share of the last calls failed or was slow, over a time of at least
    /// `slow_call`. Default 0.5.
    pub bad_share_max: f64,
    /// A call that took longer is slow. Default 50 ms.
    pub slow_call: Duration,
    /// How long it stays open before it lets probes through. Default 500 ms.
    pub open_for: Duration,
    /// How many probes must be good, one after the other, to close it. Default 3.
    pub probes: u32,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        BreakerOptions {
            failures_max: 2,
            window: 20,
            calls_min: 10,
            bad_share_max: 0.5,
            slow_call: Duration::from_millis(50),
            open_for: Duration::from_millis(500),
            probes: 3,
        }
    }
}

/// What a breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Everything.
    Closed,
    /// Nothing that can be done without.
    Open,
    /// One call at a time, to see whether the server is well.
    HalfOpen,
}

/// How a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sample {
    /// Answered, after this time.
    Answered(Duration),
    /// Not answered.
    Failed,
}

#[derive(Debug)]
enum State {
    Closed,
    Open { until: Moment },
    HalfOpen { good: u32, probing_since: Option<Moment> },
}

#[derive(Debug)]
pub(crate) struct Breaker {
    options: BreakerOptions,
    state: State,
    /// Whether the last calls were bad.
    bad: VecDeque<bool>,
    /// Since when too many of the last calls are.
    bad_since: Option<Moment>,
    /// How many calls failed since the last answer.
    failures: u32,
}

impl Breaker {
    pub(crate) fn new(options: BreakerOptions) -> Self {
        Breaker { options, state: State::Closed, bad: VecDeque::new(), bad_since: None, failures: 0 }
    }

    pub(crate) fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Whether a call may go now. Half open, it is a probe then. Closed, nobody asks for the time.
    pub(crate) fn admits(&mut self, now: impl FnOnce() -> Moment) -> bool {
        match &mut self.state {
            State::Closed => true,
            State::Open { until } => {
                let now = now();
                let is_over = *until <= now;
                if is_over {
                    self.state = State::HalfOpen { good: 0, probing_since: Some(now) };
                }
                is_over
            }
            State::HalfOpen { probing_since, .. } => {
                let now = now();
                // A probe that never reported, because its caller went away, is replaced.
                let patience = self.options.open_for;
                let free = probing_since.is_none_or(|since| since.plus(patience) <= now);
                if free {
                    *probing_since = Some(now);
                }
                free
            }
        }
    }

    /// Counts how a call went. Says whether the breaker changed.
    pub(crate) fn record(&mut self, sample: Sample, now: Moment) -> Option<BreakerState> {
        let bad = match sample {
            Sample::Answered(took) => took > self.options.slow_call,
            Sample::Failed => true,
        };
        self.failures = if sample == Sample::Failed { self.failures + 1 } else { 0 };
        let before = self.state();
        match &mut self.state {
            State::Closed => {
                self.count(bad);
                if self.failures >= self.options.failures_max || self.is_bad(now) {
                    self.open(now);
                }
            }
            State::Open { .. } => {}
            State::HalfOpen { .. } if bad => self.open(now),
            State::HalfOpen { good, probing_since } => {
                *good += 1;
                *probing_since = None;
                if *good >= self.options.probes {
                    self.state = State::Closed;
                }
            }
        }
        (self.state() != before).then(|| self.state())
    }

    fn open(&mut self, now: Moment) {
        self.bad.clear();
        self.bad_since = None;
        self.failures = 0;
        self.state = State::Open { until: now.plus(self.options.open_for) };
    }

    fn count(&mut self, bad: bool) {
        self.bad.push_back(bad);
        while self.bad.len() > self.options.window {
            self.bad.pop_front();
        }
    }

    /// Whether too many of the last calls were bad, and for how long: what was under way while somebody
    /// stood still ends late together, and says nothing about the next call.
    fn is_bad(&mut self, now: Moment) -> bool {
        let calls = self.bad.len();
        let bad = self.bad.iter().filter(|bad| **bad).count();
        let too_many = calls >= self.options.calls_min
            && bad as f64 >= self.options.bad_share_max * calls as f64;
        if !too_many {
            self.bad_since = None;
            return false;
        }
        now.since(*self.bad_since.get_or_insert(now)) >= self.options.slow_call
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Sample = Sample::Answered(Duration::from_millis(1));
    const SLOW: Sample = Sample::Answered(Duration::from_millis(51));

    fn at(millis: u64) -> Moment {
        Moment::START.plus(Duration::from_millis(millis))
    }

    fn breaker() -> Breaker {
        Breaker::new(BreakerOptions::default())
    }

    fn opened_at_zero() -> Breaker {
        let mut breaker = breaker();
        for _ in 0..2 {
            breaker.record(Sample::Failed, at(0));
        }
        assert_eq!(breaker.state(), BreakerState::Open);
        breaker
    }

    #[test]
    fn failures_one_after_the_other_open_it() {
        let mut breaker = breaker();
        assert_eq!(breaker.record(Sample::Failed, at(0)), None);
        assert_eq!(breaker.record(Sample::Failed, at(0)), Some(BreakerState::Open));
        assert!(!breaker.admits(|| at(1)));
    }

    #[test]
    fn slow_calls_open_it_when_there_are_enough_of_them() {
        let mut breaker = breaker();
        for call in 0..9 {
            breaker.record(SLOW, at(10 * call));
        }
        // The tenth makes them enough.
        for call in 9..15 {
            assert!(breaker.admits(|| at(10 * call)));
            breaker.record(SLOW, at(10 * call));
        }
        assert!(!breaker.admits(|| at(141)));
    }

    #[test]
    fn many_slow_calls_a_second_open_it_too() {
        let mut breaker = breaker();
        for call in 0..1_000 {
            breaker.record(SLOW, at(call / 10));
        }
        assert_eq!(breaker.state(), BreakerState::Open);
    }

    #[test]
    fn calls_that_one_standstill_made_slow_leave_it_closed() {
        let mut breaker = breaker();
        for call in 0..64 {
            breaker.record(SLOW, at(call / 2));
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        // But not for long, if it goes on like that.
        breaker.record(SLOW, at(100));
        assert_eq!(breaker.state(), BreakerState::Open);
    }

    #[test]
    fn a_few_failures_among_many_calls_leave_it_closed() {
        let mut breaker = breaker();
        for call in 0..1_000 {
            let sample = if call % 3 == 0 { Sample::Failed } else { FAST };
            breaker.record(sample, at(call));
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn old_calls_are_forgotten() {
        let mut breaker = breaker();
        for _ in 0..1_000 {
            breaker.record(FAST, at(0));
        }
        for call in 0..20 {
            breaker.record(SLOW, at(10 * call));
        }
        assert_eq!(breaker.state(), BreakerState::Open);
    }

    #[test]
    fn half_open_lets_one_call_through_at_a_time() {
        let mut breaker = opened_at_zero();
        assert!(!breaker.admits(|| at(499)));
        assert!(breaker.admits(|| at(500)));
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(!breaker.admits(|| at(501)));
        breaker.record(FAST, at(502));
        assert!(breaker.admits(|| at(503)));
    }

    #[test]
    fn good_probes_close_it() {
        let mut breaker = opened_at_zero();
        for probe in 0..3 {
            assert!(breaker.admits(|| at(500 + probe)));
            breaker.record(FAST, at(500 + probe));
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn one_bad_probe_opens_it_again() {
        let mut breaker = opened_at_zero();
        assert!(breaker.admits(|| at(500)));
        breaker.record(SLOW, at(600));
        assert!(!breaker.admits(|| at(1_099)));
        assert!(breaker.admits(|| at(1_100)));
    }

    #[test]
    fn a_probe_that_never_reports_is_replaced() {
        let mut breaker = opened_at_zero();
        assert!(breaker.admits(|| at(500)));
        assert!(!breaker.admits(|| at(999)));
        assert!(breaker.admits(|| at(1_000)));
    }
}
