//! Times of many calls: their percentiles, and how they are shown.

use std::time::Duration;

/// The times of many calls.
#[derive(Default)]
pub(crate) struct Spread(Vec<Duration>);

impl Spread {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub(crate) fn extend(&mut self, took: impl IntoIterator<Item = Duration>) {
        self.0.extend(took);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that this share of the calls did not exceed, in milliseconds; no number without
    /// calls.
    pub(crate) fn at_ms(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        let last = sorted.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        sorted.get(at).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
    }

    pub(crate) fn print(&self, what: &str) {
        let [median, p90, p99, most] = [0.5, 0.9, 0.99, 1.0].map(|share| self.at_ms(share));
        println!(
            "      {what}: median {median:.3} ms, p90 {p90:.3}, p99 {p99:.3}, most {most:.3}, of {}",
            self.len()
        );
    }
}
