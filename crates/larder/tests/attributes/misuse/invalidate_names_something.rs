//! An invalidation of nothing, and lists that are none.

#[larder::cache_invalidate(larder = larder)]
async fn paint(larder: &larder::Larder, room: u64) -> Result<u64, std::io::Error> {
    Ok(room)
}

#[larder::cache_invalidate(larder = larder, keys = [(room, 1, 2)])]
async fn heat(larder: &larder::Larder, room: u64) -> Result<u64, std::io::Error> {
    Ok(room)
}

#[larder::cache_invalidate(larder = larder, tags = "rooms")]
async fn light(larder: &larder::Larder, room: u64) -> Result<u64, std::io::Error> {
    Ok(room)
}

fn main() {}
