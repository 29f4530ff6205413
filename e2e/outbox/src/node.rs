//! A process's part: a cache of prices on Redis, their database, and its outbox.

use larder::{Cache, Invalidation, Larder};
use larder_redis::{Redis, RedisOptions, Topology};
use larder_sql::outbox::Outbox;
use sqlx::{Any, AnyPool, Transaction};

use crate::place::pool;
use crate::{NEW, PRICE};

/// A node with everything that a writer, a witness or an heir needs.
#[derive(Debug)]
pub struct Node {
    /// The node.
    pub larder: Larder,
    /// Its cache.
    pub prices: Cache<u64, i64>,
    /// Connections to the database.
    pub pool: AnyPool,
    /// What its transactions make wrong.
    pub outbox: Outbox,
    redis: Redis,
}

impl Node {
    /// A node of the fleet `namespace`, on the Redis at this port of loopback.
    ///
    /// # Panics
    /// The database does not answer.
    pub async fn open(url: &str, namespace: &str, redis_port: u16) -> Self {
        let options = RedisOptions::new(Topology::single("127.0.0.1", redis_port));
        let redis = Redis::open(namespace, options).expect("options in range");
        let builder = Larder::builder(namespace).shards(redis.shards());
        let larder = builder.build().expect("settings in range");
        let prices = larder.cache("prices").build().expect("a cache");
        let outbox = Outbox::new(larder.clone());
        Node { larder, prices, pool: pool(url).await, outbox, redis }
    }

    /// Waits until it is part of its fleet.
    ///
    /// # Panics
    /// Redis refuses it.
    pub async fn joined(self) -> Self {
        self.redis.connected().await;
        self.redis.joined().await.expect("joined");
        self
    }

    /// What a change of the price makes wrong.
    pub fn wrong(&self) -> Invalidation {
        Invalidation::new().key(&self.prices, &PRICE)
    }

    /// The price through the cache.
    ///
    /// # Panics
    /// The database does not answer.
    pub async fn price(&self) -> i64 {
        let pool = self.pool.clone();
        let load = move |_| async move { amount(&pool).await };
        *self.prices.get_or_load(&PRICE, load).await.expect("loaded")
    }

    /// Completes once the price is in memory, as of what this node then knows of the log.
    ///
    /// # Panics
    /// The database does not answer.
    pub async fn holds_the_price(&self) {
        while !self.holds() {
            self.price().await;
        }
    }

    /// Whether memory would serve the price.
    pub fn holds(&self) -> bool {
        self.prices.peek(&PRICE).is_some()
    }

    /// Completes once memory would not serve it any more.
    pub async fn drops_it(&self) {
        while self.holds() {
            tokio::task::yield_now().await;
        }
    }

    /// The price in the database, once nobody is changing it any more.
    ///
    /// # Panics
    /// The database does not answer.
    pub async fn settled_amount(&self) -> i64 {
        // Waits for the lock of whoever has it.
        let touched = sqlx::query("UPDATE prices SET amount = amount WHERE id = $1");
        touched.bind(PRICE as i64).execute(&self.pool).await.expect("touched");
        amount(&self.pool).await.expect("the price is there")
    }

    /// How many rows the outbox has.
    ///
    /// # Panics
    /// The database does not answer.
    pub async fn rows(&self) -> i64 {
        let counted = sqlx::query_scalar("SELECT COUNT(*) FROM larder_outbox");
        counted.fetch_one(&self.pool).await.expect("counted")
    }

    /// Changes the price, for this transaction.
    ///
    /// # Panics
    /// The database refuses.
    pub async fn reprice(&self, transaction: &mut Transaction<'static, Any>) {
        let change = sqlx::query("UPDATE prices SET amount = $1 WHERE id = $2");
        let change = change.bind(NEW).bind(PRICE as i64);
        change.execute(&mut **transaction).await.expect("changed");
    }
}

async fn amount(pool: &AnyPool) -> Result<i64, sqlx::Error> {
    let asked = sqlx::query_scalar("SELECT amount FROM prices WHERE id = $1");
    asked.bind(PRICE as i64).fetch_one(pool).await
}
