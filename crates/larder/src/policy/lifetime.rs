//! The three ages of a value: fresh, then stale, then good only when its source fails.

use std::time::Duration;

use super::Policy;

/// How long one value may be used, counted from the begin of its load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) fresh_for: Duration,
    /// Fresh, stale and fail-safe time together: after it nothing is left of the value.
    pub(crate) kept_for: Duration,
    /// The end that its loader gave it, which sliding does not pass either.
    pub(crate) ends_after: Option<Duration>,
}

/// What a loader or caller asks for instead of the policy's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct AskedTimes {
    pub(crate) fresh_for: Option<Duration>,
    /// After it nothing is left of the value, whatever the policy says.
    pub(crate) kept_at_most: Option<Duration>,
}

impl AskedTimes {
    /// The time that is asked for in place of `usual`, and the longest that anything is left.
    fn bounded(self, usual: Duration, ttl_max: Duration) -> (Duration, Duration) {
        let most = self.kept_at_most.map_or(ttl_max, |most| most.min(ttl_max));
        (self.fresh_for.unwrap_or(usual).min(most), most)
    }
}

impl Lifetime {
    /// The lifetime of a value that is answered but not kept.
    pub(crate) const NONE: Lifetime =
        Lifetime { fresh_for: Duration::ZERO, kept_for: Duration::ZERO, ends_after: None };

    /// The lifetime of a value. `unit`, uniform in `0.0..1.0`, shortens its fresh time by the jitter.
    ///
    /// `None`: it is not kept at all (a time of zero means "do not keep").
    pub(crate) fn of_value(
        policy: &Policy,
        asked: AskedTimes,
        ttl_max: Duration,
        unit: f64,
    ) -> Option<Self> {
        let (wanted, most) = asked.bounded(policy.fresh_for, ttl_max);
        let fresh_for = shortened(wanted, policy.jitter, unit);
        let kept_for = (fresh_for + policy.stale_for + policy.fail_safe_for).min(most);
        let ends_after = asked.kept_at_most.filter(|most| *most < ttl_max);
        (!wanted.is_zero()).then_some(Lifetime { fresh_for, kept_for, ends_after })
    }

    /// The lifetime of "the source has none": no stale time, so that a new row is never hidden
    /// longer than this.
    pub(crate) fn of_absence(
        policy: &Policy,
        asked: AskedTimes,
        ttl_max: Duration,
        unit: f64,
    ) -> Option<Self> {
        let (wanted, _) = asked.bounded(policy.negative_for, ttl_max);
        let fresh_for = shortened(wanted, policy.jitter, unit);
        let lifetime = Lifetime { fresh_for, kept_for: fresh_for, ends_after: None };
        (!wanted.is_zero()).then_some(lifetime)
    }
}

/// Jitter only shortens: entries filled together would otherwise expire together, and a value
/// must never outlive what its owner allowed.
fn shortened(wanted: Duration, jitter: f64, unit: f64) -> Duration {
    wanted.mul_f64(1.0 - jitter * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn jitter_only_shortens_and_by_at_most_its_share() {
        let policy = Policy::default();
        for unit in [0.0, 0.5, 0.999] {
            let life = Lifetime::of_value(&policy, AskedTimes::default(), DAY, unit);
            let life = life.map(|life| life.fresh_for);
            let life = life.expect("300 s are kept");
            assert!(life <= policy.fresh_for && life >= policy.fresh_for.mul_f64(0.9));
        }
    }

    #[test]
    fn a_time_of_zero_means_do_not_keep() {
        let policy = Policy::default();
        let zero = Some(Duration::ZERO);
        for asked in [
            AskedTimes { fresh_for: zero, kept_at_most: None },
            AskedTimes { fresh_for: None, kept_at_most: zero },
        ] {
            assert_eq!(Lifetime::of_value(&policy, asked, DAY, 0.0), None);
            assert_eq!(Lifetime::of_absence(&policy, asked, DAY, 0.0), None);
        }
    }

    #[test]
    fn nothing_outlives_ttl_max() {
        let policy = Policy { stale_for: DAY, ..Policy::default() };
        let asked = AskedTimes { fresh_for: Some(3 * DAY), kept_at_most: Some(2 * DAY) };
        let life = Lifetime::of_value(&policy, asked, DAY, 0.0).expect("kept");
        assert_eq!(life, Lifetime { fresh_for: DAY, kept_for: DAY, ends_after: None });
    }

    #[test]
    fn every_age_of_a_value_ends_where_its_loader_says() {
        let (hour, end) = (Duration::from_secs(3_600), Duration::from_secs(700));
        let policy = Policy { stale_for: hour, fail_safe_for: hour, ..Policy::default() };
        for (fresh, expected) in [(None, 300), (Some(hour), 700)] {
            let asked = AskedTimes { fresh_for: fresh, kept_at_most: Some(end) };
            let life = Lifetime::of_value(&policy, asked, DAY, 0.0).expect("kept");
            let fresh_for = Duration::from_secs(expected);
            assert_eq!(life, Lifetime { fresh_for, kept_for: end, ends_after: Some(end) });
        }
    }
}
