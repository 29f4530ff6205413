//! A key of another type than the cache's, from the arguments and from the result.

#[larder::cache_write_through(cache = rooms, key = name)]
async fn rename(rooms: &larder::Cache<u64, u64>, name: String) -> Result<u64, std::io::Error> {
    Ok(name.len() as u64)
}

#[larder::cache_write_through(cache = rooms, key = result.to_string())]
async fn add(rooms: &larder::Cache<u64, u64>) -> Result<u64, std::io::Error> {
    Ok(7)
}

fn main() {}
