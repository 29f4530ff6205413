//! Bounds, and whether what was measured keeps them.

use anyhow::bail;

/// What a figure may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Bound {
    fn is_kept(self, measured: f64) -> bool {
        match self {
            Bound::AtMost(most) => measured <= most,
            Bound::AtLeast(least) => measured >= least,
        }
    }
}

/// The figures of one benchmark.
#[derive(Default)]
pub struct Verdict {
    missed: usize,
}

impl Verdict {
    /// Prints a figure with its bound and PASS or FAIL.
    pub fn judge(&mut self, what: &str, measured: f64, bound: Bound) {
        let kept = bound.is_kept(measured);
        self.missed += usize::from(!kept);
        let (sign, limit) = match bound {
            Bound::AtMost(most) => ("≤", most),
            Bound::AtLeast(least) => ("≥", least),
        };
        let word = if kept { "PASS" } else { "FAIL" };
        println!("{word}  {what}: {measured:.3} (bound {sign} {limit})");
    }

    /// Ends the benchmark.
    ///
    /// # Errors
    /// A bound was not kept.
    pub fn end(self) -> anyhow::Result<()> {
        if self.missed > 0 {
            bail!("{} bounds were not kept", self.missed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_bound_fails_the_benchmark() {
        for (bound, kept) in [(Bound::AtMost(2.0), true), (Bound::AtLeast(2.0), false)] {
            let mut verdict = Verdict::default();
            verdict.judge("figure", 1.5, bound);
            assert_eq!(verdict.end().is_ok(), kept);
        }
        let mut verdict = Verdict::default();
        verdict.judge("no figure", f64::NAN, Bound::AtMost(2.0));
        assert!(verdict.end().is_err());
    }
}
