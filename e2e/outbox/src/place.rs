//! Where a change happens: a database with one price, and a namespace on a Redis.

use std::sync::atomic::{AtomicU32, Ordering};

use larder_rig::PostgresDatabase;
use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use tempfile::TempDir;

use crate::{OLD, PRICE};

/// A database and a namespace. What was made for it ends with it.
#[derive(Debug)]
pub struct Place {
    /// Where the database is.
    pub url: String,
    /// The name that the nodes of this place share.
    pub namespace: String,
    directory: Option<TempDir>,
    /// The database, if it is on a server.
    pub postgres: Option<PostgresDatabase>,
}

impl Place {
    /// A new file of SQLite.
    ///
    /// # Panics
    /// It cannot be made.
    pub async fn on_sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let url = format!("sqlite://{}/shop.db?mode=rwc", directory.path().display());
        Place::at(url, Some(directory), None).await
    }

    /// A new database of this PostgreSQL.
    ///
    /// # Panics
    /// It cannot be made.
    pub async fn on_postgres(postgres: PostgresDatabase) -> Self {
        Place::at(postgres.url.clone(), None, Some(postgres)).await
    }

    async fn at(url: String, directory: Option<TempDir>, postgres: Option<PostgresDatabase>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("crashes-{}-{number}", std::process::id());
        let place = Place { url, namespace, directory, postgres };
        let pool = pool(&place.url).await;
        if place.directory.is_some() {
            let log = sqlx::query("PRAGMA journal_mode = WAL");
            log.execute(&pool).await.expect("a log of its own");
        }
        larder_sql::outbox::migrate(&mut *pool.acquire().await.expect("a connection"))
            .await
            .expect("the outbox");
        let create = "CREATE TABLE prices (id BIGINT PRIMARY KEY, amount BIGINT NOT NULL)";
        sqlx::query(create).execute(&pool).await.expect("a table");
        let insert = sqlx::query("INSERT INTO prices (id, amount) VALUES ($1, $2)");
        insert.bind(PRICE as i64).bind(OLD).execute(&pool).await.expect("a price");
        pool.close().await;
        place
    }
}

/// Connections to the database at `url`.
///
/// # Panics
/// It does not answer.
pub(crate) async fn pool(url: &str) -> AnyPool {
    sqlx::any::install_default_drivers();
    AnyPoolOptions::new().max_connections(4).connect(url).await.expect("the database answers")
}
