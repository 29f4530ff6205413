//! The outbox: a row that commits with a change and names what the change makes wrong. It is sent at
//! once after the commit, and by whoever looks next where that was not possible.
//!
//! ```
//! use larder::{Invalidation, Larder};
//! use larder_sql::outbox::{self, Outbox};
//! use sqlx::SqlitePool;
//!
//! # async fn rename(pool: SqlitePool, larder: Larder) -> Result<(), sqlx::Error> {
//! let outbox = Outbox::new(larder);
//! outbox::migrate(&mut *pool.acquire().await?).await?;
//! // A task of the process runs this for as long as the process lives.
//! let relaying = outbox.relay(pool.clone());
//!
//! let mut transaction = pool.begin().await?;
//! sqlx::query("UPDATE rooms SET name = 'Attic' WHERE id = 12").execute(&mut *transaction).await?;
//! let wrong = Invalidation::new().key("rooms", &12u64);
//! let noted = outbox.invalidate(&mut *transaction, wrong).await?;
//! match transaction.commit().await {
//!     Ok(()) => drop(noted.committed().await),
//!     Err(_) => drop(noted.in_doubt().await),
//! }
//! # drop(relaying);
//! # Ok(())
//! # }
//! ```
//!
//! What happens when the process dies, and where:
//!
//! | died | becomes of the change | of what was cached |
//! |---|---|---|
//! | before the commit | rolled back, and the row with it | stays |
//! | after it, before the invalidation is in the log | is there, and the row with it | goes as soon as any process looks at the outbox: at its start, or within about two seconds |
//! | after that | is there | is gone; the row is sent once more, or is gone too |

mod connection;
mod desk;
mod noted;
mod relay;
mod rows;
mod schema;
mod standing;
mod wall;

pub use connection::OutboxConnection;
pub use desk::OutboxStats;
pub use noted::{Noted, Outbox};
pub use relay::{Relay, RelayEvent};
pub use schema::{SCHEMA, migrate};
