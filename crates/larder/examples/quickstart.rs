//! The whole idea in one page: typed keys and values, one load per key, and an invalidation that
//! a slow loader cannot undo.
//!
//! ```sh
//! cargo run -p larder --example quickstart
//! ```

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder::{Larder, Origin};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// What a room is found by. Its parts make the key: `room:12`.
#[derive(larder::Key)]
struct RoomKey(u64);

#[derive(Debug, PartialEq, Serialize, Deserialize, larder::Entry)]
struct Room {
    name: String,
    seats: u64,
}

/// Stands for a table of the database.
#[derive(Default)]
struct Seats(AtomicU64);

impl Seats {
    fn room(&self) -> Result<Room, std::io::Error> {
        Ok(Room { name: "Blue".to_owned(), seats: self.0.load(Ordering::SeqCst) })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let larder = Larder::new("arcade")?;
    let rooms = larder.cache::<RoomKey, Room>("room").fresh_for(Duration::from_secs(300)).build()?;
    let table = Arc::new(Seats(AtomicU64::new(4)));

    // The first read loads, the second one finds the value in memory.
    for expected in [Origin::Loaded, Origin::Memory] {
        let source = Arc::clone(&table);
        let room = rooms.get_or_load(&RoomKey(12), |_| async move { source.room() }).await?;
        println!("room {} has {} seats, from {:?}", room.name, room.seats, room.origin());
        assert_eq!((room.seats, room.origin()), (4, expected));
    }

    // A write: commit to the source first, then say what it made wrong.
    table.0.store(5, Ordering::SeqCst);
    let invalidated = rooms.invalidate(&RoomKey(12)).await;
    println!("invalidated at {}", invalidated.position().ok_or("nobody to share with")?);

    // A slow loader reads the old row, somebody writes meanwhile, and the loader comes back late.
    let (has_read, was_read) = oneshot::channel();
    let (go_on, goes_on) = oneshot::channel();
    let source = Arc::clone(&table);
    let slow = rooms.get_or_load(&RoomKey(12), |_| async move {
        let old = source.room()?;
        has_read.send(()).map_err(|()| std::io::Error::other("nobody listens"))?;
        goes_on.await.map_err(std::io::Error::other)?;
        Ok::<_, std::io::Error>(old)
    });
    let writer = async {
        was_read.await?;
        table.0.store(6, Ordering::SeqCst);
        let invalidated = rooms.invalidate(&RoomKey(12)).await;
        go_on.send(()).map_err(|()| "the loader is gone")?;
        Ok::<_, Box<dyn Error>>(invalidated)
    };
    let (late, written) = tokio::join!(slow, writer);
    println!("the slow caller gets {} seats: its call began before the write", late?.seats);
    assert!(written?.position().is_some());

    // Any other cache would now serve 5 until the TTL ends.
    let source = Arc::clone(&table);
    let room = rooms.get_or_load(&RoomKey(12), |_| async move { source.room() }).await?;
    println!("everybody else gets {}", room.seats);
    assert_eq!((room.seats, room.origin()), (6, Origin::Loaded));
    Ok(())
}
