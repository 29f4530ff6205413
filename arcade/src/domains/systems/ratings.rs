//! The SQL of what users think of systems and templates. Each has one opinion of each; the sums stand
//! beside the system, whose row is locked meanwhile.

use sqlx::{AnyConnection, Row};

use super::model::Rating;
use crate::auth::UserId;
use crate::storage::StorageError;

const OPINION: &str = "SELECT stars FROM system_ratings WHERE system_id = $1 AND user_id = $2";

const SAY: &str = "
    INSERT INTO system_ratings (system_id, user_id, stars) VALUES ($1, $2, $3)
    ON CONFLICT (system_id, user_id) DO UPDATE SET stars = excluded.stars";

const TAKE_BACK: &str = "DELETE FROM system_ratings WHERE system_id = $1 AND user_id = $2";

const SUM: &str = "
    UPDATE game_systems SET stars = stars + $2, ratings = ratings + $3 WHERE id = $1
    RETURNING stars, ratings";

/// Keeps what `user` thinks of a locked system; `None` takes it back. Gives what all think of it then.
pub(super) async fn rate(
    connection: &mut AnyConnection,
    system: i64,
    user: UserId,
    stars: Option<i64>,
) -> Result<Rating, StorageError> {
    let before = sqlx::query(OPINION).bind(system).bind(user.0).fetch_optional(&mut *connection);
    let before: Option<i64> = before.await?.map(|row| row.try_get("stars")).transpose()?;
    let saying = match stars {
        Some(stars) => sqlx::query(SAY).bind(system).bind(user.0).bind(stars),
        None => sqlx::query(TAKE_BACK).bind(system).bind(user.0),
    };
    saying.execute(&mut *connection).await?;
    let more_stars = stars.unwrap_or(0) - before.unwrap_or(0);
    let more_ratings = i64::from(stars.is_some()) - i64::from(before.is_some());
    let sum = sqlx::query(SUM).bind(system).bind(more_stars).bind(more_ratings);
    let row = sum.fetch_one(connection).await?;
    Ok(Rating::of(row.try_get("stars")?, row.try_get("ratings")?))
}
