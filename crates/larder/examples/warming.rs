//! Warm before somebody asks: a declared set after a start, and what was hot before the restart.
//!
//! ```sh
//! cargo run -p larder --example warming
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::path::Path;

use larder::warm::{Supply, Warmer};
use larder::{Cache, Key, Larder, Origin, ReadableKey};

/// A key that can be read back from the file of hot keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Key, ReadableKey)]
struct RoomKey {
    room: u64,
}

/// `SELECT id, name FROM rooms WHERE id IN (…)`
async fn rooms_by_ids(keys: Vec<RoomKey>) -> Result<HashMap<RoomKey, String>, io::Error> {
    println!("  query for {:?}", keys.iter().map(|key| key.room).collect::<Vec<_>>());
    Ok(keys.into_iter().map(|key| (key, format!("room {}", key.room))).collect())
}

/// `SELECT id FROM rooms ORDER BY players DESC LIMIT 3`
async fn popular() -> Result<Vec<RoomKey>, io::Error> {
    Ok([3, 1, 2].map(|room| RoomKey { room }).to_vec())
}

/// One process: its cache, and what warms it.
fn started(file: &Path) -> Result<(Cache<RoomKey, String>, Warmer), Box<dyn Error>> {
    let larder = Larder::new("arcade")?;
    let rooms = larder.cache("rooms").build()?;
    let supply = Supply::batches(&rooms, rooms_by_ids);
    let warmer = Warmer::builder(&larder)
        .set("popular-rooms", &supply, popular)
        .keys_per_second(200)
        .restored(&supply)
        .hot_keys_in(file)
        .build()?;
    warmer.start();
    Ok((rooms, warmer))
}

async fn read(rooms: &Cache<RoomKey, String>, room: u64) -> Result<Origin, larder::Error> {
    let load = move |_| async move { Ok::<_, io::Error>(format!("room {room}")) };
    rooms.get_or_load(&RoomKey { room }, load).await.map(|hit| hit.origin())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::temp_dir().join(format!("larder-example-{}", std::process::id()));

    println!("the first process");
    let (rooms, warmer) = started(&file)?;
    warmer.finished().await;
    assert_eq!(read(&rooms, 3).await?, Origin::Memory, "a popular room is warm");
    assert_eq!(read(&rooms, 42).await?, Origin::Loaded, "another one is not");
    let saved = warmer.close().await?.ok_or("nothing was restored before")?;
    println!("  remembers {} hot keys in {} bytes", saved.keys, saved.bytes);

    println!("the next process");
    let (rooms, warmer) = started(&file)?;
    warmer.finished().await;
    for set in warmer.progress() {
        println!("  {}: {} listed, {} loaded", set.set, set.listed, set.loaded);
    }
    assert_eq!(read(&rooms, 42).await?, Origin::Memory, "what users made hot is warm again");
    std::fs::remove_file(file)?;
    Ok(())
}
