//! Decides what a change does: first the database, then the cache, and never one without the
//! other.

use std::sync::Arc;

use larder::Rule;

use super::cache::MarketCaches;
use super::model::{Item, ItemChange};
use super::purchase::{self, Decision, Order};
use super::rows::{ChangedItem, MarketRows};
use crate::bundles::{self, Bundle};
use crate::http::{ApiError, KeysInUse};
use crate::storage::{StorageError, retried};
use crate::wall;
use crate::writes::Writes;

/// The marketplace: reads through the cache, changes through its verbs. Clones share everything.
///
/// # Cancel safety
/// Once polled, a change and its invalidation run to their end even if the future is dropped: a
/// caller that hangs up between the two must not leave an old entry behind.
#[derive(Debug, Clone)]
pub struct Market {
    caches: Arc<MarketCaches>,
    writes: Writes,
    keys: KeysInUse,
}

impl Market {
    /// Every change goes through `writes`.
    pub fn new(caches: MarketCaches, writes: Writes) -> Self {
        Market { caches: Arc::new(caches), writes, keys: KeysInUse::default() }
    }

    pub(super) fn caches(&self) -> &MarketCaches {
        &self.caches
    }

    /// The rule by which this domain drops a bundle.
    pub fn rule(&self) -> Rule<Bundle> {
        bundles::rule(&self.caches)
    }

    /// Puts a new item on the marketplace.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn create(&self, item: Item) -> Result<Item, ApiError> {
        let Market { caches, writes, .. } = self.clone();
        let create = async move {
            retried(async || {
                let mut change = writes.begin().await?;
                MarketRows::insert(&mut change, std::slice::from_ref(&item)).await?;
                change.drops(caches.came_or_went(item.id, item.category));
                change.commit().await
            })
            .await?;
            Ok::<_, StorageError>(item)
        };
        self.writes.to_its_end(create).await
    }

    /// Changes an item. `None` if there is no such item.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn change(&self, id: i64, wish: ItemChange) -> Result<Option<Item>, ApiError> {
        let Market { caches, writes, .. } = self.clone();
        let changed = async move {
            retried(async || {
                let mut change = writes.begin().await?;
                let Some(changed) = MarketRows::change(&mut change, id, &wish).await? else {
                    return Ok(None);
                };
                let ChangedItem { item, category_before } = changed;
                change.drops(caches.changed(id, category_before, item.category));
                change.commit().await?;
                Ok(Some(item))
            })
            .await
        };
        self.writes.to_its_end(changed).await
    }

    /// Takes an item off the marketplace and tells whether it was there. What was bought stays.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn remove(&self, id: i64) -> Result<bool, ApiError> {
        let Market { caches, writes, .. } = self.clone();
        let removed = async move {
            retried(async || {
                let mut change = writes.begin().await?;
                let Some(category) = MarketRows::remove(&mut change, id).await? else {
                    return Ok(false);
                };
                change.drops(caches.came_or_went(id, category));
                change.commit().await?;
                Ok(true)
            })
            .await
        };
        self.writes.to_its_end(removed).await
    }

    /// Buys one piece of an item. An order whose key was used before gets its first answer again.
    ///
    /// # Errors
    /// An order with this key is in flight, or the database refuses.
    pub async fn buy(&self, order: Order) -> Result<Decision, ApiError> {
        let Market { caches, writes, .. } = self.clone();
        let key = order.key.as_deref();
        let in_use = key.map(|key| self.keys.take(order.buyer, key)).transpose()?;
        let bought = async move {
            let decided = retried(async || {
                let mut change = writes.begin().await?;
                let decision = purchase::decide(&mut change, &order, wall::now_ms()).await?;
                if decision.is_ok() {
                    change.drops(caches.bought(order.item, order.buyer));
                }
                change.commit().await?;
                Ok(decision)
            })
            .await;
            drop(in_use);
            decided
        };
        self.writes.to_its_end(bought).await
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;
    use crate::auth::UserId;
    use crate::demo::World;
    use crate::http::CacheStatus;
    use crate::scene::Scene;

    const WORLD: World = World { seed: 7, users: 2, tournaments: 0, items: 20, notifications: 0 };

    fn market(scene: &Scene) -> Market {
        let rows = MarketRows::new(scene.store.clone());
        let caches = MarketCaches::build(&scene.reads, rows).expect("caches");
        Market::new(caches, scene.writes.clone())
    }

    #[tokio::test]
    async fn a_buyer_that_hangs_up_has_bought_and_leaves_no_old_entry_behind() {
        let scene = Scene::of(WORLD).await;
        let market = market(&scene);
        let buyer = UserId(1);
        let before = market.caches().balance(buyer).await.expect("balance").value.balance;
        let change = ItemChange {
            price: Some(1),
            available: Some(true),
            stock: Some(1),
            ..ItemChange::default()
        };
        market.change(1, change).await.expect("changed");
        let key = Some("hung-up".to_owned());
        let order = Order { buyer, item: 1, expected_price: None, key };
        let mut bought = Box::pin(market.buy(order.clone()));
        let polled = bought.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        // The key is in use although nobody waits for the answer any more.
        drop(bought);
        assert!(matches!(market.buy(order).await, Err(ApiError::Conflict(_))));
        scene.settled().await;
        let after = market.caches().balance(buyer).await.expect("balance");
        assert_eq!((after.provenance.status, after.value.balance), (CacheStatus::Miss, before - 1));
        let item = market.caches().item(1).await.expect("item");
        assert_eq!((item.provenance.status, item.value.stock), (CacheStatus::Miss, 0));
    }
}
