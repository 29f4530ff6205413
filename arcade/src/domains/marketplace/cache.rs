//! What of the marketplace is cached, under which keys, for how long, and what a change drops. The
//! only place of this domain that calls the cache.

use std::sync::Arc;
use std::time::Duration;

use larder::{BuildError, Invalidation, Key, Loaded, ReadableKey, Tag};

use super::model::{Balance, Category, InventoryPage, Item, ItemPage};
use super::rows::MarketRows;
use crate::auth::UserId;
use crate::balances;
use crate::bundles::{Bundle, Bundled};
use crate::http::{ApiError, Audience, CachePlan, Cached, Cursor, Page, Stretch};
use crate::reads::{CachedReads, Reads};
use crate::storage::StorageError;
use crate::warming::Sets;

/// Pages of the list.
pub(super) const ITEMS: CachePlan = CachePlan {
    name: "market-items",
    fresh: |cache| cache.market_items_fresh,
    // Nobody waits for a page that everybody sees.
    stale: |cache| cache.market_items_fresh,
    absent: Duration::ZERO,
    tags: &["market-items:{category}", "market-item:{id}"],
    audience: Audience::Public,
};

/// Single items.
pub(super) const ITEM: CachePlan = CachePlan {
    name: "market-item",
    fresh: |cache| cache.market_item_fresh,
    stale: |cache| cache.market_item_fresh,
    absent: Duration::from_secs(1),
    tags: &["market-item:{id}"],
    audience: Audience::Public,
};

/// Parts of a user's inventory.
pub(super) const INVENTORY: CachePlan = CachePlan {
    name: "inventory",
    fresh: |cache| cache.inventory_fresh,
    stale: |_| Duration::ZERO,
    absent: Duration::ZERO,
    tags: &["inventory:{user}"],
    audience: Audience::Private,
};

/// A user's balance.
pub(super) const BALANCE: CachePlan = CachePlan {
    name: "balance",
    fresh: |cache| cache.balance_fresh,
    stale: |_| Duration::ZERO,
    absent: Duration::ZERO,
    tags: &["balance-{user}"],
    audience: Audience::Private,
};

/// A page of at most this many items is tagged with each of them, and so a purchase drops the
/// pages that show the item and no other. An entry has room for 64 tags and prefixes.
const ITEMS_TAGGED_MAX: usize = 50;

/// The tag of the pages with more items: any of them may show what has changed.
const LONG_PAGES: &str = "market-items-long";

/// The category comes first, so that one prefix names all pages of a category; none is the list
/// of all items.
#[derive(Clone, Copy, Key, ReadableKey)]
struct ListKey {
    category: Option<Category>,
    page: u32,
    limit: u32,
}

#[derive(Clone, Copy, Key, ReadableKey)]
struct ItemKey {
    id: i64,
}

/// The user comes first, so that one prefix names all parts of a user's inventory.
#[derive(Clone, Copy, Key, ReadableKey)]
struct InventoryKey {
    user: i64,
    after: Option<Cursor>,
    limit: u32,
}

#[derive(Clone, Copy, Key, ReadableKey)]
struct BalanceKey {
    user: i64,
}

/// The marketplace as readers see it: through the cache.
#[derive(Debug)]
pub struct MarketCaches {
    pages: CachedReads<ListKey, ItemPage>,
    items: CachedReads<ItemKey, Item>,
    inventories: CachedReads<InventoryKey, InventoryPage>,
    balances: CachedReads<BalanceKey, Balance>,
    rows: MarketRows,
}

impl MarketCaches {
    /// The caches of this domain.
    ///
    /// # Errors
    /// The lifetimes are not what the cache takes.
    pub fn build(reads: &Reads, rows: MarketRows) -> Result<Self, BuildError> {
        Ok(MarketCaches {
            pages: reads.cache(&ITEMS)?,
            items: reads.cache(&ITEM)?,
            inventories: reads.cache(&INVENTORY)?,
            balances: reads.cache(&BALANCE)?,
            rows,
        })
    }

    pub(super) async fn page(
        &self,
        category: Option<Category>,
        page: Page,
    ) -> Result<Cached<ItemPage>, ApiError> {
        if !page.is_cached() {
            return Ok(self.pages.bypass(self.rows.page(category, page).await?));
        }
        let key = ListKey { category, page: page.number, limit: page.limit };
        let rows = self.rows.clone();
        self.pages.find(&key, "page", move |_| load_page(rows, key)).await
    }

    pub(super) async fn item(&self, id: i64) -> Result<Cached<Item>, ApiError> {
        let (rows, key) = (self.rows.clone(), ItemKey { id });
        self.items.find(&key, "item", move |_| load_item(rows, key)).await
    }

    pub(super) async fn inventory(
        &self,
        user: UserId,
        stretch: Stretch,
    ) -> Result<Cached<InventoryPage>, ApiError> {
        let key = InventoryKey { user: user.0, after: stretch.after, limit: stretch.limit };
        let rows = self.rows.clone();
        self.inventories.get_or_load(&key, move |_| load_inventory(rows, key)).await
    }

    pub(super) async fn balance(&self, user: UserId) -> Result<Cached<Balance>, ApiError> {
        let (rows, key) = (self.rows.clone(), BalanceKey { user: user.0 });
        self.balances.find(&key, "user", move |_| load_balance(rows, key)).await
    }

    /// What of this domain is warmed: what was hot when the process before ended.
    pub fn warmed(&self, sets: Sets) -> Sets {
        let rows = self.rows.clone();
        let pages = self.pages.supplied(move |key| load_page(rows.clone(), key));
        let rows = self.rows.clone();
        let items = self.items.supplied(move |key| load_item(rows.clone(), key));
        let rows = self.rows.clone();
        let inventories = self.inventories.supplied(move |key| load_inventory(rows.clone(), key));
        let rows = self.rows.clone();
        let balances = self.balances.supplied(move |key| load_balance(rows.clone(), key));
        sets.restored(&pages).restored(&items).restored(&inventories).restored(&balances)
    }

    /// What is wrong once an item came or went: every page of the lists that it belongs to.
    pub(super) fn came_or_went(&self, id: i64, category: Category) -> Invalidation {
        let all: (Option<Category>,) = (None,);
        self.shown(id).prefix(&self.pages, &all).prefix(&self.pages, &(Some(category),))
    }

    /// What is wrong once an item was changed, which may have moved from one category to another.
    pub(super) fn changed(&self, id: i64, before: Category, after: Category) -> Invalidation {
        let mut wrong = self.shown(id);
        if before != after {
            for category in [before, after] {
                let of_category = (Some(category),);
                wrong = wrong.prefix(&self.pages, &of_category);
            }
        }
        wrong
    }

    /// What is wrong once a piece of an item went to a buyer for money.
    pub(super) fn bought(&self, id: i64, buyer: UserId) -> Invalidation {
        self.shown(id).prefix(&self.inventories, &(buyer.0,)).tag(balances::tag(buyer))
    }

    /// The item, and the pages that show it.
    fn shown(&self, id: i64) -> Invalidation {
        Invalidation::new().key(&self.items, &ItemKey { id }).tag(item_tag(id)).tag(LONG_PAGES)
    }
}

impl Bundled for MarketCaches {
    const NAME: &'static str = "marketplace";

    fn held_of(&self, bundle: Bundle) -> Option<Invalidation> {
        match bundle {
            Bundle::User(user) => Some(
                Invalidation::new()
                    .prefix(&self.inventories, &(user.0,))
                    .key(&self.balances, &BalanceKey { user: user.0 }),
            ),
            Bundle::Item(id) => Some(self.shown(id)),
            _ => None,
        }
    }
}

fn item_tag(id: i64) -> Tag {
    Tag::new(larder::key::text(ITEM.name, &ItemKey { id }))
}

async fn load_page(
    rows: MarketRows,
    ListKey { category, page, limit }: ListKey,
) -> Result<Loaded<Arc<ItemPage>>, StorageError> {
    rows.page(category, Page { number: page, limit }).await.map(tagged)
}

fn tagged(page: ItemPage) -> Loaded<Arc<ItemPage>> {
    let ids: Vec<i64> = page.items.iter().map(|item| item.id).collect();
    let loaded = Loaded::value(Arc::new(page));
    match ids.len() > ITEMS_TAGGED_MAX {
        true => loaded.tag(LONG_PAGES),
        false => ids.into_iter().fold(loaded, |loaded, id| loaded.tag(item_tag(id))),
    }
}

async fn load_item(
    rows: MarketRows,
    ItemKey { id }: ItemKey,
) -> Result<Option<Arc<Item>>, StorageError> {
    Ok(rows.item(id).await?.map(Arc::new))
}

async fn load_inventory(
    rows: MarketRows,
    InventoryKey { user, after, limit }: InventoryKey,
) -> Result<Arc<InventoryPage>, StorageError> {
    rows.inventory(UserId(user), Stretch { after, limit }).await.map(Arc::new)
}

async fn load_balance(
    rows: MarketRows,
    BalanceKey { user }: BalanceKey,
) -> Result<Loaded<Arc<Balance>>, StorageError> {
    let user = UserId(user);
    let balance = rows.balance(user).await?.map(Arc::new);
    Ok(balance.map_or_else(Loaded::absent, Loaded::value).tag(balances::tag(user)))
}
