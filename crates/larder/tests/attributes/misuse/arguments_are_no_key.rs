//! Arguments of which no key can be made: none, a pattern, one that the function changes; and a
//! cache of which only the name is given, so that nothing tells the type of its keys.

#[larder::cacheable(cache = rooms)]
async fn all(rooms: &larder::Cache<u64, u64>) -> Result<u64, std::io::Error> {
    Ok(1)
}

#[larder::cache_write_through(cache = rooms)]
async fn rename(rooms: &larder::Cache<u64, u64>, (id, name): (u64, u64)) -> Result<u64, std::io::Error> {
    Ok(id + name)
}

#[larder::cache_write_through(cache = rooms)]
async fn count(rooms: &larder::Cache<u64, u64>, id: u64, calls: &mut u64) -> Result<u64, std::io::Error> {
    *calls += 1;
    Ok(id)
}

#[larder::cache_invalidate(larder = larder, keys = [rooms])]
async fn paint(larder: &larder::Larder, rooms: &larder::Cache<u64, u64>, _: u64) -> Result<u64, std::io::Error> {
    Ok(1)
}

#[larder::cache_invalidate(larder = larder, keys = ["rooms"])]
async fn heat(larder: &larder::Larder, room: u64) -> Result<u64, std::io::Error> {
    Ok(room)
}

fn main() {}
