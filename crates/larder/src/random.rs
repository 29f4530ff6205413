//! Where randomness comes from: tokens, epochs, jitter and early refresh draw from here.

use rand::RngCore;

/// A source of random numbers. Tokens and epochs come from it, so outside tests it must be
/// unpredictable.
pub trait Random: Send + Sync + 'static {
    /// 64 random bits.
    fn next_u64(&self) -> u64;

    /// 128 random bits, never zero.
    fn next_u128(&self) -> u128 {
        (u128::from(self.next_u64()) << 64 | u128::from(self.next_u64())).max(1)
    }

    /// A number in `0.0..1.0`.
    fn next_unit(&self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The thread's cryptographically secure generator, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn next_u64(&self) -> u64 {
        rand::rng().next_u64()
    }
}
