//! Every decision of a simulation is drawn here, from one seed. Nothing else is random.

use larder::random::Random;
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{Rng, RngCore, SeedableRng};

/// One stream of random numbers. Each concern has a stream of its own, so that one more message
/// does not change which faults happen.
#[derive(Debug)]
pub(crate) struct Dice(Mutex<SmallRng>);

/// Which concern a stream of [`Dice`] serves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Weather,
    Scheduler,
    Network,
    Faults,
    Workload,
    Source,
    /// The random numbers that one run of one node draws.
    Node(u64),
}

impl Stream {
    fn salt(self) -> u64 {
        match self {
            Stream::Weather => 1,
            Stream::Scheduler => 2,
            Stream::Network => 3,
            Stream::Faults => 4,
            Stream::Workload => 5,
            Stream::Source => 6,
            Stream::Node(run) => 1_000 + run,
        }
    }
}

impl Dice {
    /// The stream of `seed` that serves `stream`.
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        // An odd multiplier keeps the pairs of seed and stream apart.
        let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ stream.salt().wrapping_mul(0xD1B5_4A32_D192_ED03);
        Dice(Mutex::new(SmallRng::seed_from_u64(mixed)))
    }

    /// A number below `bound`, which is not zero.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.0.lock().random_range(0..bound)
    }

    /// An index below `len`, which is not zero.
    pub(crate) fn index(&self, len: usize) -> usize {
        self.0.lock().random_range(0..len)
    }

    /// True `per_mille` times in a thousand.
    pub(crate) fn chance(&self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of `choices`, which is not empty.
    pub(crate) fn pick<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// 128 random bits, never zero.
    pub(crate) fn wide(&self) -> u128 {
        self.next_u128()
    }
}

impl Random for Dice {
    fn next_u64(&self) -> u64 {
        self.0.lock().next_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream_and_concerns_do_not_share_it() {
        let draw = |seed, stream| {
            let dice = Dice::new(seed, stream);
            [dice.next_u64(), dice.next_u64()]
        };
        assert_eq!(draw(7, Stream::Network), draw(7, Stream::Network));
        assert_ne!(draw(7, Stream::Network), draw(7, Stream::Faults));
        assert_ne!(draw(7, Stream::Network), draw(8, Stream::Network));
    }
}
