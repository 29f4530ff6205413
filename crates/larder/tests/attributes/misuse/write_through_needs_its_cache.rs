//! A write without its cache.

#[larder::cache_write_through(key = id)]
async fn rename(rooms: &larder::Cache<u64, u64>, id: u64) -> Result<u64, std::io::Error> {
    Ok(id)
}

fn main() {}
