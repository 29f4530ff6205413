//! Options that nobody knows, and options given twice.

#[larder::cacheable(cache = rooms, key = id, ttl = 5)]
async fn room(rooms: &larder::Cache<u64, u64>, id: u64) -> Result<u64, std::io::Error> {
    Ok(id)
}

#[larder::cacheable(cache = rooms, key = id, key = id)]
async fn hall(rooms: &larder::Cache<u64, u64>, id: u64) -> Result<u64, std::io::Error> {
    Ok(id)
}

fn main() {}
