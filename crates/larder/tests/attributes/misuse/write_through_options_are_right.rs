//! An option of another attribute, a list that is none, a pair that is none.

#[larder::cache_write_through(cache = rooms, key = id, larder = larder)]
async fn rename(rooms: &larder::Cache<u64, u64>, id: u64) -> Result<u64, std::io::Error> {
    Ok(id)
}

#[larder::cache_write_through(cache = rooms, key = id, dropped_tags = "rooms")]
async fn paint(rooms: &larder::Cache<u64, u64>, id: u64) -> Result<u64, std::io::Error> {
    Ok(id)
}

#[larder::cache_write_through(cache = rooms, key = id, prefixes = [id])]
async fn heat(rooms: &larder::Cache<u64, u64>, id: u64) -> Result<u64, std::io::Error> {
    Ok(id)
}

fn main() {}
