//! What of notifications is cached, under which keys, for how long, and what a change drops. The
//! only place of this domain that calls the cache.

use std::sync::Arc;
use std::time::Duration;

use larder::{BuildError, Invalidation, Key, ReadableKey};

use super::model::{NotificationPage, UnreadCount};
use super::rows::NotificationRows;
use crate::auth::UserId;
use crate::bundles::{Bundle, Bundled};
use crate::http::{ApiError, Audience, CachePlan, Cached, Page};
use crate::reads::{CachedReads, Reads};
use crate::storage::StorageError;
use crate::warming::Sets;

/// Pages of a user's notifications.
pub(super) const PAGES: CachePlan = CachePlan {
    name: "notifications",
    fresh: |cache| cache.notifications_fresh,
    stale: |_| Duration::ZERO,
    absent: Duration::ZERO,
    tags: &["notifications:{user}"],
    audience: Audience::Private,
};

/// How many a user has not read.
pub(super) const UNREAD: CachePlan = CachePlan {
    name: "notifications-unread",
    fresh: |cache| cache.unread_count_fresh,
    stale: |_| Duration::ZERO,
    absent: Duration::ZERO,
    tags: &["notifications-unread:{user}"],
    audience: Audience::Private,
};

/// The user comes first, so that one prefix names all pages of a user.
#[derive(Clone, Copy, Key, ReadableKey)]
struct PageKey {
    user: i64,
    page: u32,
    limit: u32,
}

/// The key of what exists once for each user.
#[derive(Clone, Copy, Key, ReadableKey)]
struct UserKey {
    user: i64,
}

/// Notifications as readers see them: through the cache.
#[derive(Debug)]
pub struct NotificationCaches {
    pages: CachedReads<PageKey, NotificationPage>,
    unread: CachedReads<UserKey, UnreadCount>,
    rows: NotificationRows,
}

impl NotificationCaches {
    /// The caches of this domain.
    ///
    /// # Errors
    /// The lifetimes are not what the cache takes.
    pub fn build(reads: &Reads, rows: NotificationRows) -> Result<Self, BuildError> {
        Ok(NotificationCaches { pages: reads.cache(&PAGES)?, unread: reads.cache(&UNREAD)?, rows })
    }

    pub(super) async fn page(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<Cached<NotificationPage>, ApiError> {
        if !page.is_cached() {
            return Ok(self.pages.bypass(self.rows.page(user, page).await?));
        }
        let key = PageKey { user: user.0, page: page.number, limit: page.limit };
        let rows = self.rows.clone();
        self.pages.get_or_load(&key, move |_| load_page(rows, key)).await
    }

    pub(super) async fn unread_count(&self, user: UserId) -> Result<Cached<UnreadCount>, ApiError> {
        let (rows, key) = (self.rows.clone(), UserKey { user: user.0 });
        self.unread.get_or_load(&key, move |_| load_unread(rows, key)).await
    }

    /// What of this domain is warmed: what was hot when the process before ended.
    pub fn warmed(&self, sets: Sets) -> Sets {
        let rows = self.rows.clone();
        let pages = self.pages.supplied(move |key| load_page(rows.clone(), key));
        let rows = self.rows.clone();
        let unread = self.unread.supplied(move |key| load_unread(rows.clone(), key));
        sets.restored(&pages).restored(&unread)
    }

    /// What is wrong once notifications of `user` came, went or were read.
    pub(super) fn of(&self, user: UserId) -> Invalidation {
        Invalidation::new()
            .prefix(&self.pages, &(user.0,))
            .key(&self.unread, &UserKey { user: user.0 })
    }
}

impl Bundled for NotificationCaches {
    const NAME: &'static str = "notifications";

    fn held_of(&self, bundle: Bundle) -> Option<Invalidation> {
        match bundle {
            Bundle::User(user) => Some(self.of(user)),
            _ => None,
        }
    }
}

async fn load_page(
    rows: NotificationRows,
    PageKey { user, page, limit }: PageKey,
) -> Result<Arc<NotificationPage>, StorageError> {
    rows.page(UserId(user), Page { number: page, limit }).await.map(Arc::new)
}

async fn load_unread(
    rows: NotificationRows,
    UserKey { user }: UserKey,
) -> Result<Arc<UnreadCount>, StorageError> {
    rows.unread_count(UserId(user)).await.map(Arc::new)
}
