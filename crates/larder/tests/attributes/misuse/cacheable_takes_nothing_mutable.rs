//! What a load changes would be changed behind its caller's back.

#[larder::cacheable(cache = rooms, key = id)]
async fn room(
    rooms: &larder::Cache<u64, u64>,
    id: u64,
    reads: &mut u64,
) -> Result<u64, std::io::Error> {
    *reads += 1;
    Ok(id)
}

fn main() {}
