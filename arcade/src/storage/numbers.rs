//! Decides the numbers of new rows. Neither database counts by itself in the SQL that both speak.

use sqlx::AnyConnection;

use super::StorageError;

/// The row's lock makes two writers wait for each other, so no number is given twice. A number
/// is not given again after its row is gone: a link to the old row must not show another.
const TAKE: &str = "
    INSERT INTO numbers (name, last) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET last = numbers.last + excluded.last
    RETURNING last";

/// Takes `count` numbers of the counter called `name` and gives the first of them. The first
/// number of all is 1. Whoever writes rows with numbers of their own takes these first, too.
///
/// # Errors
/// The database refuses.
pub async fn take(
    connection: &mut AnyConnection,
    name: &'static str,
    count: u32,
) -> Result<i64, StorageError> {
    let last: i64 =
        sqlx::query_scalar(TAKE).bind(name).bind(i64::from(count)).fetch_one(connection).await?;
    Ok(last - i64::from(count) + 1)
}
