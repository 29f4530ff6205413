//! What of notifications is cached, under which keys, for how long, and what a change drops. The
//! only place of this domain that calls the cache.

use std::sync::Arc;

use larder::Key;
use larder::clock::Moment;

use super::model::{NotificationPage, UnreadCount};
use super::rows::NotificationRows;
use crate::auth::UserId;
use crate::http::{self, ApiError, CacheStatus, Cached, Page};
use crate::settings;
use crate::stand_in as larder_cache;
use crate::stand_in::{BuildError, Cache, Hit, Invalidation, Larder, Origin};
use crate::storage::StorageError;
use crate::telemetry::{CacheRead, Telemetry};

/// Pages above this number bypass the cache: few ask for them, and each would take the place of
/// a page that many ask for.
pub const PAGES_CACHED_MAX: u32 = 3;

const PAGES: &str = "notifications";
const UNREAD: &str = "notifications-unread";

/// The user comes first, so that one prefix names all pages of a user.
#[derive(Key)]
struct PageKey {
    user: i64,
    page: u32,
    limit: u32,
}

/// The key of what exists once for each user.
#[derive(Key)]
struct UserKey {
    user: i64,
}

/// Notifications as readers see them: through the cache.
#[derive(Debug)]
pub struct NotificationCaches {
    larder: Larder,
    pages: Cache<PageKey, NotificationPage>,
    unread: Cache<UserKey, UnreadCount>,
    rows: NotificationRows,
    telemetry: Arc<Telemetry>,
}

impl NotificationCaches {
    /// The caches of this domain in `larder`.
    ///
    /// # Errors
    /// The lifetimes are not what the cache takes.
    pub fn build(
        larder: &Larder,
        lifetimes: &settings::Cache,
        rows: NotificationRows,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, BuildError> {
        Ok(NotificationCaches {
            larder: larder.clone(),
            pages: larder.cache(PAGES).fresh_for(lifetimes.notifications_fresh).build()?,
            unread: larder.cache(UNREAD).fresh_for(lifetimes.unread_count_fresh).build()?,
            rows,
            telemetry,
        })
    }

    pub(super) async fn page(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<Cached<NotificationPage>, ApiError> {
        if page.number > PAGES_CACHED_MAX {
            return Ok(Cached::bypass(self.rows.page(user, page).await?));
        }
        let begun = self.telemetry.now();
        let key = PageKey { user: user.0, page: page.number, limit: page.limit };
        let rows = self.rows.clone();
        let load = |_| async move { rows.page(user, page).await };
        let hit = self.pages.get_or_load(&key, load).await.map_err(failed)?;
        Ok(self.answered(PAGES, begun, hit))
    }

    pub(super) async fn unread_count(&self, user: UserId) -> Result<Cached<UnreadCount>, ApiError> {
        let begun = self.telemetry.now();
        let rows = self.rows.clone();
        let load = |_| async move { rows.unread_count(user).await };
        let hit = self.unread.get_or_load(&UserKey { user: user.0 }, load).await;
        Ok(self.answered(UNREAD, begun, hit.map_err(failed)?))
    }

    /// Drops everything that shows notifications of `user`. Every change ends here.
    pub(super) async fn changed(&self, user: UserId) {
        let dropped = Invalidation::new()
            .prefix(&self.pages, &(user.0,))
            .key(&self.unread, &UserKey { user: user.0 });
        self.larder.invalidate(dropped).await;
    }

    fn answered<T>(&self, cache: &'static str, begun: Moment, hit: Hit<T>) -> Cached<T> {
        let (status, origin) = match (hit.origin(), hit.is_stale()) {
            (Origin::Memory, false) => (CacheStatus::Hit, "memory"),
            (Origin::Memory, true) => (CacheStatus::Stale, "memory"),
            (Origin::Shared, false) => (CacheStatus::Hit, "shared"),
            (Origin::Shared, true) => (CacheStatus::Stale, "shared"),
            (Origin::Loaded, _) => (CacheStatus::Miss, "loaded"),
        };
        self.telemetry.cache_read(&CacheRead {
            cache,
            status,
            origin,
            took: self.telemetry.since(begun),
        });
        Cached { status, origin, age: hit.age(), value: hit.into_arc() }
    }
}

/// A failed load is the database's failure, wherever the cache has wrapped it.
fn failed(error: larder_cache::Error) -> ApiError {
    let transient = http::sources(&error)
        .any(|error| error.downcast_ref::<StorageError>().is_some_and(StorageError::is_transient));
    match transient {
        true => ApiError::Unavailable(Box::new(error)),
        false => ApiError::Internal(Box::new(error)),
    }
}
