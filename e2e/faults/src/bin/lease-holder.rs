//! A process of its own that takes the lease of a row and never ends its load: it is there to be killed.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use larder_faults::LarderNode;
use larder_redis::{RedisOptions, Topology};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [port, lease_ms, row] = &words[..] else { panic!("lease-holder REDIS_PORT LEASE_MS ROW") };
    let port = port.parse().expect("a port");
    let row: u64 = row.parse().expect("the number of a row");
    let mut options = RedisOptions::new(Topology::single("127.0.0.1", port));
    options.lease_ttl = Duration::from_millis(lease_ms.parse().expect("milliseconds"));
    let node = LarderNode::new(options);
    node.redis.connected().await;
    let load = |_| async {
        println!("the lease is held");
        pending::<Result<u64, Infallible>>().await
    };
    drop(node.cache.get_or_load(&row, load).await);
}
