//! Functions that cannot be written through: not async, no result, no row whose key it could be, an
//! argument that hides the result.

#[larder::cache_write_through(cache = rooms, key = id)]
fn rename(rooms: &larder::Cache<u64, u64>, id: u64) -> Result<u64, std::io::Error> {
    Ok(id)
}

#[larder::cache_write_through(cache = rooms, key = id)]
async fn paint(rooms: &larder::Cache<u64, u64>, id: u64) -> u64 {
    id
}

#[larder::cache_write_through(cache = rooms, key = *result)]
async fn add(rooms: &larder::Cache<u64, u64>) -> Result<Option<u64>, std::io::Error> {
    Ok(None)
}

#[larder::cache_write_through(cache = rooms, key = result)]
async fn heat(rooms: &larder::Cache<u64, u64>, result: u64) -> Result<u64, std::io::Error> {
    Ok(result)
}

fn main() {}
