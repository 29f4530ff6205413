//! Functions that are cached, and functions that change what is cached, by one attribute each.
//!
//! ```sh
//! cargo run -p larder --example attributes
//! ```

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use larder::{Cache, Hit, Larder, Origin, cache_invalidate, cache_write_through, cacheable};

/// Prices of a shop. Cloned for each load, which may outlive its caller.
#[derive(Clone)]
struct Shop {
    larder: Larder,
    prices: Cache<u64, u64>,
    /// Stands for a table of the database.
    table: Arc<AtomicU64>,
}

impl Shop {
    /// What an item costs.
    #[cacheable(cache = self.prices, tags = ["prices"])]
    async fn price(&self, item: u64) -> Result<u64, io::Error> {
        Ok(item * self.table.load(Ordering::SeqCst))
    }

    /// Says what an item costs from now on.
    #[cache_write_through(cache = self.prices, key = item, tags = ["prices"])]
    async fn reprice(&self, item: u64, price: u64) -> Result<u64, io::Error> {
        self.table.store(price / item, Ordering::SeqCst);
        Ok(price)
    }

    /// Makes everything dearer.
    #[cache_invalidate(
        larder = self.larder,
        tags = ["prices"],
        rolled_back = error.kind() == ErrorKind::InvalidInput,
    )]
    async fn raise(&self, times: u64) -> Result<(), io::Error> {
        if times == 0 {
            return Err(io::Error::new(ErrorKind::InvalidInput, "nothing is free"));
        }
        self.table.store(times * self.table.load(Ordering::SeqCst), Ordering::SeqCst);
        Ok(())
    }
}

async fn shown(shop: &Shop) -> Result<Hit<u64>, larder::Error> {
    let price = shop.price(7).await?;
    println!("item 7 costs {}, from {:?}", *price, price.origin());
    Ok(price)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let larder = Larder::new("shop")?;
    let prices = larder.cache("price").build()?;
    let shop = Shop { larder, prices, table: Arc::new(AtomicU64::new(10)) };

    assert_eq!(shown(&shop).await?.origin(), Origin::Loaded);
    assert_eq!(shown(&shop).await?.origin(), Origin::Memory);

    shop.raise(2).await?;
    println!("… everything has become dearer");
    let dearer = shown(&shop).await?;
    assert_eq!((*dearer, dearer.origin()), (140, Origin::Loaded));

    shop.reprice(7, 70).await?;
    println!("… item 7 has a new price, which is cached already");
    let repriced = shown(&shop).await?;
    assert_eq!((*repriced, repriced.origin()), (70, Origin::Memory));

    let refused = shop.raise(0).await.err().ok_or("for free")?;
    println!("… {refused}: known to have changed nothing, so nothing is loaded again");
    assert_eq!(shown(&shop).await?.origin(), Origin::Memory);
    Ok(())
}
