//! Decides what a fault of the database means: whether the same call may succeed in a moment, and
//! whether it is known to have changed nothing.

use sqlx::error::ErrorKind;
use sqlx::migrate::MigrateError;

/// The database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The database cannot be opened.
    #[error("database.url (DATABASE_URL): cannot open the database")]
    Open(#[source] sqlx::Error),
    /// The tables cannot be brought to the current form.
    #[error("cannot migrate the database")]
    Migrate(#[source] MigrateError),
    /// A statement failed.
    #[error("the database refused a statement")]
    Query(#[from] sqlx::Error),
    /// Another transaction came first, and this one must not stand beside it.
    #[error("another transaction came first")]
    Overtaken,
    /// Neither a turn nor a connection came in time.
    #[error("the database was too busy to write, or is away")]
    Busy,
}

/// PostgreSQL rolled the transaction back for another's sake: serialization failure, deadlock, lock
/// not to be had.
const CONFLICTS_POSTGRES: [&str; 3] = ["40001", "40P01", "55P03"];

/// PostgreSQL goes, comes, is full of connections, or has no disk left. Class 08 is the connection.
const AWAY_POSTGRES: [&str; 5] = ["57P01", "57P02", "57P03", "53300", "53100"];

/// SQLITE_BUSY and SQLITE_LOCKED: another has the lock.
const CONFLICTS_SQLITE: [u32; 2] = [5, 6];

/// SQLITE_FULL: the disk has no room.
const FULL_SQLITE: u32 = 13;

impl StorageError {
    /// Whether the same call may succeed in a moment: the database is away or busy.
    pub fn is_transient(&self) -> bool {
        match self {
            StorageError::Open(source) | StorageError::Query(source) => {
                is_away(source) || is_conflict(source)
            }
            StorageError::Overtaken | StorageError::Busy => true,
            StorageError::Migrate(_) => false,
        }
    }

    /// Whether a transaction lost against another one. Nothing of it was kept.
    pub fn lost_a_race(&self) -> bool {
        match self {
            StorageError::Query(source) => is_conflict(source),
            StorageError::Overtaken => true,
            _ => false,
        }
    }

    /// Whether a row with the same unique value exists already.
    pub fn is_duplicate(&self) -> bool {
        let StorageError::Query(sqlx::Error::Database(fault)) = self else {
            return false;
        };
        fault.kind() == ErrorKind::UniqueViolation
    }

    /// Whether a row that is referred to is missing, or one that is still referred to was to go.
    pub fn is_dangling(&self) -> bool {
        let StorageError::Query(sqlx::Error::Database(fault)) = self else {
            return false;
        };
        fault.kind() == ErrorKind::ForeignKeyViolation
    }
}

fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(fault) => match fault.code().as_deref() {
            Some(code) if code.len() == SQLSTATE_BYTES => {
                code.starts_with("08") || AWAY_POSTGRES.contains(&code)
            }
            Some(code) => primary(code) == Some(FULL_SQLITE),
            None => false,
        },
        _ => false,
    }
}

fn is_conflict(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(fault) = error else {
        return false;
    };
    match fault.code().as_deref() {
        Some(code) if code.len() == SQLSTATE_BYTES => CONFLICTS_POSTGRES.contains(&code),
        Some(code) => primary(code).is_some_and(|code| CONFLICTS_SQLITE.contains(&code)),
        None => false,
    }
}

/// PostgreSQL's codes have five characters. SQLite's are numbers that have fewer.
const SQLSTATE_BYTES: usize = 5;

/// The kind of a fault of SQLite: the lowest byte of its extended code.
fn primary(code: &str) -> Option<u32> {
    code.parse().ok().map(|code: u32| code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extended_code_of_sqlite_is_of_the_kind_of_its_lowest_byte() {
        for (code, kind) in [("5", 5), ("261", 5), ("517", 5), ("6", 6), ("13", 13), ("2067", 19)] {
            assert_eq!(primary(code), Some(kind), "{code}");
        }
        assert_eq!(primary("XX000"), None);
    }

    #[test]
    fn what_is_away_may_come_back_and_what_is_wrong_stays_wrong() {
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(StorageError::from(lost).is_transient());
        assert!(StorageError::from(sqlx::Error::PoolTimedOut).is_transient());
        assert!(StorageError::Busy.is_transient() && !StorageError::Busy.lost_a_race());
        assert!(StorageError::Overtaken.is_transient() && StorageError::Overtaken.lost_a_race());
        assert!(!StorageError::from(sqlx::Error::RowNotFound).is_transient());
    }
}
