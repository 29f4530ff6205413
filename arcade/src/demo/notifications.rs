//! The notifications of the demo world. Few users have many of them, as in life.

use std::collections::BTreeMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::filling::Filling;
use super::{BEGIN_MS, SPAN_MS, World, words};
use crate::domains::notifications::{NewNotification, Notification, NotificationRows};
use crate::storage::StorageError;

const STREAM: u64 = 2;

pub(super) async fn fill(filling: &mut Filling<'_>) -> Result<(), StorageError> {
    let world = filling.world;
    let mut random = world.random(STREAM);
    filling
        .part("notifications", world.notifications, async |connection, ids| {
            let new = |id: &i64| notification(world, *id, &mut random);
            NotificationRows::insert(connection, &ids.iter().map(new).collect::<Vec<_>>()).await
        })
        .await
}

fn notification(world: World, id: i64, random: &mut ChaCha8Rng) -> NewNotification {
    let event = words::event_of(random);
    let other = random.random_range(1..=world.users);
    let created_at_ms = BEGIN_MS + id * SPAN_MS / i64::from(world.notifications);
    // Three of five have been read, each within an hour.
    let read_at_ms =
        random.random_ratio(3, 5).then(|| created_at_ms + random.random_range(1_000..3_600_000));
    let notification = Notification {
        id,
        kind: event.kind.to_owned(),
        title: event.title.to_owned(),
        message: event.message.replace("{other}", &format!("Player {other}")),
        payload: BTreeMap::from([("actor".to_owned(), other.to_string())]),
        priority: event.priority.to_owned(),
        read: read_at_ms.is_some(),
        read_at_ms,
        created_at_ms,
    };
    NewNotification { user: world.frequent_user(random), notification }
}
