//! Decides what the outbox asks of a connection, so that one SQL serves the three kinds that sqlx has
//! for SQLite and PostgreSQL. Knows no table.

use sqlx::{AnyConnection, AssertSqlSafe, PgConnection, Row, SqliteConnection};

mod sealed {
    pub trait Sealed {}
}

/// What a statement is given in the place of `$1` and so on.
#[derive(Debug, Clone, Copy)]
#[doc(hidden)]
pub enum Given<'a> {
    Text(&'a str),
    Number(i64),
}

/// A connection to SQLite or PostgreSQL, or one that is either (`Any`). Implemented by this crate
/// only.
pub trait OutboxConnection: sealed::Sealed + Send {
    /// Runs a statement, and tells how many rows it concerned.
    #[doc(hidden)]
    fn run(
        &mut self,
        sql: &str,
        given: &[Given<'_>],
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// The rows of a question with two columns, a text and a number.
    #[doc(hidden)]
    fn numbered(
        &mut self,
        sql: &str,
        given: &[Given<'_>],
    ) -> impl Future<Output = Result<Vec<(String, i64)>, sqlx::Error>> + Send;

    /// The rows of a question with two columns of text.
    #[doc(hidden)]
    fn texts(
        &mut self,
        sql: &str,
        given: &[Given<'_>],
    ) -> impl Future<Output = Result<Vec<(String, String)>, sqlx::Error>> + Send;
}

macro_rules! bound {
    ($sql:ident, $given:ident) => {{
        // Only this crate can call it, and it gives every value apart.
        let mut statement = sqlx::query(AssertSqlSafe($sql.to_owned()));
        for given in $given {
            statement = match *given {
                Given::Text(text) => statement.bind(text.to_owned()),
                Given::Number(number) => statement.bind(number),
            };
        }
        statement
    }};
}

macro_rules! connections {
    ($($connection:ty)*) => {$(
        impl sealed::Sealed for $connection {}

        impl OutboxConnection for $connection {
            async fn run(&mut self, sql: &str, given: &[Given<'_>]) -> Result<u64, sqlx::Error> {
                Ok(bound!(sql, given).execute(self).await?.rows_affected())
            }

            async fn numbered(
                &mut self,
                sql: &str,
                given: &[Given<'_>],
            ) -> Result<Vec<(String, i64)>, sqlx::Error> {
                let rows = bound!(sql, given).fetch_all(self).await?;
                rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
            }

            async fn texts(
                &mut self,
                sql: &str,
                given: &[Given<'_>],
            ) -> Result<Vec<(String, String)>, sqlx::Error> {
                let rows = bound!(sql, given).fetch_all(self).await?;
                rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
            }
        }
    )*};
}

connections!(AnyConnection SqliteConnection PgConnection);
