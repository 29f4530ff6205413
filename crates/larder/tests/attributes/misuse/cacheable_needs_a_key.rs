//! Without a key nothing can be found again.

#[larder::cacheable(cache = rooms)]
async fn room(rooms: &larder::Cache<u64, u64>, id: u64) -> Result<u64, std::io::Error> {
    Ok(id)
}

fn main() {}
