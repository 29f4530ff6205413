//! A value has three ages: fresh, then stale (served at once, while one caller loads it again in
//! the background), then good only when its source fails.
//!
//! ```sh
//! cargo run -p larder --example stale_and_fail_safe
//! ```

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use larder::{Cache, Hit, Larder};

/// A price list that is edited at each look, and that may be down.
#[derive(Default)]
struct Shop {
    looks: AtomicU32,
    closed: AtomicBool,
}

impl Shop {
    fn price(&self) -> Result<u32, io::Error> {
        match self.closed.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the shop is closed")),
            false => Ok(100 + self.looks.fetch_add(1, Ordering::SeqCst)),
        }
    }
}

async fn price(prices: &Cache<String, u32>, shop: &Arc<Shop>) -> Result<Hit<u32>, larder::Error> {
    let shop = Arc::clone(shop);
    let price = prices.get_or_load(&"tea".to_owned(), |_| async move { shop.price() }).await?;
    println!("tea costs {}{}", *price, if price.is_stale() { " (stale)" } else { "" });
    Ok(price)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let larder = Larder::new("shop")?;
    let fresh = Duration::from_millis(200);
    // A hit is judged by the coarse clock, which lags by a tick of the kernel (4 ms).
    let past_fresh = fresh + Duration::from_millis(20);
    let prices = larder
        .cache::<String, u32>("price")
        .fresh_for(fresh)
        .stale_for(Duration::from_secs(60))
        .fail_safe_for(Duration::from_secs(3_600))
        .build()?;
    let shop = Arc::new(Shop::default());
    assert_eq!(*price(&prices, &shop).await?, 100);

    tokio::time::sleep(past_fresh).await;
    println!("… no longer fresh: the next reader gets the old price, and starts one reload");
    let old = price(&prices, &shop).await?;
    assert!(*old == 100 && old.is_stale());

    while shop.looks.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    assert_eq!(*price(&prices, &shop).await?, 101);

    println!("… the shop closes; a cache without stale time shows what fail-safe is for");
    let careful = larder
        .cache::<String, u32>("careful price")
        .fresh_for(fresh)
        .fail_safe_for(Duration::from_secs(3_600))
        .build()?;
    assert_eq!(*price(&careful, &shop).await?, 102);
    shop.closed.store(true, Ordering::SeqCst);
    tokio::time::sleep(past_fresh).await;
    let kept = price(&careful, &shop).await?;
    assert!(*kept == 102 && kept.is_stale());

    // Fail-safe serves what is old, never what is known to be wrong.
    assert!(careful.invalidate(&"tea".to_owned()).await.position().is_some());
    let error = price(&careful, &shop).await.err().ok_or("a value that was invalidated")?;
    println!("after an invalidation there is nothing to fall back on: {error}");
    Ok(())
}
