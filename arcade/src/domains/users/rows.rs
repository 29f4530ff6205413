//! The SQL of users.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::model::Account;
use crate::auth::{Role, UnknownRole, UserId};
use crate::storage::{StorageError, Store, numbers, placeholders};

/// The counter of users' numbers.
const NUMBERS: &str = "users";

const ACCOUNT: &str = "
    SELECT id, name, email, role, image, balance_minor, created_at_ms FROM users WHERE id = $1";

const SET_IMAGE: &str = "UPDATE users SET image = $2 WHERE id = $1";

const SET_ROLE: &str = "UPDATE users SET role = $2 WHERE id = $1";

const ACTIVE: &str = "
    SELECT user_id FROM sessions GROUP BY user_id
    ORDER BY MAX(last_active_at_ms) DESC, user_id LIMIT $1";

const BY_EMAIL: &str = "SELECT id, role, password_hash FROM users WHERE email = $1";

const KNOWN: &str = "SELECT id, role, password_hash FROM users WHERE id = $1";

/// The users in the database.
#[derive(Debug, Clone)]
pub struct UserRows {
    store: Store,
}

/// What a login needs to know of a user.
pub(super) struct Known {
    pub(super) id: UserId,
    pub(super) role: Role,
    pub(super) password_hash: String,
}

/// A user to be written.
#[derive(Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The user's number.
    pub id: UserId,
    /// What others call the user.
    pub name: String,
    /// The address that the user logs in with.
    pub email: String,
    /// What the user may do.
    pub role: Role,
    /// The hash of the password.
    pub password_hash: String,
    /// What the user owns, in minor units.
    pub balance_minor: i64,
    /// When the user came, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
}

impl UserRows {
    /// The users in `store`.
    pub fn new(store: Store) -> Self {
        UserRows { store }
    }

    pub(super) async fn account(&self, user: UserId) -> Result<Option<Account>, StorageError> {
        let row = sqlx::query(ACCOUNT).bind(user.0).fetch_optional(self.store.pool()).await?;
        Ok(row.as_ref().map(account).transpose()?)
    }

    /// Who was here last.
    pub(super) async fn active(&self, limit: u32) -> Result<Vec<i64>, StorageError> {
        let ids = sqlx::query_scalar(ACTIVE).bind(i64::from(limit)).fetch_all(self.store.pool());
        Ok(ids.await?)
    }

    /// Changes what a user looks like. False if there is no such user.
    pub(super) async fn set_image(
        connection: &mut AnyConnection,
        user: UserId,
        image: &str,
    ) -> Result<bool, StorageError> {
        let statement = sqlx::query(SET_IMAGE).bind(user.0).bind(image);
        Ok(statement.execute(connection).await?.rows_affected() > 0)
    }

    /// Changes what a user may do. False if there is no such user.
    pub(super) async fn set_role(
        connection: &mut AnyConnection,
        user: UserId,
        role: Role,
    ) -> Result<bool, StorageError> {
        let statement = sqlx::query(SET_ROLE).bind(user.0).bind(role.name());
        Ok(statement.execute(connection).await?.rows_affected() > 0)
    }

    /// An account, as a transaction sees it.
    pub(super) async fn account_in(
        connection: &mut AnyConnection,
        user: UserId,
    ) -> Result<Option<Account>, StorageError> {
        let row = sqlx::query(ACCOUNT).bind(user.0).fetch_optional(connection).await?;
        Ok(row.as_ref().map(account).transpose()?)
    }

    pub(super) async fn by_email(&self, email: &str) -> Result<Option<Known>, StorageError> {
        let row = sqlx::query(BY_EMAIL).bind(email).fetch_optional(self.store.pool()).await?;
        Ok(row.as_ref().map(known_of).transpose()?)
    }

    /// Writes a new player, who owns nothing yet.
    pub(super) async fn register(
        connection: &mut AnyConnection,
        name: &str,
        email: &str,
        password_hash: &str,
        now_ms: i64,
    ) -> Result<Account, StorageError> {
        let new = NewUser {
            id: UserId(numbers::take(connection, NUMBERS, 1).await?),
            name: name.to_owned(),
            email: email.to_owned(),
            role: Role::Player,
            password_hash: password_hash.to_owned(),
            balance_minor: 0,
            created_at_ms: now_ms,
        };
        UserRows::insert(connection, std::slice::from_ref(&new)).await?;
        Ok(Account {
            id: new.id.0,
            name: new.name,
            email: new.email,
            role: new.role.name().to_owned(),
            image: None,
            balance_minor: new.balance_minor,
            created_at_ms: new.created_at_ms,
        })
    }

    /// Takes the numbers of `count` users who will be numbered from 1.
    pub(crate) async fn reserve(
        connection: &mut AnyConnection,
        count: u32,
    ) -> Result<(), StorageError> {
        numbers::take(connection, NUMBERS, count).await.map(|_| ())
    }

    /// Writes `new` with one statement.
    pub(crate) async fn insert(
        connection: &mut AnyConnection,
        new: &[NewUser],
    ) -> Result<(), StorageError> {
        let sql = format!(
            "INSERT INTO users (id, name, email, role, password_hash, balance_minor, \
             created_at_ms) VALUES {}",
            placeholders(new.len(), 7)
        );
        let mut statement = sqlx::query(AssertSqlSafe(sql));
        for user in new {
            statement = statement
                .bind(user.id.0)
                .bind(user.name.as_str())
                .bind(user.email.as_str())
                .bind(user.role.name())
                .bind(user.password_hash.as_str())
                .bind(user.balance_minor)
                .bind(user.created_at_ms);
        }
        statement.execute(connection).await?;
        Ok(())
    }
}

/// What a login needs to know of a user, as a transaction sees it.
pub(super) async fn known(
    connection: &mut AnyConnection,
    user: UserId,
) -> Result<Option<Known>, StorageError> {
    let row = sqlx::query(KNOWN).bind(user.0).fetch_optional(connection).await?;
    Ok(row.as_ref().map(known_of).transpose()?)
}

fn known_of(row: &AnyRow) -> Result<Known, sqlx::Error> {
    let role: String = row.try_get("role")?;
    let role = role.parse().map_err(|fault: UnknownRole| sqlx::Error::ColumnDecode {
        index: "role".to_owned(),
        source: fault.into(),
    })?;
    let id = UserId(row.try_get("id")?);
    Ok(Known { id, role, password_hash: row.try_get("password_hash")? })
}

fn account(row: &AnyRow) -> Result<Account, sqlx::Error> {
    Ok(Account {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        email: row.try_get("email")?,
        role: row.try_get("role")?,
        image: row.try_get("image")?,
        balance_minor: row.try_get("balance_minor")?,
        created_at_ms: row.try_get("created_at_ms")?,
    })
}
