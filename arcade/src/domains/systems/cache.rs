//! What of game systems and templates is cached, under which keys, for how long, and what a change
//! drops. The only place of this domain that calls the cache.

use std::sync::Arc;
use std::time::Duration;

use larder::{BuildError, Invalidation, Key, ReadableKey};

use super::model::{Category, Shelf, System, SystemCard, SystemPage};
use super::rows::{Listed, SystemRows};
use crate::auth::{CurrentUser, UserId};
use crate::bundles::{Bundle, Bundled};
use crate::http::{ApiError, Audience, CachePlan, Cached, Page};
use crate::reads::{CachedReads, Reads};
use crate::storage::StorageError;
use crate::tabletop::{ABSENT, room_tag, system_assets_tag};
use crate::warming::{Sets, WarmSet};

/// Single ones.
pub(super) const SYSTEM: CachePlan = CachePlan {
    name: "system-template",
    fresh: |cache| cache.system_template_fresh,
    stale: |_| Duration::ZERO,
    absent: ABSENT,
    tags: &["system-template:{id}"],
    // Who sees it differs.
    audience: Audience::Private,
};

/// Pages of lists.
pub(super) const QUERY: CachePlan = CachePlan {
    name: "query-systems",
    fresh: |cache| cache.query_fresh,
    stale: |_| Duration::ZERO,
    absent: Duration::ZERO,
    tags: &["query-systems:{shelf}:{owner}:{category}"],
    audience: Audience::Private,
};

#[derive(Clone, Copy, Key, ReadableKey)]
struct SystemKey {
    id: i64,
}

/// Shelf, owner and category come first, so that one prefix names all pages of a list. Without an
/// owner it is the list of what is public, without a category that of all.
#[derive(Clone, Key, ReadableKey)]
struct ListKey {
    shelf: Shelf,
    owner: Option<i64>,
    category: Option<Category>,
    page: u32,
    limit: u32,
}

/// Game systems and templates as readers see them: through the cache.
#[derive(Debug)]
pub struct SystemCaches {
    systems: CachedReads<SystemKey, System>,
    pages: CachedReads<ListKey, SystemPage>,
    rows: SystemRows,
}

impl SystemCaches {
    /// The caches of this domain.
    ///
    /// # Errors
    /// The lifetimes are not what the cache takes.
    pub fn build(reads: &Reads, rows: SystemRows) -> Result<Self, BuildError> {
        Ok(SystemCaches { systems: reads.cache(&SYSTEM)?, pages: reads.cache(&QUERY)?, rows })
    }

    /// One of this shelf, for `viewer`. One that they do not see is not there.
    pub(super) async fn system(
        &self,
        shelf: Shelf,
        id: i64,
        viewer: CurrentUser,
    ) -> Result<Cached<System>, ApiError> {
        let thing = thing(shelf);
        let (rows, key) = (self.rows.clone(), SystemKey { id });
        let system = self.systems.find(&key, thing, move |_| load_system(rows, key)).await?;
        match system.value.shelf == shelf && system.value.is_shown_to(viewer) {
            true => Ok(system),
            false => Err(ApiError::Absent { thing, provenance: system.provenance }),
        }
    }

    pub(super) async fn page(
        &self,
        listed: Listed,
        page: Page,
    ) -> Result<Cached<SystemPage>, ApiError> {
        if !page.is_cached() {
            return Ok(self.pages.bypass(self.rows.page(listed, page).await?));
        }
        let Listed { shelf, owner, category } = listed;
        let owner = owner.map(|owner| owner.0);
        let key = ListKey { shelf, owner, category, page: page.number, limit: page.limit };
        let (rows, wanted) = (self.rows.clone(), key.clone());
        self.pages.get_or_load(&key, move |_| load_page(rows, wanted)).await
    }

    /// What of this domain is warmed: the public systems and templates that are used most.
    pub fn warmed(&self, sets: Sets) -> Sets {
        let rows = self.rows.clone();
        let systems = self.systems.supplied(move |key| load_system(rows.clone(), key));
        let rows = self.rows.clone();
        let pages = self.pages.supplied(move |key| load_page(rows.clone(), key));
        let rows = self.rows.clone();
        let used = move |limit| {
            let rows = rows.clone();
            async move {
                Ok(rows.most_used(limit).await?.into_iter().map(|id| SystemKey { id }).collect())
            }
        };
        sets.set(WarmSet::Systems, &systems, used).restored(&systems).restored(&pages)
    }

    /// What is wrong once one came: itself, which may have been asked for, and the lists that show
    /// it.
    pub(super) fn came(&self, system: &System) -> Invalidation {
        self.listed(self.counted(system.id), system)
    }

    /// What is wrong once one was changed, which may have moved from one list to another. A change of
    /// what no list shows leaves the lists alone.
    pub(super) fn changed(&self, before: &System, after: &System) -> Invalidation {
        match SystemCard::of(before) == SystemCard::of(after) {
            true => self.counted(after.id),
            false => self.listed(self.came(after), before),
        }
    }

    /// What is wrong once one is gone, and with it the assets that were its own.
    pub(super) fn removed(&self, system: &System) -> Invalidation {
        self.came(system).tag(system_assets_tag(system.id))
    }

    /// What is wrong once one was applied to a room: no list counts that.
    pub(super) fn applied(&self, system: i64, room: i64) -> Invalidation {
        self.counted(system).tag(room_tag(room))
    }

    /// What is wrong once somebody thinks otherwise of one: no list shows that.
    pub(super) fn rated(&self, system: i64) -> Invalidation {
        self.counted(system)
    }

    fn counted(&self, id: i64) -> Invalidation {
        Invalidation::new().key(&self.systems, &SystemKey { id })
    }

    /// The lists that show it: those of its maker, and where it is public those of everybody.
    fn listed(&self, wrong: Invalidation, system: &System) -> Invalidation {
        let public = system.public.then_some(None);
        let lists = [Some(Some(system.owner_id)), public];
        lists.into_iter().flatten().fold(wrong, |wrong, owner: Option<i64>| {
            let all: (Shelf, Option<i64>, Option<Category>) = (system.shelf, owner, None);
            let narrow = (system.shelf, owner, Some(system.category));
            wrong.prefix(&self.pages, &all).prefix(&self.pages, &narrow)
        })
    }
}

impl Bundled for SystemCaches {
    const NAME: &'static str = "systems";

    fn held_of(&self, bundle: Bundle) -> Option<Invalidation> {
        match bundle {
            Bundle::System(id) => Some(self.counted(id).cache(&self.pages)),
            _ => None,
        }
    }
}

/// What one of this shelf is called where there is none.
pub(super) const fn thing(shelf: Shelf) -> &'static str {
    match shelf {
        Shelf::System => "game system",
        Shelf::Template => "template",
    }
}

async fn load_system(
    rows: SystemRows,
    SystemKey { id }: SystemKey,
) -> Result<Option<Arc<System>>, StorageError> {
    Ok(rows.system(id).await?.map(Arc::new))
}

async fn load_page(
    rows: SystemRows,
    ListKey { shelf, owner, category, page, limit }: ListKey,
) -> Result<Arc<SystemPage>, StorageError> {
    let listed = Listed { shelf, owner: owner.map(UserId), category };
    rows.page(listed, Page { number: page, limit }).await.map(Arc::new)
}
