//! The users of the demo world. All of them have one password, so that it is hashed only once.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::filling::Filling;
use super::{BEGIN_MS, World, words};
use crate::auth::{Role, UserId};
use crate::domains::users::{NewUser, UserRows};
use crate::ledger::{self, Reason};
use crate::storage::StorageError;

const STREAM: u64 = 1;

/// The poorest and the richest demo user, in minor units.
const BALANCES_MINOR: std::ops::RangeInclusive<i64> = 1_000_000..=50_000_000;

pub(super) async fn fill(filling: &mut Filling<'_>, password_hash: &str) -> Result<(), StorageError> {
    let world = filling.world;
    let mut random = world.random(STREAM);
    UserRows::reserve(filling.connection, world.users).await?;
    filling
        .part("users", world.users, async |connection, ids| {
            let new = |id: &i64| user(world, UserId(*id), password_hash, &mut random);
            let users: Vec<NewUser> = ids.iter().map(new).collect();
            UserRows::insert(connection, &users).await?;
            let opened = |user: &NewUser| {
                ledger::lines(user.id.0, user.id, user.balance_minor, Reason::Opening, BEGIN_MS)
            };
            ledger::append(connection, &users.iter().flat_map(opened).collect::<Vec<_>>()).await
        })
        .await
}

fn user(world: World, id: UserId, password_hash: &str, random: &mut ChaCha8Rng) -> NewUser {
    NewUser {
        id,
        name: words::name(random),
        email: format!("user{id}@arcade.example"),
        role: if id == world.admin() { Role::Admin } else { Role::Player },
        password_hash: password_hash.to_owned(),
        balance_minor: random.random_range(BALANCES_MINOR),
        created_at_ms: BEGIN_MS,
    }
}
