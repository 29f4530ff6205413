//! A function that is cached by one attribute, and the page that shows its hits.
//!
//! ```sh
//! cargo run -p larder-console --example page
//! ```

use std::error::Error;
use std::io;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use larder::{Cache, Invalidation, Larder, Origin, cacheable};
use larder_console::Console;
use tokio::net::TcpListener;

/// A shop. Cloned for each load, which may outlive its caller.
#[derive(Clone)]
struct Shop {
    larder: Larder,
    prices: Cache<u64, u64>,
}

impl Shop {
    /// What an item costs. Stands for a query of a database.
    #[cacheable(cache = self.prices, tags = ["prices"])]
    async fn price(&self, item: u64) -> Result<u64, io::Error> {
        Ok(item * 100)
    }
}

async fn price(State(shop): State<Shop>, Path(item): Path<u64>) -> Result<String, StatusCode> {
    let price = shop.price(item).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let seen = if price.origin() == Origin::Loaded { "MISS" } else { "HIT" };
    Ok(format!("{seen}: item {item} costs {}\n", *price))
}

async fn sale(State(shop): State<Shop>) -> String {
    let sale = Invalidation::new().tag("prices").by("the shop").because("a sale began");
    let invalidated = shop.larder.invalidate(sale).await;
    format!(
        "DROPPED: every price, {}\n",
        if invalidated.position().is_some() { "everywhere" } else { "here" }
    )
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let larder = Larder::new("shop")?;
    let shop = Shop { prices: larder.cache("price").build()?, larder };
    let console = Console::new(&shop.larder);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    println!("The page:         {}", console.link(&origin));
    println!("A miss, a hit:    curl {origin}/price/7");
    println!("An invalidation:  curl -X POST {origin}/sale");
    println!("Enter ends it.");

    let routes = Router::new().route("/price/{item}", get(price)).route("/sale", post(sale));
    let app = routes.fallback(async move |request: Request| console.answer(&request));
    axum::serve(listener, app.with_state(shop)).with_graceful_shutdown(entered()).await?;
    Ok(())
}

/// Waits for Enter, or for the end of the input.
async fn entered() {
    let line = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()));
    if !matches!(line.await, Ok(Ok(_))) {
        eprintln!("the input cannot be read");
    }
}
