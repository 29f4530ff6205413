//! Decides which migrations there are and in which order they run.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyPool, SqlSafeStr};

/// Each migration with its number, in order. A released one never changes: the database remembers
/// its checksum and a start with another text fails.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "users", include_str!("../../migrations/0001_users.sql")),
    (2, "notifications", include_str!("../../migrations/0002_notifications.sql")),
    (3, "accounts", include_str!("../../migrations/0003_accounts.sql")),
    (4, "refresh_tokens", include_str!("../../migrations/0004_refresh_tokens.sql")),
    (10, "numbers", include_str!("../../migrations/0010_numbers.sql")),
    (11, "tournaments", include_str!("../../migrations/0011_tournaments.sql")),
    (20, "marketplace", include_str!("../../migrations/0020_marketplace.sql")),
    (21, "ledger", include_str!("../../migrations/0021_ledger.sql")),
    (22, "outbox", include_str!("../../migrations/0022_outbox.sql")),
    (30, "sessions", include_str!("../../migrations/0030_sessions.sql")),
    (40, "game_systems", include_str!("../../migrations/0040_game_systems.sql")),
    (41, "rooms", include_str!("../../migrations/0041_rooms.sql")),
    (42, "assets", include_str!("../../migrations/0042_assets.sql")),
    (60, "builds", include_str!("../../migrations/0060_builds.sql")),
    (70, "warming", include_str!("../../migrations/0070_warming.sql")),
    (71, "ratings", include_str!("../../migrations/0071_ratings.sql")),
];

/// Runs what has not run yet and gives the newest migration's number.
pub(super) async fn run(pool: &AnyPool) -> Result<i64, MigrateError> {
    let migrations: Vec<Migration> = MIGRATIONS.iter().map(migration).collect();
    let newest = migrations.last().map_or(0, |newest| newest.version);
    Migrator::with_migrations(migrations).run(pool).await?;
    Ok(newest)
}

fn migration(&(number, name, sql): &(i64, &'static str, &'static str)) -> Migration {
    let outside_transaction = false;
    let simple = MigrationType::Simple;
    Migration::new(number, Cow::Borrowed(name), simple, sql.into_sql_str(), outside_transaction)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_migration() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
            .collect();
        let named = |(number, name, _): &(i64, &str, &str)| format!("{number:04}_{name}.sql");
        assert_eq!(MIGRATIONS.iter().map(named).collect::<BTreeSet<_>>(), files);
    }
}
