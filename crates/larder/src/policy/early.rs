//! Early refresh by measured cost: XFetch of Vattani, Chierichetti and Lowenstein, "Optimal
//! Probabilistic Cache Stampede Prevention" (VLDB 2015). A value whose load took `cost` is
//! refreshed once `cost · beta · −ln(u)` exceeds the time it has left, `u` uniform in 0..1.

use std::time::Duration;

use crate::clock::Moment;

/// Before `fresh_until − early_window` no draw can refresh, so hits need no dice until then:
/// −ln(u) exceeds 20 in one of 5·10⁸ draws.
const DRAW_MAX: f64 = 20.0;

/// How long before the end of freshness a hit begins to draw.
pub(crate) fn early_window(cost: Duration, beta: f64) -> Duration {
    if beta > 0.0 { cost.mul_f64(beta * DRAW_MAX) } else { Duration::ZERO }
}

/// Whether a hit at `now` refreshes a value that is fresh until `fresh_until`. `unit` is uniform
/// in `0.0..1.0`.
pub(crate) fn refreshes_early(
    now: Moment,
    fresh_until: Moment,
    cost: Duration,
    beta: f64,
    unit: f64,
) -> bool {
    if beta <= 0.0 {
        return false;
    }
    let draw = (-(1.0 - unit).ln()).min(DRAW_MAX);
    now.plus(cost.mul_f64(beta * draw)) >= fresh_until
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Duration = Duration::from_millis(100);
    const END: Moment = Moment::from_nanos(10_000_000_000);

    #[test]
    fn nothing_is_refreshed_before_the_window_opens() {
        let before = END.minus(early_window(COST, 1.0)).minus(Duration::from_nanos(1));
        assert!(!refreshes_early(before, END, COST, 1.0, 1.0 - f64::EPSILON));
    }

    #[test]
    fn half_of_the_hits_refresh_one_median_draw_before_the_end() {
        // −ln(1/2) · cost before the end, draws above one half refresh and draws below do not.
        let at = END.minus(COST.mul_f64(std::f64::consts::LN_2));
        assert!(refreshes_early(at, END, COST, 1.0, 0.51));
        assert!(!refreshes_early(at, END, COST, 1.0, 0.49));
    }

    #[test]
    fn a_larger_beta_refreshes_earlier() {
        let at = END.minus(COST);
        assert!(!refreshes_early(at, END, COST, 1.0, 0.5));
        assert!(refreshes_early(at, END, COST, 2.0, 0.5));
        assert!(!refreshes_early(at, END, COST, 0.0, 0.999));
    }
}
