//! Rounds: the sides take turns (A B A B …), so that what else the machine does hits both alike.

use std::time::Duration;

/// How long each round of each side took; `sides[s][r]` is round `r` of side `s`.
pub struct Rounds {
    sides: Vec<Vec<Duration>>,
}

/// Lets each side run once a round. The first round warms up and is not kept. The order turns
/// round with each round, so that no side always runs after the same other.
pub fn interleave(rounds: usize, sides: &mut [&mut dyn FnMut() -> Duration]) -> Rounds {
    let mut kept = vec![Vec::with_capacity(rounds); sides.len()];
    for round in 0..=rounds {
        for step in 0..sides.len() {
            let side = if round % 2 == 0 { step } else { sides.len() - 1 - step };
            let took = sides[side]();
            if round > 0 {
                kept[side].push(took);
            }
        }
    }
    Rounds { sides: kept }
}

impl Rounds {
    /// The median time of a side, in nanoseconds.
    pub fn median_ns(&self, side: usize) -> f64 {
        median(self.sides[side].iter().map(|took| took.as_nanos() as f64))
    }

    /// The median over all rounds of how many times as long side `of` took as side `to`.
    pub fn ratio(&self, of: usize, to: usize) -> f64 {
        let pairs = self.sides[of].iter().zip(&self.sides[to]);
        median(pairs.map(|(of, to)| of.as_secs_f64() / to.as_secs_f64()))
    }

    /// The median over all rounds of how much longer side `of` took than side `to`, in nanoseconds.
    pub fn difference_ns(&self, of: usize, to: usize) -> f64 {
        let pairs = self.sides[of].iter().zip(&self.sides[to]);
        median(pairs.map(|(of, to)| of.as_nanos() as f64 - to.as_nanos() as f64))
    }
}

/// The middle of the values; not a number if there are none.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_take_turns_and_the_first_round_is_not_kept() {
        let order = std::cell::RefCell::new(Vec::new());
        let side = |name: char, millis: u64| {
            order.borrow_mut().push(name);
            Duration::from_millis(millis)
        };
        let rounds = interleave(2, &mut [&mut || side('a', 30), &mut || side('b', 10)]);
        assert_eq!(order.borrow().iter().collect::<String>(), "abbaab");
        assert_eq!((rounds.ratio(0, 1), rounds.sides[0].len()), (3.0, 2));
        assert_eq!(rounds.difference_ns(0, 1), 20e6);
    }

    #[test]
    fn one_slow_round_does_not_move_the_median() {
        assert_eq!(median([1.0, 900.0, 2.0].into_iter()), 2.0);
    }
}
