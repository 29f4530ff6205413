//! Which reads are made: every cached read route, the things and users drawn by Zipf's law, the
//! pages too. Seeded, so that both sides see the same requests.

use rand::Rng;
use rand::rngs::SmallRng;
use yardstick::keys;

use crate::serving::WORLD;

/// Zipf's exponent of the things and of the users that are asked for.
const EXPONENT: f64 = 0.99;

const CATEGORIES: [&str; 6] = ["avatar", "chalk", "cue", "outfit", "table", "trophy"];

/// A read.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) path: String,
    /// Whose token it carries.
    pub(crate) user: Option<i64>,
}

/// Which routes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Routes {
    /// All of them.
    Every,
    /// Those that answer a list.
    Lists,
}

/// `count` reads, the same for the same seed.
///
/// # Errors
/// There are no things to draw from.
pub(crate) fn reads(routes: Routes, count: usize, seed: u64) -> anyhow::Result<Vec<Read>> {
    let mut chance = keys::seeded(seed);
    let users = keys::zipf(WORLD.users, EXPONENT, count, seed ^ 1)?;
    let items = keys::zipf(WORLD.items, EXPONENT, count, seed ^ 2)?;
    let tournaments = keys::zipf(WORLD.tournaments, EXPONENT, count, seed ^ 3)?;
    let places = users.into_iter().zip(items).zip(tournaments);
    let drawn = places.map(|((user, item), tournament)| Drawn {
        user: user as i64 + 1,
        item: item + 1,
        tournament: tournament + 1,
    });
    Ok(drawn.map(|drawn| read(routes, drawn, &mut chance)).collect())
}

/// What a read is about.
struct Drawn {
    user: i64,
    item: u64,
    tournament: u64,
}

fn read(routes: Routes, drawn: Drawn, chance: &mut SmallRng) -> Read {
    let Drawn { user, item, tournament } = drawn;
    let public = |path: String| Read { path, user: None };
    let own = |path: String| Read { path, user: Some(user) };
    // Nine of ten look at the first page, as people do.
    let page = if chance.random_ratio(9, 10) { 1 } else { chance.random_range(2..=3) };
    let kinds = match routes {
        Routes::Lists => 5,
        Routes::Every => 11,
    };
    match chance.random_range(0..kinds) {
        0 => public(format!("/v1/tournaments?page={page}")),
        1 => public(format!("/marketplace/items?page={page}")),
        2 => {
            let category = CATEGORIES[chance.random_range(0..CATEGORIES.len())];
            public(format!("/marketplace/items?category={category}&page={page}"))
        }
        3 => own(format!("/notifications?page={page}")),
        4 => public(format!("/v1/tournaments/{tournament}/matches")),
        5 => own("/marketplace/inventory".to_owned()),
        6 => own("/notifications/unread-count".to_owned()),
        7 => own("/marketplace/balance".to_owned()),
        8 => public(format!("/v1/tournaments/{tournament}")),
        _ => public(format!("/marketplace/items/{item}")),
    }
}
