//! What of notifications is cached, under which keys, for how long, and what a change drops. The
//! only place of this domain that calls the cache.

use std::sync::Arc;

use larder::clock::Moment;
use larder::{BuildError, Cache, Hit, Invalidation, Key, Larder, Origin, Outcome};

use super::model::{NotificationPage, UnreadCount};
use super::rows::NotificationRows;
use crate::auth::UserId;
use crate::http::{ApiError, CacheStatus, Cached, Page};
use crate::settings;
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
    pages: Cache<PageKey, Arc<NotificationPage>>,
    unread: Cache<UserKey, Arc<UnreadCount>>,
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
        let load = move |_| async move { rows.page(user, page).await.map(Arc::new) };
        let hit = self.pages.get_or_load(&key, load).await.map_err(failed)?;
        Ok(self.answered(PAGES, begun, hit))
    }

    pub(super) async fn unread_count(&self, user: UserId) -> Result<Cached<UnreadCount>, ApiError> {
        let begun = self.telemetry.now();
        let rows = self.rows.clone();
        let load = move |_| async move { rows.unread_count(user).await.map(Arc::new) };
        let hit = self.unread.get_or_load(&UserKey { user: user.0 }, load).await;
        Ok(self.answered(UNREAD, begun, hit.map_err(failed)?))
    }

    /// Drops everything that shows notifications of `user`. Every change ends here.
    pub(super) async fn changed(&self, user: UserId) {
        let dropped = Invalidation::new()
            .prefix(&self.pages, &(user.0,))
            .key(&self.unread, &UserKey { user: user.0 });
        match self.larder.invalidate(dropped).await.outcome() {
            Outcome::Shared(_) => {}
            // This node honours it already, and larder retries until the others know too.
            Outcome::Local(_) => tracing::warn!(%user, "an invalidation is not shared yet"),
        }
    }

    fn answered<T>(&self, cache: &'static str, begun: Moment, hit: Hit<Arc<T>>) -> Cached<T> {
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
        Cached { status, origin, age: hit.age(), value: Arc::clone(&hit) }
    }
}

/// A failed load is the database's failure; one that takes too long may succeed in a moment.
fn failed(error: larder::Error) -> ApiError {
    match error {
        larder::Error::Source(source) => match source.downcast_ref::<StorageError>() {
            Some(fault) if fault.is_transient() => ApiError::Unavailable(Box::new(source)),
            _ => ApiError::Internal(Box::new(source)),
        },
        larder::Error::TimedOut { .. } | larder::Error::GivenUp { .. } | larder::Error::Closed => {
            ApiError::Unavailable(Box::new(error))
        }
        _ => ApiError::Internal(Box::new(error)),
    }
}
