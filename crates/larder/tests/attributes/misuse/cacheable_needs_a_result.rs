//! A source that cannot fail is none.

#[larder::cacheable(cache = rooms, key = id)]
async fn room(rooms: &larder::Cache<u64, u64>, id: u64) -> u64 {
    id
}

fn main() {}
