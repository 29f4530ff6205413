//! Arguments of another type than the cache's key: one of them, several, for a read and for writes.

use std::io::Error;

use larder::{Cache, Larder};

#[larder::cacheable(cache = rooms)]
async fn room(rooms: &Cache<u64, u64>, id: u32) -> Result<u64, Error> {
    Ok(u64::from(id) + rooms.name().len() as u64)
}

#[larder::cacheable(cache = seats)]
async fn seat(seats: &Cache<(u64, String), u64>, seat: String, room: u64) -> Result<u64, Error> {
    Ok(room + seat.len() as u64 + seats.name().len() as u64)
}

#[larder::cache_write_through(cache = rooms)]
async fn rename(rooms: &Cache<u64, u64>, id: u64, name: &str) -> Result<u64, Error> {
    Ok(id + name.len() as u64)
}

#[larder::cache_invalidate(larder = larder, keys = [rooms])]
async fn paint(larder: &Larder, rooms: &Cache<u64, u64>, id: u64, red: bool) -> Result<u64, Error> {
    Ok(id)
}

fn main() {}
