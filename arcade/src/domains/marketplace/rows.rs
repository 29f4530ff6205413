//! The SQL of items and inventories. Every statement on an inventory names its user.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::input::INVENTORY_PLACES;
use super::model::{Balance, Category, InventoryItem, InventoryPage, Item, ItemChange, ItemPage};
use crate::auth::UserId;
use crate::balances;
use crate::http::{Cursor, Page, Stretch};
use crate::storage::{StorageError, Store, placeholders};

/// The total and the page come from one statement: two would each see the database at another
/// moment.
macro_rules! page_of_items {
    ($filter:literal) => {
        concat!(
            "SELECT counts.total, i.* FROM (SELECT COUNT(*) AS total FROM market_items ",
            $filter,
            ") AS counts LEFT JOIN (SELECT * FROM market_items ",
            $filter,
            " ORDER BY created_at_ms DESC, id DESC LIMIT $1 OFFSET $2) AS i ON 1 = 1
            ORDER BY i.created_at_ms DESC, i.id DESC"
        )
    };
}

const PAGE: &str = page_of_items!("");

const PAGE_OF_CATEGORY: &str = page_of_items!("WHERE category = $3");

const ITEM: &str = "SELECT * FROM market_items WHERE id = $1";

/// Locks the row, so that what it tells stays true until the commit.
const LOCK: &str = "UPDATE market_items SET stock = stock WHERE id = $1 RETURNING category";

const CHANGE: &str = "
    UPDATE market_items SET
        name = COALESCE($2, name), description = COALESCE($3, description),
        price_minor = COALESCE($4, price_minor), category = COALESCE($5, category),
        image = COALESCE($6, image), available = COALESCE($7, available),
        stock = COALESCE($8, stock), community_item = COALESCE($9, community_item)
    WHERE id = $1
    RETURNING *";

const REMOVE: &str = "DELETE FROM market_items WHERE id = $1 RETURNING category";

/// What lies behind a place is found in the index, however far down the place is.
const INVENTORY: &str = "
    SELECT counts.total, i.*
    FROM (SELECT COUNT(*) AS total FROM inventory WHERE user_id = $1) AS counts
    LEFT JOIN (SELECT id, item_id, name, price_paid_minor, acquired_at_ms
               FROM inventory WHERE user_id = $1 AND (acquired_at_ms, id) < ($3, $4)
               ORDER BY acquired_at_ms DESC, id DESC LIMIT $2) AS i ON 1 = 1
    ORDER BY i.acquired_at_ms DESC, i.id DESC";

/// An item that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangedItem {
    pub(super) item: Item,
    /// Its category before.
    pub(super) category_before: Category,
}

/// Items, inventories and balances in the database.
#[derive(Debug, Clone)]
pub struct MarketRows {
    store: Store,
}

impl MarketRows {
    /// The marketplace in `store`.
    pub fn new(store: Store) -> Self {
        MarketRows { store }
    }

    pub(super) async fn page(
        &self,
        category: Option<Category>,
        page: Page,
    ) -> Result<ItemPage, StorageError> {
        let sql = if category.is_some() { PAGE_OF_CATEGORY } else { PAGE };
        let mut statement = sqlx::query(sql).bind(i64::from(page.limit)).bind(page.skipped());
        if let Some(category) = category {
            statement = statement.bind(category.name());
        }
        let rows = statement.fetch_all(self.store.pool()).await?;
        let total = total(&rows)?;
        let items = on_page(&rows).map(item).collect::<Result<_, _>>()?;
        let Page { number, limit } = page;
        Ok(ItemPage { items, total, page: number, limit, pages: total.div_ceil(limit.into()) })
    }

    pub(super) async fn item(&self, id: i64) -> Result<Option<Item>, StorageError> {
        let row = sqlx::query(ITEM).bind(id).fetch_optional(self.store.pool()).await?;
        Ok(row.as_ref().map(item).transpose()?)
    }

    pub(super) async fn inventory(
        &self,
        user: UserId,
        Stretch { after, limit }: Stretch,
    ) -> Result<InventoryPage, StorageError> {
        let after = after.unwrap_or(Cursor::HEAD);
        // One more than is shown tells whether there are more.
        let rows = sqlx::query(INVENTORY)
            .bind(user.0)
            .bind(i64::from(limit) + 1)
            .bind(after.order)
            .bind(after.id)
            .fetch_all(self.store.pool())
            .await?;
        let total = total(&rows)?;
        let mut items: Vec<InventoryItem> =
            on_page(&rows).map(inventory_item).collect::<Result<_, _>>()?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let last = items.last().filter(|_| more);
        let place = |item: &InventoryItem| Cursor { order: item.acquired_at_ms, id: item.id };
        let next_cursor = last.map(|last| INVENTORY_PLACES.text(place(last)));
        Ok(InventoryPage { items, total, limit, next_cursor })
    }

    pub(super) async fn balance(&self, user: UserId) -> Result<Option<Balance>, StorageError> {
        let mut connection = self.store.pool().acquire().await?;
        Ok(balances::balance(&mut connection, user).await?.map(|balance| Balance { balance }))
    }

    /// Changes what is given. `None` if there is no such item.
    pub(super) async fn change(
        connection: &mut AnyConnection,
        id: i64,
        change: &ItemChange,
    ) -> Result<Option<ChangedItem>, StorageError> {
        let before = sqlx::query(LOCK).bind(id).fetch_optional(&mut *connection).await?;
        let Some(before) = before else {
            return Ok(None);
        };
        let row = sqlx::query(CHANGE)
            .bind(id)
            .bind(change.name.as_deref())
            .bind(change.description.as_deref())
            .bind(change.price)
            .bind(change.category.map(Category::name))
            .bind(change.image.as_deref())
            .bind(change.available.map(i64::from))
            .bind(change.stock)
            .bind(change.community_item.map(i64::from))
            .fetch_one(connection)
            .await?;
        let category_before = category(&before)?;
        Ok(Some(ChangedItem { item: item(&row)?, category_before }))
    }

    /// Removes an item and gives the category that it was in. `None` if there is no such item.
    pub(super) async fn remove(
        connection: &mut AnyConnection,
        id: i64,
    ) -> Result<Option<Category>, StorageError> {
        let row = sqlx::query(REMOVE).bind(id).fetch_optional(connection).await?;
        Ok(row.as_ref().map(category).transpose()?)
    }

    /// Writes items with one statement.
    pub(crate) async fn insert(
        connection: &mut AnyConnection,
        items: &[Item],
    ) -> Result<(), StorageError> {
        let sql = format!(
            "INSERT INTO market_items (id, name, description, price_minor, category, image, \
             available, stock, community_item, created_at_ms) VALUES {}",
            placeholders(items.len(), 10)
        );
        let mut statement = sqlx::query(AssertSqlSafe(sql));
        for item in items {
            statement = statement
                .bind(item.id)
                .bind(item.name.as_str())
                .bind(item.description.as_str())
                .bind(item.price)
                .bind(item.category.name())
                .bind(item.image.as_str())
                .bind(i64::from(item.available))
                .bind(item.stock)
                .bind(i64::from(item.community_item))
                .bind(item.created_at_ms);
        }
        statement.execute(connection).await?;
        Ok(())
    }
}

/// Writes what was bought with one statement.
pub(crate) async fn inventory_insert(
    connection: &mut AnyConnection,
    bought: &[(UserId, &InventoryItem)],
) -> Result<(), StorageError> {
    let sql = format!(
        "INSERT INTO inventory (id, user_id, item_id, name, price_paid_minor, acquired_at_ms) \
         VALUES {}",
        placeholders(bought.len(), 6)
    );
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for (user, item) in bought {
        statement = statement
            .bind(item.id)
            .bind(user.0)
            .bind(item.item_id)
            .bind(item.name.as_str())
            .bind(item.price_paid)
            .bind(item.acquired_at_ms);
    }
    statement.execute(connection).await?;
    Ok(())
}

fn total(rows: &[AnyRow]) -> Result<u64, sqlx::Error> {
    let total = rows.first().map(|row| row.try_get::<i64, _>("total")).transpose()?;
    Ok(total.unwrap_or(0).unsigned_abs())
}

/// An empty page is one row without an id.
fn on_page(rows: &[AnyRow]) -> impl Iterator<Item = &AnyRow> {
    rows.iter().filter(|row| !matches!(row.try_get::<Option<i64>, _>("id"), Ok(None)))
}

fn category(row: &AnyRow) -> Result<Category, sqlx::Error> {
    let name: String = row.try_get("category")?;
    Category::of(&name).ok_or_else(|| sqlx::Error::ColumnDecode {
        index: "category".to_owned(),
        source: format!("no category is called {name:?}").into(),
    })
}

fn item(row: &AnyRow) -> Result<Item, sqlx::Error> {
    Ok(Item {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        price: row.try_get("price_minor")?,
        category: category(row)?,
        image: row.try_get("image")?,
        available: row.try_get::<i64, _>("available")? != 0,
        stock: row.try_get("stock")?,
        community_item: row.try_get::<i64, _>("community_item")? != 0,
        created_at_ms: row.try_get("created_at_ms")?,
    })
}

fn inventory_item(row: &AnyRow) -> Result<InventoryItem, sqlx::Error> {
    Ok(InventoryItem {
        id: row.try_get("id")?,
        item_id: row.try_get("item_id")?,
        name: row.try_get("name")?,
        price_paid: row.try_get("price_paid_minor")?,
        acquired_at_ms: row.try_get("acquired_at_ms")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::World;
    use crate::scene::Scene;

    #[tokio::test]
    async fn the_index_finds_what_lies_behind_a_place_in_an_inventory() {
        let world = World { seed: 7, users: 2, tournaments: 0, items: 0, notifications: 0 };
        let scene = Scene::of(world).await;
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {INVENTORY}"));
        let mut statement = sqlx::query(explain);
        for number in 1..=4_i64 {
            statement = statement.bind(number);
        }
        let steps = statement.fetch_all(scene.store.pool()).await.expect("a plan");
        let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
        let behind = "(user_id=? AND (acquired_at_ms,id)<(?,?))";
        let found = steps.iter().any(|step| step.starts_with("SEARCH") && step.ends_with(behind));
        assert!(found, "{steps:#?}");
    }
}
