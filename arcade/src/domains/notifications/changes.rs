//! Decides what a change does: first the database, then the cache, and never one without the
//! other.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use super::cache::NotificationCaches;
use super::model::{Notification, ReadAll};
use super::rows::{NewNotification, NotificationRows};
use crate::auth::UserId;
use crate::http::ApiError;
use crate::storage::StorageError;
use crate::wall;

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
    rows: NotificationRows,
    running: TaskTracker,
}

impl Notifications {
    /// `running` owns the changes under way; a shutdown waits for them.
    pub fn new(caches: NotificationCaches, rows: NotificationRows, running: TaskTracker) -> Self {
        Notifications { caches: Arc::new(caches), rows, running }
    }

    pub(super) fn caches(&self) -> &NotificationCaches {
        &self.caches
    }

    /// Tells a user something: commits it, then drops what the cache holds of that user.
    ///
    /// # Errors
    /// The database refuses. Nothing has changed then, or nobody knows whether it has.
    ///
    /// # Cancel safety
    /// As [`apply`](Notifications::apply).
    pub async fn tell(&self, new: NewNotification) -> Result<(), ApiError> {
        let Notifications { caches, rows, .. } = self.clone();
        let work = async move {
            let told = rows.create(&new).await;
            caches.changed(new.user).await;
            told
        };
        let ended = self.running.spawn(work).await;
        ended.map_err(|fault| ApiError::Internal(Box::new(fault)))?.map_err(ApiError::from)
    }

    /// Commits `change` for `user`, then drops what the cache holds of that user.
    ///
    /// # Errors
    /// The database refuses. Nothing has changed then, or nobody knows whether it has; the cache
    /// is dropped in that case too.
    ///
    /// # Cancel safety
    /// Once polled, the change and its invalidation run to their end even if this future is
    /// dropped: a caller that hangs up between the two must not leave an old entry behind.
    pub async fn apply(&self, user: UserId, change: Change) -> Result<Changed, ApiError> {
        let Notifications { caches, rows, .. } = self.clone();
        let work = async move {
            let changed = commit(&rows, user, change).await;
            if !matches!(changed, Ok(Changed::Nothing)) {
                caches.changed(user).await;
            }
            changed
        };
        let ended = self.running.spawn(work).await;
        ended.map_err(|fault| ApiError::Internal(Box::new(fault)))?.map_err(ApiError::from)
    }
}

async fn commit(
    rows: &NotificationRows,
    user: UserId,
    change: Change,
) -> Result<Changed, StorageError> {
    let now_ms = wall::now_ms();
    Ok(match change {
        Change::Read(id) => match rows.read(user, id, now_ms).await? {
            Some(notification) => Changed::Read(notification),
            None => Changed::Nothing,
        },
        Change::ReadAll => Changed::AllRead(ReadAll { updated: rows.read_all(user, now_ms).await? }),
        Change::Delete(id) => match rows.delete(user, id).await? {
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
        let caches = NotificationCaches::build(&scene.reads, rows.clone()).expect("caches");
        Notifications::new(caches, rows, TaskTracker::new())
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
        notifications.running.close();
        notifications.running.wait().await;
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
