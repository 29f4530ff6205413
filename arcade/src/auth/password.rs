//! Decides how passwords are kept: as Argon2id hashes (RFC 9106), with the cost that OWASP asks for.

use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{self, PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::TryRngCore;
use rand::rngs::OsRng;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::settings::Secret;

/// What OWASP asks for together with the memory that the settings demand.
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What RFC 9106 recommends.
const SALT_BYTES: usize = 16;

/// How long a password waits for a free processor.
const WAIT_MAX: Duration = Duration::from_secs(3);

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
    /// Too many are being hashed.
    #[error("too many passwords are being hashed")]
    Busy,
    /// The thread that hashed broke down.
    #[error("the hashing of a password broke down")]
    Broken(#[source] tokio::task::JoinError),
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    Randomness(#[source] rand::rand_core::OsError),
}

/// Hashes and checks passwords. Clones share everything.
#[derive(Clone)]
pub struct Passwords(Arc<Hashing>);

struct Hashing {
    argon: Argon2<'static>,
    /// A hash that is checked where there is none, so that both take as long.
    decoy: String,
    /// Each hash takes a processor and its memory.
    running: Arc<Semaphore>,
    /// How many passwords were compared with a hash of which cost: time would tell too much of the
    /// machine.
    #[cfg(test)]
    compared: parking_lot::Mutex<Vec<Params>>,
}

impl Hashing {
    fn compare(&self, password: &Secret, hash: &str) -> bool {
        let Ok(known) = PasswordHash::new(hash) else { return false };
        #[cfg(test)]
        self.compared.lock().extend(Params::try_from(&known));
        self.argon.verify_password(password.reveal().as_bytes(), &known).is_ok()
    }
}

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
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hashed(&argon, "", &[0; SALT_BYTES])?;
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let running = Arc::new(Semaphore::new(processors));
        Ok(Passwords(Arc::new(Hashing {
            argon,
            decoy,
            running,
            #[cfg(test)]
            compared: parking_lot::Mutex::default(),
        })))
    }

    /// The hash of `password` with a salt of its own. Waits for a free processor.
    ///
    /// # Errors
    /// None becomes free in time, or the hash cannot be made.
    pub async fn hash(&self, password: Secret) -> Result<String, PasswordError> {
        let mut salt = [0; SALT_BYTES];
        OsRng.try_fill_bytes(&mut salt).map_err(PasswordError::Randomness)?;
        self.apart(move |hashing| hashed(&hashing.argon, password.reveal(), &salt)).await?
    }

    /// Whether `password` is the one behind `hash`. Takes as long when it is not, and also when
    /// there is no hash. Waits for a free processor.
    ///
    /// # Errors
    /// None becomes free in time.
    pub async fn check(&self, password: Secret, hash: Option<String>) -> Result<bool, PasswordError> {
        self.apart(move |hashing| {
            hashing.compare(&password, hash.as_deref().unwrap_or(&hashing.decoy)) && hash.is_some()
        })
        .await
    }

    /// The costs of the hashes that passwords were compared with since this was asked last.
    #[cfg(test)]
    pub(crate) fn compared(&self) -> Vec<Params> {
        std::mem::take(&mut *self.0.compared.lock())
    }

    /// Runs `work` where it keeps no request waiting but its own.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hashing) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let free = Arc::clone(&self.0.running).acquire_owned();
        let free = timeout(WAIT_MAX, free).await.ok().and_then(Result::ok);
        let (free, hashing) = (free.ok_or(PasswordError::Busy)?, Arc::clone(&self.0));
        let ended = tokio::task::spawn_blocking(move || {
            let done = work(&hashing);
            drop(free);
            done
        });
        ended.await.map_err(PasswordError::Broken)
    }

    /// The hash of `password` with this salt. Keeps the thread busy for milliseconds.
    ///
    /// # Errors
    /// The salt is too short.
    pub fn hash_with(
        &self,
        password: &str,
        salt: &[u8; SALT_BYTES],
    ) -> Result<String, PasswordError> {
        hashed(&self.0.argon, password, salt)
    }
}

fn hashed(argon: &Argon2<'_>, password: &str, salt: &[u8]) -> Result<String, PasswordError> {
    let salt = SaltString::encode_b64(salt).map_err(PasswordError::Hash)?;
    let hash = argon.hash_password(password.as_bytes(), &salt).map_err(PasswordError::Hash)?;
    Ok(hash.to_string())
}
