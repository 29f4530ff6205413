//! The demo world: users and notifications out of one seed, the same on every machine.

mod words;

use std::collections::BTreeMap;

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

use crate::auth::{Role, UserId};
use crate::domains::notifications::{NewNotification, Notification, NotificationRows};
use crate::storage::{StorageError, Store, placeholders};

/// Rows that one statement writes. SQLite finds each parameter by a search through all of them, so
/// long statements cost more than many short ones.
const ROWS_PER_STATEMENT: usize = 50;

/// When the demo world begins: 2026-01-01 00:00 UTC, in milliseconds since 1970 UTC.
const BEGIN_MS: i64 = 1_767_225_600_000;

/// How long it lasts: thirty days.
const SPAN_MS: i64 = 30 * 24 * 3_600 * 1_000;

/// How much of a world, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct World {
    /// Equal seeds give equal worlds.
    pub seed: u64,
    /// Users, numbered from 1; the last is an admin.
    pub users: u32,
    /// Notifications. Few users have many of them, as in life.
    pub notifications: u32,
}

/// The world of a fresh clone.
pub const DEMO_WORLD: World = World { seed: 20_260_101, users: 1_000, notifications: 20_000 };

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

impl World {
    /// The user who may see the inside of the server.
    pub fn admin(&self) -> UserId {
        UserId(i64::from(self.users))
    }

    /// Writes this world into an empty database, whole or not at all.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn fill(&self, store: &Store) -> Result<Filled, StorageError> {
        let mut transaction = store.pool().begin().await?;
        let row =
            sqlx::query("SELECT COUNT(*) AS users FROM users").fetch_one(&mut *transaction).await?;
        let users = row.try_get::<i64, _>("users")?.unsigned_abs();
        if users > 0 {
            return Ok(Filled::Before { users });
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        self.fill_users(&mut transaction, &mut random).await?;
        self.fill_notifications(&mut transaction, &mut random).await?;
        transaction.commit().await?;
        Ok(Filled::Now)
    }

    async fn fill_users(
        &self,
        transaction: &mut Transaction<'static, Any>,
        random: &mut ChaCha8Rng,
    ) -> Result<(), StorageError> {
        let ids: Vec<i64> = (1..=i64::from(self.users)).collect();
        for chunk in ids.chunks(ROWS_PER_STATEMENT) {
            let values = placeholders(chunk.len(), 5);
            let sql =
                format!("INSERT INTO users (id, name, email, role, created_at_ms) VALUES {values}");
            let mut statement = sqlx::query(AssertSqlSafe(sql));
            for id in chunk {
                let role = if UserId(*id) == self.admin() { Role::Admin } else { Role::Player };
                statement = statement
                    .bind(*id)
                    .bind(words::name(random))
                    .bind(format!("user{id}@arcade.example"))
                    .bind(role.name())
                    .bind(BEGIN_MS);
            }
            statement.execute(&mut **transaction).await?;
        }
        Ok(())
    }

    async fn fill_notifications(
        &self,
        transaction: &mut Transaction<'static, Any>,
        random: &mut ChaCha8Rng,
    ) -> Result<(), StorageError> {
        let ids: Vec<i64> = (1..=i64::from(self.notifications)).collect();
        for chunk in ids.chunks(ROWS_PER_STATEMENT) {
            let new: Vec<NewNotification> =
                chunk.iter().map(|id| self.notification(*id, random)).collect();
            NotificationRows::insert(transaction, &new).await?;
        }
        Ok(())
    }

    fn notification(&self, id: i64, random: &mut ChaCha8Rng) -> NewNotification {
        let event = words::event_of(random);
        let other = random.random_range(1..=self.users);
        let created_at_ms = BEGIN_MS + id * SPAN_MS / i64::from(self.notifications);
        // Three of five have been read, each within an hour.
        let read_at_ms =
            random.random_ratio(3, 5).then(|| created_at_ms + random.random_range(1_000..3_600_000));
        let notification = Notification {
            id,
            kind: event.kind.to_owned(),
            title: event.title.to_owned(),
            message: event.message.replace("{other}", &format!("Player {other}")),
            payload: BTreeMap::from([("actor".to_owned(), other.to_string())]),
            priority: event.priority.to_owned(),
            read: read_at_ms.is_some(),
            read_at_ms,
            created_at_ms,
        };
        NewNotification { user: self.recipient(random), notification }
    }

    /// The square of a uniform draw: the low numbers get many.
    fn recipient(&self, random: &mut ChaCha8Rng) -> UserId {
        let draw = u64::from(random.random::<u32>());
        let squared = (draw * draw) >> 32;
        let place = (squared * u64::from(self.users)) >> 32;
        UserId(place as i64 + 1)
    }
}
