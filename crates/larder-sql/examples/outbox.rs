//! A change and what it makes wrong commit together; a process that dies between the commit and the
//! invalidation leaves a row, which the next one sends.

use std::convert::Infallible;
use std::error::Error;

use larder::{Invalidation, Larder};
use larder_sql::outbox::{self, Outbox};
use sqlx::sqlite::SqlitePoolOptions;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // One connection: each would have a memory of its own.
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    outbox::migrate(&mut *pool.acquire().await?).await?;
    sqlx::query("CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT)").execute(&pool).await?;
    sqlx::query("INSERT INTO rooms VALUES (12, 'Cellar')").execute(&pool).await?;

    let larder = Larder::new("house")?;
    let rooms = larder.cache::<u64, String>("rooms").build()?;
    let outbox = Outbox::new(larder);
    let cellar = |_| async { Ok::<_, Infallible>("Cellar".to_owned()) };
    rooms.get_or_load(&12, cellar).await?;

    let mut transaction = pool.begin().await?;
    let rename = "UPDATE rooms SET name = 'Attic' WHERE id = 12";
    sqlx::query(rename).execute(&mut *transaction).await?;
    let noted = outbox.invalidate(&mut *transaction, Invalidation::new().key(&rooms, &12)).await?;
    transaction.commit().await?;
    let invalidated = noted.committed().await;
    assert!(rooms.peek(&12).is_none());
    println!("after the commit: gone everywhere as of {:?}", invalidated.position());

    // As after a crash: the change and its row are there, and nobody has sent it.
    rooms.get_or_load(&12, cellar).await?;
    let mut transaction = pool.begin().await?;
    let noted = outbox.invalidate(&mut *transaction, Invalidation::new().key(&rooms, &12)).await?;
    transaction.commit().await?;
    noted.rolled_back();
    let mut relay = outbox.relay(pool.clone());
    let sent = async {
        while rooms.peek(&12).is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = relay.run() => {}
        () = sent => println!("sent by the relay: {:?}", outbox.stats()),
    }
    relay.close().await?;
    Ok(())
}
