//! Which keys are asked for, and in which order. Seeded, so that both sides see the same trace.

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, Zipf};

/// Keys are texts of this many bytes.
pub const TEXT_BYTES: usize = 24;

/// The text of a key.
pub fn text(number: u64) -> String {
    format!("notifications:{number:010}")
}

/// The texts of the keys `0..count`.
pub fn texts(count: u64) -> Vec<String> {
    (0..count).map(text).collect()
}

/// A seeded source of chance.
pub fn seeded(seed: u64) -> SmallRng {
    SmallRng::seed_from_u64(seed)
}

/// `count` keys of `0..keys`, drawn by Zipf's law with this exponent.
///
/// # Errors
/// The exponent is negative or no number, or there are no keys.
pub fn zipf(keys: u32, exponent: f64, count: usize, seed: u64) -> anyhow::Result<Vec<u64>> {
    let law = Zipf::new(f64::from(keys), exponent)?;
    let mut chance = seeded(seed);
    Ok((0..count).map(|_| law.sample(&mut chance) as u64 - 1).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_the_stated_length() {
        assert!([0, 99_999, 9_999_999_999].iter().all(|key| text(*key).len() == TEXT_BYTES));
    }

    #[test]
    fn a_trace_repeats_by_its_seed_and_stays_among_its_keys() {
        let trace = zipf(100, 0.99, 1_000, 7).unwrap();
        assert_eq!(trace, zipf(100, 0.99, 1_000, 7).unwrap());
        assert_ne!(trace, zipf(100, 0.99, 1_000, 8).unwrap());
        assert!(trace.iter().all(|key| *key < 100));
    }
}
