//! The three ages of a value: fresh, then stale, then good only when its source fails.

use std::time::Duration;

use super::Policy;

/// How long one value may be used, counted from the begin of its load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) fresh_for: Duration,
    /// Fresh, stale and fail-safe time together: after it nothing is left of the value.
    pub(crate) kept_for: Duration,
}

impl Lifetime {
    /// The lifetime of a value that is answered but not kept.
    pub(crate) const NONE: Lifetime =
        Lifetime { fresh_for: Duration::ZERO, kept_for: Duration::ZERO };

    /// The lifetime of a value. `asked` is what the loader or caller asked for instead of the
    /// policy's time; `unit`, uniform in `0.0..1.0`, shortens it by the jitter.
    ///
    /// `None`: it is not kept at all (a time of zero means "do not keep").
    pub(crate) fn of_value(
        policy: &Policy,
        asked: Option<Duration>,
        ttl_max: Duration,
        unit: f64,
    ) -> Option<Self> {
        let wanted = asked.unwrap_or(policy.fresh_for).min(ttl_max);
        let fresh_for = shortened(wanted, policy.jitter, unit);
        let kept_for = fresh_for + policy.stale_for + policy.fail_safe_for;
        (!wanted.is_zero()).then_some(Lifetime { fresh_for, kept_for: kept_for.min(ttl_max) })
    }

    /// The lifetime of "the source has none": no stale time, so that a new row is never hidden
    /// longer than this.
    pub(crate) fn of_absence(
        policy: &Policy,
        asked: Option<Duration>,
        ttl_max: Duration,
        unit: f64,
    ) -> Option<Self> {
        let wanted = asked.unwrap_or(policy.negative_for).min(ttl_max);
        let fresh_for = shortened(wanted, policy.jitter, unit);
        (!wanted.is_zero()).then_some(Lifetime { fresh_for, kept_for: fresh_for })
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
            let life = Lifetime::of_value(&policy, None, DAY, unit).map(|life| life.fresh_for);
            let life = life.expect("300 s are kept");
            assert!(life <= policy.fresh_for && life >= policy.fresh_for.mul_f64(0.9));
        }
    }

    #[test]
    fn a_time_of_zero_means_do_not_keep() {
        let policy = Policy::default();
        assert_eq!(Lifetime::of_value(&policy, Some(Duration::ZERO), DAY, 0.0), None);
        assert_eq!(Lifetime::of_absence(&policy, Some(Duration::ZERO), DAY, 0.0), None);
    }

    #[test]
    fn nothing_outlives_ttl_max() {
        let policy = Policy { stale_for: DAY, ..Policy::default() };
        let life = Lifetime::of_value(&policy, Some(3 * DAY), DAY, 0.0).expect("kept");
        assert_eq!(life, Lifetime { fresh_for: DAY, kept_for: DAY });
    }
}
