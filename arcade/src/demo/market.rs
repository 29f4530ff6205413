//! The marketplace of the demo world: items, what users bought, and the entries of
//! the ledger for it. Few users buy much, as in life.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::filling::Filling;
use super::{BEGIN_MS, SPAN_MS, World};
use crate::auth::UserId;
use crate::balances;
use crate::domains::marketplace::{Category, InventoryItem, Item, MarketRows, inventory_insert};
use crate::ledger::{self, LedgerEntry, Reason};
use crate::storage::StorageError;

const STREAM: u64 = 4;

/// How often an item was bought, on average.
const PURCHASES_AN_ITEM: u32 = 2;

/// The cheapest and the dearest demo item, in minor units: nobody can spend more on their
/// purchases than the poorest user began with.
const PRICES_MINOR: std::ops::RangeInclusive<i64> = 100..=10_000;

const LOOKS: [&str; 8] = ["Amber", "Black", "Carbon", "Golden", "Ivory", "Jade", "Neon", "Royal"];

const THINGS: [(Category, &str); 12] = [
    (Category::Avatar, "Fox"),
    (Category::Avatar, "Robot"),
    (Category::Chalk, "Chalk"),
    (Category::Chalk, "Chalk Holder"),
    (Category::Cue, "Break Cue"),
    (Category::Cue, "Jump Cue"),
    (Category::Outfit, "Glove"),
    (Category::Outfit, "Waistcoat"),
    (Category::Table, "Cloth"),
    (Category::Table, "Ball Set"),
    (Category::Trophy, "Cup"),
    (Category::Trophy, "Medal"),
];

pub(super) async fn fill(filling: &mut Filling<'_>) -> Result<(), StorageError> {
    let world = filling.world;
    let mut random = world.random(STREAM);
    let items: Vec<Item> =
        (1..=i64::from(world.items)).map(|id| item(world, id, &mut random)).collect();
    filling
        .part("items", world.items, async |connection, ids| {
            MarketRows::insert(connection, numbered(&items, ids)).await
        })
        .await?;
    let purchases = if items.is_empty() { 0 } else { world.items * PURCHASES_AN_ITEM };
    let bought: Vec<(UserId, InventoryItem)> = (1..=i64::from(purchases))
        .map(|id| (world.frequent_user(&mut random), purchase(id, &items, &mut random)))
        .collect();
    filling
        .part("purchases", purchases, async |connection, ids| {
            let batch: Vec<_> =
                numbered(&bought, ids).iter().map(|(user, item)| (*user, item)).collect();
            let paid: Vec<_> =
                batch.iter().flat_map(|(user, item)| paid(world, *user, item)).collect();
            inventory_insert(connection, &batch).await?;
            ledger::append(connection, &paid).await
        })
        .await?;
    balances::settle(filling.connection).await
}

/// Those of `all` whose numbers, counted from 1, are `ids`.
fn numbered<'a, T>(all: &'a [T], ids: &[i64]) -> &'a [T] {
    let first = ids.first().map_or(0, |id| *id as usize - 1);
    &all[first..first + ids.len()]
}

fn item(world: World, id: i64, random: &mut ChaCha8Rng) -> Item {
    let look = LOOKS[random.random_range(0..LOOKS.len() as u32) as usize];
    let (category, thing) = THINGS[random.random_range(0..THINGS.len() as u32) as usize];
    // One in twenty is not for sale, and one in twenty is sold out.
    let available = !random.random_ratio(1, 20);
    let sold_out = random.random_ratio(1, 20);
    let stock = random.random_range(1..=500);
    Item {
        id,
        name: format!("{look} {thing} No. {id}"),
        description: format!("A {thing} in {look}, made for players who like to be seen."),
        price: random.random_range(PRICES_MINOR),
        category,
        image: format!("/images/items/{}.webp", category.name()),
        available,
        stock: if sold_out { 0 } else { stock },
        community_item: random.random_ratio(1, 4),
        // The first half of the time makes the items, the second sells them.
        created_at_ms: BEGIN_MS + id * SPAN_MS / 2 / i64::from(world.items),
    }
}

fn purchase(id: i64, items: &[Item], random: &mut ChaCha8Rng) -> InventoryItem {
    let item = &items[random.random_range(0..items.len() as u32) as usize];
    InventoryItem {
        id,
        item_id: item.id,
        name: item.name.clone(),
        price_paid: item.price,
        acquired_at_ms: BEGIN_MS + SPAN_MS / 2 + random.random_range(0..SPAN_MS / 2),
    }
}

/// The lines of a purchase. The transfers before it are those that opened an account for each user.
fn paid(world: World, user: UserId, item: &InventoryItem) -> [LedgerEntry; 2] {
    let InventoryItem { id, price_paid, acquired_at_ms, .. } = *item;
    let transfer = i64::from(world.users) + id;
    ledger::lines(transfer, user, -price_paid, Reason::Purchase(id), acquired_at_ms)
}
