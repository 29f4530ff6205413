//! Decides what callers may ask of the marketplace, and within which limits.

use std::ops::RangeInclusive;

use super::model::{Category, Item, ItemChange, PRICE_MAX, STOCK_MAX};
use crate::http::{
    Cursors, Fields, Input, LIMIT_DEFAULT, Page, Stretch, choice, cursors, flag, integer, line, text,
};

const NAME: RangeInclusive<usize> = 1..=120;
const DESCRIPTION: RangeInclusive<usize> = 1..=2_000;
const IMAGE: RangeInclusive<usize> = 1..=500;
const PRICE: RangeInclusive<i64> = 1..=PRICE_MAX;
const STOCK: RangeInclusive<i64> = 0..=STOCK_MAX;

/// Which page of which list.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListQuery {
    pub(super) page: Page,
    pub(super) category: Option<Category>,
}

impl Input for ListQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        let page = Page::read(fields, LIMIT_DEFAULT);
        let category = fields.optional("category", choice(Category::ALL));
        Some(ListQuery { page: page?, category: category? })
    }
}

/// The places in an inventory. Which user's it is makes no difference: each sees their own.
pub(super) const INVENTORY_PLACES: Cursors = cursors("inventory");

/// Which part of an inventory.
#[derive(Debug, Clone, Copy)]
pub(super) struct InventoryQuery(pub(super) Stretch);

impl Input for InventoryQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        Stretch::read(fields, INVENTORY_PLACES).map(InventoryQuery)
    }
}

/// What an admin says of a new item.
#[derive(Debug, Clone)]
pub(super) struct NewItem {
    name: String,
    description: String,
    price: i64,
    category: Category,
    image: String,
    available: bool,
    stock: i64,
    community_item: bool,
}

impl NewItem {
    pub(super) fn numbered(self, id: i64, created_at_ms: i64) -> Item {
        let NewItem { name, description, price, category, image, available, stock, community_item } =
            self;
        Item {
            id,
            name,
            description,
            price,
            category,
            image,
            available,
            stock,
            community_item,
            created_at_ms,
        }
    }
}

impl Input for NewItem {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", line(NAME));
        let description = fields.required("description", text(DESCRIPTION));
        let price = fields.required("price", integer(PRICE));
        let category = fields.required("category", choice(Category::ALL));
        let image = fields.required("image", line(IMAGE));
        let available = fields.or("available", true, flag());
        let stock = fields.required("stock", integer(STOCK));
        let community_item = fields.or("communityItem", false, flag());
        Some(NewItem {
            name: name?,
            description: description?,
            price: price?,
            category: category?,
            image: seen(fields, image)?,
            available: available?,
            stock: stock?,
            community_item: community_item?,
        })
    }
}

impl Input for ItemChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", line(NAME));
        let description = fields.optional("description", text(DESCRIPTION));
        let price = fields.optional("price", integer(PRICE));
        let category = fields.optional("category", choice(Category::ALL));
        let image = fields.optional("image", line(IMAGE));
        let available = fields.optional("available", flag());
        let stock = fields.optional("stock", integer(STOCK));
        let community_item = fields.optional("communityItem", flag());
        let image = match image? {
            Some(image) => Some(seen(fields, Some(image))?),
            None => None,
        };
        let change = ItemChange {
            name: name?,
            description: description?,
            price: price?,
            category: category?,
            image,
            available: available?,
            stock: stock?,
            community_item: community_item?,
        };
        fields.changing(change)
    }
}

/// A page must be able to show it without leaving https.
fn seen(fields: &mut Fields, image: Option<String>) -> Option<String> {
    let image = image?;
    let of_this_site = image.starts_with('/') && !image.starts_with("//");
    if of_this_site || image.starts_with("https://") {
        return Some(image);
    }
    fields.mistake("image", "must be a path of this site or an https URL", "/… or https://…");
    None
}

/// What a buyer may add to an order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    pub(super) expected_price: Option<i64>,
}

impl Input for Offer {
    fn read(fields: &mut Fields) -> Option<Self> {
        let expected_price = fields.optional("expectedPrice", integer(PRICE));
        Some(Offer { expected_price: expected_price? })
    }
}
