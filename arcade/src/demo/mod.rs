//! The demo world, out of one seed the same on every machine. Each domain's part is a file here,
//! with a stream of random numbers of its own, so that no part changes another.

mod builds;
mod filling;
mod market;
mod notifications;
mod tabletop;
mod tournaments;
mod users;
mod words;

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sqlx::Row;

use self::filling::Filling;
use crate::auth::{PasswordError, Passwords, UserId};
use crate::storage::{StorageError, Store};

pub use filling::{Progress, Unwatched};

/// When the demo world begins: 2026-01-01 00:00 UTC, in milliseconds since 1970 UTC.
const BEGIN_MS: i64 = 1_767_225_600_000;

/// How long it lasts: thirty days.
const SPAN_MS: i64 = 30 * 24 * 3_600 * 1_000;

/// The password of every demo user. It protects nothing: whoever sees the demo knows it.
pub const DEMO_PASSWORD: &str = "correct horse battery staple";

/// How much of a world, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct World {
    /// Equal seeds give equal worlds.
    pub seed: u64,
    /// Users, numbered from 1; the last is an admin.
    pub users: u32,
    /// Tournaments, with their participants and matches.
    pub tournaments: u32,
    /// Items on the marketplace, with who bought them.
    pub items: u32,
    /// Notifications. Few users have many of them, as in life.
    pub notifications: u32,
}

/// The world of a fresh clone.
pub const DEMO_WORLD: World =
    World { seed: 20_260_101, users: 10_000, tournaments: 500, items: 5_000, notifications: 100_000 };

/// What filling a database did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// It was empty and holds the world now.
    Now,
    /// It holds users already and stays as it is.
    Before {
        /// How many.
        users: u64,
    },
}

/// The world could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The database refuses.
    #[error("cannot write the demo world")]
    Storage(#[from] StorageError),
    /// The password cannot be hashed.
    #[error("cannot make the demo world's password")]
    Password(#[from] PasswordError),
}

impl World {
    /// The user who may see the inside of the server.
    pub fn admin(&self) -> UserId {
        UserId(i64::from(self.users))
    }

    /// Writes this world into an empty database, whole or not at all.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn fill(
        &self,
        store: &Store,
        passwords: &Passwords,
        progress: &mut dyn Progress,
    ) -> Result<Filled, DemoError> {
        let mut transaction = store.begin_write().await?;
        let users = sqlx::query("SELECT COUNT(*) AS users FROM users")
            .fetch_one(&mut *transaction)
            .await
            .and_then(|row| row.try_get::<i64, _>("users"));
        let users = users.map_err(StorageError::from)?.unsigned_abs();
        if users > 0 {
            return Ok(Filled::Before { users });
        }
        let mut filling = Filling { world: *self, connection: &mut transaction, progress };
        self.fill_parts(&mut filling, passwords).await?;
        transaction.commit().await?;
        Ok(Filled::Now)
    }

    /// Every part, those before which others refer to.
    async fn fill_parts(
        &self,
        filling: &mut Filling<'_>,
        passwords: &Passwords,
    ) -> Result<(), DemoError> {
        // Equal worlds need equal hashes; the salt hides nothing, since the password is known.
        let salt = (u128::from(self.seed) << 64 | u128::from(self.seed)).to_be_bytes();
        let password_hash = passwords.hash_with(DEMO_PASSWORD, &salt)?;
        users::fill(filling, &password_hash).await?;
        market::fill(filling).await?;
        tournaments::fill(filling).await?;
        notifications::fill(filling).await?;
        tabletop::fill(filling).await?;
        builds::fill(filling).await?;
        Ok(())
    }

    /// The random numbers of one part, which no other part draws from.
    fn random(&self, stream: u64) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(stream);
        random
    }

    /// A user; the square of a uniform draw, so that low numbers come often.
    fn frequent_user(&self, random: &mut ChaCha8Rng) -> UserId {
        let draw = u64::from(random.random::<u32>());
        let squared = (draw * draw) >> 32;
        let place = (squared * u64::from(self.users)) >> 32;
        UserId(place as i64 + 1)
    }
}
