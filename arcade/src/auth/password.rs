//! Decides how passwords are kept: as Argon2id hashes (RFC 9106), with the cost that OWASP asks for.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::{self, PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

/// What OWASP asks for together with the memory that the settings demand.
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A password cannot be hashed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The cost is not one that Argon2 takes.
    #[error("the cost of a password hash is out of bounds")]
    Cost(#[source] argon2::Error),
    /// The hash could not be made.
    #[error("cannot hash a password")]
    Hash(#[source] password_hash::Error),
}

/// Hashes and checks passwords. Clones share everything.
#[derive(Clone)]
pub struct Passwords(Arc<Argon2<'static>>);

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords(…)")
    }
}

impl Passwords {
    /// Passwords whose hashing takes this much memory.
    ///
    /// # Errors
    /// The memory is less than Argon2 takes.
    pub fn new(memory_kib: u32) -> Result<Self, PasswordError> {
        let params = Params::new(memory_kib, PASSES, LANES, None).map_err(PasswordError::Cost)?;
        Ok(Passwords(Arc::new(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))))
    }

    /// The hash of `password` with this salt. Keeps the thread busy for milliseconds.
    ///
    /// # Errors
    /// The salt is too short.
    pub fn hash_with(&self, password: &str, salt: &[u8]) -> Result<String, PasswordError> {
        let salt = SaltString::encode_b64(salt).map_err(PasswordError::Hash)?;
        let hash = self.0.hash_password(password.as_bytes(), &salt);
        Ok(hash.map_err(PasswordError::Hash)?.to_string())
    }

    /// Whether `password` is the one behind `hash`. Takes as long when it is not.
    pub fn fits(&self, password: &str, hash: &str) -> bool {
        let parsed = PasswordHash::new(hash);
        parsed.is_ok_and(|hash| self.0.verify_password(password.as_bytes(), &hash).is_ok())
    }
}
