//! A function that cannot wait cannot be cached.

#[larder::cacheable(cache = rooms, key = id)]
fn room(rooms: &larder::Cache<u64, u64>, id: u64) -> Result<u64, std::io::Error> {
    Ok(id)
}

fn main() {}
