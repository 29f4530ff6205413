//! Decides what a change does: first the database, then the cache, and never one without the
//! other.

use std::sync::Arc;

use larder::Rule;
use sqlx::AnyConnection;

use super::cache::NotificationCaches;
use super::model::{Notification, ReadAll};
use super::rows::{NewNotification, NotificationRows};
use crate::auth::UserId;
use crate::bundles::{self, Bundle};
use crate::http::ApiError;
use crate::storage::{StorageError, retried};
use crate::wall;
use crate::writes::Writes;

/// A change that a user may make to their notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Marks one as read.
    Read(i64),
    /// Marks all as read.
    ReadAll,
    /// Removes one.
    Delete(i64),
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// This one is read now.
    Read(Notification),
    /// All are read now.
    AllRead(ReadAll),
    /// It is gone.
    Deleted,
    /// The user has no such notification.
    Nothing,
}

/// Notifications: reads through the cache, changes through [`Change`]. Clones share everything.
#[derive(Debug, Clone)]
pub struct Notifications {
    caches: Arc<NotificationCaches>,
    writes: Writes,
}

impl Notifications {
    /// Every change goes through `writes`.
    pub fn new(caches: NotificationCaches, writes: Writes) -> Self {
        Notifications { caches: Arc::new(caches), writes }
    }

    pub(super) fn caches(&self) -> &NotificationCaches {
        &self.caches
    }

    /// The rule by which this domain drops a bundle.
    pub fn rule(&self) -> Rule<Bundle> {
        bundles::rule(&self.caches)
    }

    /// Tells a user something, and drops what the cache holds of that user.
    ///
    /// # Errors
    /// The database refuses. Nothing has changed then, or nobody knows whether it has.
    ///
    /// # Cancel safety
    /// As [`apply`](Notifications::apply).
    pub async fn tell(&self, new: NewNotification) -> Result<(), ApiError> {
        let Notifications { caches, writes } = self.clone();
        let told = async move {
            retried(async || {
                let mut change = writes.begin().await?;
                NotificationRows::insert(&mut change, std::slice::from_ref(&new)).await?;
                change.drops(caches.of(new.user));
                change.commit().await
            })
            .await
        };
        self.writes.to_its_end(told).await
    }

    /// Makes the change that `user` wishes, and drops what it makes wrong.
    ///
    /// # Errors
    /// The database refuses. Nothing has changed then, or nobody knows whether it has; the entries
    /// are dropped in that case too.
    ///
    /// # Cancel safety
    /// Once polled, the change and its invalidation run to their end even if this future is
    /// dropped: a caller that hangs up between the two must not leave an old entry behind.
    pub async fn apply(&self, user: UserId, wish: Change) -> Result<Changed, ApiError> {
        let Notifications { caches, writes } = self.clone();
        let applied = async move {
            retried(async || {
                let mut change = writes.begin().await?;
                let changed = made(&mut change, user, wish).await?;
                if changed.shows() {
                    change.drops(caches.of(user));
                }
                change.commit().await?;
                Ok(changed)
            })
            .await
        };
        self.writes.to_its_end(applied).await
    }
}

impl Changed {
    /// Whether anybody sees it.
    fn shows(&self) -> bool {
        !matches!(self, Changed::Nothing | Changed::AllRead(ReadAll { updated: 0 }))
    }
}

async fn made(
    connection: &mut AnyConnection,
    user: UserId,
    wish: Change,
) -> Result<Changed, StorageError> {
    let now_ms = wall::now_ms();
    Ok(match wish {
        Change::Read(id) => match NotificationRows::read(connection, user, id, now_ms).await? {
            Some(notification) => Changed::Read(notification),
            None => Changed::Nothing,
        },
        Change::ReadAll => {
            let updated = NotificationRows::read_all(connection, user, now_ms).await?;
            Changed::AllRead(ReadAll { updated })
        }
        Change::Delete(id) => match NotificationRows::delete(connection, user, id).await? {
            0 => Changed::Nothing,
            _ => Changed::Deleted,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;
    use crate::demo::World;
    use crate::http::{CacheStatus, Page};
    use crate::scene::Scene;

    const WORLD: World = World { seed: 7, users: 2, tournaments: 0, items: 0, notifications: 20 };

    const FIRST: Page = Page { number: 1, limit: 50 };

    fn notifications(scene: &Scene) -> Notifications {
        let rows = NotificationRows::new(scene.store.clone());
        let caches = NotificationCaches::build(&scene.reads, rows).expect("caches");
        Notifications::new(caches, scene.writes.clone())
    }

    #[tokio::test]
    async fn a_caller_that_hangs_up_leaves_no_old_entry_behind() {
        let scene = Scene::of(WORLD).await;
        let notifications = notifications(&scene);
        let user = UserId(1);
        let before = notifications.caches().page(user, FIRST).await.expect("page");
        assert!(before.value.unread > 0);
        let mut applied = Box::pin(notifications.apply(user, Change::ReadAll));
        let polled = applied.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        drop(applied);
        scene.settled().await;
        let after = notifications.caches().page(user, FIRST).await.expect("page");
        assert_eq!((after.provenance.status, after.value.unread), (CacheStatus::Miss, 0));
    }

    #[tokio::test]
    async fn a_new_notification_shows_at_once() {
        let scene = Scene::of(WORLD).await;
        let notifications = notifications(&scene);
        let caches = notifications.caches();
        let before = caches.page(UserId(1), FIRST).await.expect("page");
        caches.page(UserId(2), FIRST).await.expect("page");
        let mut newest = before.value.items.first().expect("the user has some").clone();
        newest.id += 1_000;
        newest.created_at_ms += 1;
        let new = NewNotification { user: UserId(1), notification: newest.clone() };
        notifications.tell(new).await.expect("told");
        let after = caches.page(UserId(1), FIRST).await.expect("page");
        assert_eq!(after.provenance.status, CacheStatus::Miss);
        assert_eq!(
            (after.value.items.first(), after.value.total),
            (Some(&newest), before.value.total + 1)
        );
        let other = caches.page(UserId(2), FIRST).await.expect("page");
        assert_eq!(other.provenance.status, CacheStatus::Hit);
    }
}
