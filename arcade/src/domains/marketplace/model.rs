//! What the marketplace looks like in an answer and in the cache. Money is in minor units.

use larder::{Entry, Key, ReadableKey};
use serde::{Deserialize, Serialize};

/// The highest price: far below where sums of prices would overflow, and exact in JavaScript.
pub const PRICE_MAX: i64 = 1_000_000_000_000;

/// The most pieces of an item.
pub const STOCK_MAX: i64 = 1_000_000_000;

/// What kind of thing an item is. A closed set: what can be asked for bounds what is cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Entry, Key, ReadableKey)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// How a player looks.
    Avatar,
    /// Chalk.
    Chalk,
    /// Cues.
    Cue,
    /// What a player wears.
    Outfit,
    /// Tables and their cloth.
    Table,
    /// What a player shows.
    Trophy,
}

impl Category {
    /// Every category by its name.
    pub const ALL: &[(&str, Category)] = &[
        ("avatar", Category::Avatar),
        ("chalk", Category::Chalk),
        ("cue", Category::Cue),
        ("outfit", Category::Outfit),
        ("table", Category::Table),
        ("trophy", Category::Trophy),
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Category::Avatar => "avatar",
            Category::Chalk => "chalk",
            Category::Cue => "cue",
            Category::Outfit => "outfit",
            Category::Table => "table",
            Category::Trophy => "trophy",
        }
    }

    /// The category of this name.
    pub fn of(name: &str) -> Option<Self> {
        Category::ALL.iter().find(|(known, _)| *known == name).map(|(_, category)| *category)
    }
}

/// Something to be bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its number.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// What it is, in a few sentences.
    pub description: String,
    /// What it costs.
    pub price: i64,
    /// What kind of thing it is.
    pub category: Category,
    /// Where its picture is: a path of this site or an https URL.
    pub image: String,
    /// Whether it is for sale.
    pub available: bool,
    /// How many are left.
    pub stock: i64,
    /// Whether a player made it.
    pub community_item: bool,
    /// Since when it is there, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
}

/// What may be changed of an item, where it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemChange {
    /// What it is called.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// What it costs.
    pub price: Option<i64>,
    /// What kind of thing it is.
    pub category: Option<Category>,
    /// Where its picture is.
    pub image: Option<String>,
    /// Whether it is for sale.
    pub available: Option<bool>,
    /// How many are left.
    pub stock: Option<i64>,
    /// Whether a player made it.
    pub community_item: Option<bool>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct ItemPage {
    /// The items on the page, newest first.
    pub items: Vec<Item>,
    /// How many there are.
    pub total: u64,
    /// The page's number; the first is 1.
    pub page: u32,
    /// The most items on a page.
    pub limit: u32,
    /// How many pages there are.
    pub pages: u64,
}

/// Something that a user bought, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct InventoryItem {
    /// The number of the purchase.
    pub id: i64,
    /// Which item.
    pub item_id: i64,
    /// What it was called.
    pub name: String,
    /// What the user paid.
    pub price_paid: i64,
    /// When, in milliseconds since 1970 UTC.
    pub acquired_at_ms: i64,
}

/// A part of a user's inventory, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct InventoryPage {
    /// What the user bought.
    pub items: Vec<InventoryItem>,
    /// How much that is in all.
    pub total: u64,
    /// The most items in one answer.
    pub limit: u32,
    /// Asks for what comes behind these items; `null` where nothing does.
    pub next_cursor: Option<String>,
}

/// A user's money, for display: no purchase is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct Balance {
    /// How much.
    pub balance: i64,
}

/// What a purchase gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The money that is left.
    pub balance: i64,
    /// What was bought.
    pub inventory_item: InventoryItem,
}
