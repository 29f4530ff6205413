//! Decides what a change does: first the database, then the cache, and never one without the
//! other.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use super::cache::MarketCaches;
use super::model::{Item, ItemChange};
use super::purchase::{self, Decision, Order};
use super::rows::MarketRows;
use crate::http::{ApiError, KeysInUse};
use crate::storage::{StorageError, retried};
use crate::wall;

/// The marketplace: reads through the cache, changes through its verbs. Clones share everything.
///
/// # Cancel safety
/// Once polled, a change and its invalidation run to their end even if the future is dropped: a
/// caller that hangs up between the two must not leave an old entry behind.
#[derive(Debug, Clone)]
pub struct Market {
    caches: Arc<MarketCaches>,
    rows: MarketRows,
    keys: KeysInUse,
    running: TaskTracker,
}

impl Market {
    /// `running` owns the changes under way; a shutdown waits for them.
    pub fn new(caches: MarketCaches, rows: MarketRows, running: TaskTracker) -> Self {
        Market { caches: Arc::new(caches), rows, keys: KeysInUse::default(), running }
    }

    pub(super) fn caches(&self) -> &MarketCaches {
        &self.caches
    }

    /// Puts a new item on the marketplace.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn create(&self, item: Item) -> Result<Item, ApiError> {
        let Market { caches, rows, .. } = self.clone();
        let created = async move {
            let created = retried(|| rows.create(&item)).await;
            caches.came_or_went(item.id, item.category).await;
            created.map(|()| item)
        };
        self.to_its_end(created).await
    }

    /// Changes an item. `None` if there is no such item.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn change(&self, id: i64, change: ItemChange) -> Result<Option<Item>, ApiError> {
        let Market { caches, rows, .. } = self.clone();
        let changed = async move {
            let changed = retried(|| rows.change(id, &change)).await;
            match &changed {
                Ok(None) => {}
                Ok(Some(changed)) => {
                    caches.changed(id, changed.category_before, changed.item.category).await;
                }
                Err(_) => caches.doubted(id).await,
            }
            changed.map(|changed| changed.map(|changed| changed.item))
        };
        self.to_its_end(changed).await
    }

    /// Takes an item off the marketplace and tells whether it was there. What was bought stays.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn remove(&self, id: i64) -> Result<bool, ApiError> {
        let Market { caches, rows, .. } = self.clone();
        let removed = async move {
            let removed = retried(|| rows.remove(id)).await;
            match removed {
                Ok(None) => {}
                Ok(Some(category)) => caches.came_or_went(id, category).await,
                Err(_) => caches.doubted(id).await,
            }
            removed.map(|removed| removed.is_some())
        };
        self.to_its_end(removed).await
    }

    /// Buys one piece of an item. An order whose key was used before gets its first answer again.
    ///
    /// # Errors
    /// An order with this key is in flight, or the database refuses.
    pub async fn buy(&self, order: Order) -> Result<Decision, ApiError> {
        let Market { caches, rows, .. } = self.clone();
        let key = order.key.as_deref();
        let in_use = key.map(|key| self.keys.take(order.buyer, key)).transpose()?;
        let bought = async move {
            let decide = || purchase::decide(rows.store(), &order, wall::now_ms());
            let decided = retried(decide).await;
            // After a failure nobody knows whether the commit went through.
            if !matches!(decided, Ok(Err(_))) {
                caches.bought(order.item, order.buyer).await;
            }
            drop(in_use);
            decided
        };
        self.to_its_end(bought).await
    }

    async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let ended = self.running.spawn(work).await;
        ended.map_err(|fault| ApiError::Internal(Box::new(fault)))?.map_err(ApiError::from)
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
        let caches = MarketCaches::build(&scene.reads, rows.clone()).expect("caches");
        Market::new(caches, rows, TaskTracker::new())
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
        market.running.close();
        market.running.wait().await;
        let after = market.caches().balance(buyer).await.expect("balance");
        assert_eq!((after.provenance.status, after.value.balance), (CacheStatus::Miss, before - 1));
        let item = market.caches().item(1).await.expect("item");
        assert_eq!((item.provenance.status, item.value.stock), (CacheStatus::Miss, 0));
    }
}
