//! The SQL of users.

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::auth::{Role, UserId};
use crate::storage::{StorageError, placeholders};

/// The users in the database.
#[derive(Debug, Clone)]
pub struct UserRows;

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
