//! Decides what a refresh token is: random text that says nothing, of which only the hash is kept.

use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

use super::SecretError;
use crate::settings::Secret;

/// Nobody guesses so many random bytes, so a plain hash of them is enough.
const BYTES: usize = 32;

/// How long the text of a token is.
pub const REFRESH_TOKEN_CHARS: usize = 2 * BYTES;

/// A token that is given for the next pair of tokens, once.
#[derive(Debug, Clone)]
pub struct RefreshToken(Secret);

impl RefreshToken {
    /// A new one.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn made() -> Result<Self, SecretError> {
        let mut bytes = [0; BYTES];
        OsRng.try_fill_bytes(&mut bytes).map_err(SecretError::Randomness)?;
        Ok(RefreshToken(Secret::new(hex(&bytes))))
    }

    /// One that somebody brought.
    pub fn brought(text: String) -> Self {
        RefreshToken(Secret::new(text))
    }

    /// The token itself, for its owner.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// What is kept of it.
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(self.reveal()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
