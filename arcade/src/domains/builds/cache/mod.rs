//! What of builds and classes is cached, and how it is read. The only place of this domain that
//! calls the cache.
//!
//! A list holds numbers, a build holds what is said of it, a count holds its likes: each in an entry
//! of its own, so that a change drops little. What everybody sees and what only an owner or an admin
//! sees are different entries, and a shared one is loaded by a statement that finds no private build.

mod keys;
mod loads;
mod plans;
mod shown;
mod warmed;
mod wrong;

use larder::{BuildError, Tag};

use self::keys::{BoardKey, BuildKey, ClassKey, LikedKey, LikesKey, ListKey, OwnKey, TrustedKey};
use super::input::{BoardQuery, ListQuery, OwnQuery};
use super::model::{Build, BuildList, Class, ClassList, LikeCount, TagList};
use super::rows::{BuildRows, Listed};
use crate::auth::UserId;
use crate::http::{ApiError, Cached, Slice};
use crate::reads::{CachedReads, Reads};

pub(super) use plans::{
    BOARDS, BUILDS, CLASS, CLASS_TAGS, CLASSES, LIKED, LIKES, LISTS, OWN, TRUSTED,
};
pub(super) use wrong::{LIKERS_MAX, Likers};

/// Builds and classes as readers see them: through the cache.
#[derive(Debug)]
pub struct BuildCaches {
    classes: CachedReads<(), ClassList>,
    class: CachedReads<ClassKey, Class>,
    class_tags: CachedReads<ClassKey, TagList>,
    builds: CachedReads<BuildKey, Build>,
    trusted: CachedReads<TrustedKey, Build>,
    likes: CachedReads<LikesKey, LikeCount>,
    lists: CachedReads<ListKey, BuildList>,
    own: CachedReads<OwnKey, BuildList>,
    liked: CachedReads<LikedKey, BuildList>,
    boards: CachedReads<BoardKey, BuildList>,
    rows: BuildRows,
}

impl BuildCaches {
    /// The caches of this domain.
    ///
    /// # Errors
    /// The lifetimes are not what the cache takes.
    pub fn build(reads: &Reads, rows: BuildRows) -> Result<Self, BuildError> {
        Ok(BuildCaches {
            classes: reads.cache(&CLASSES)?,
            class: reads.cache(&CLASS)?,
            class_tags: reads.cache(&CLASS_TAGS)?,
            builds: reads.cache(&BUILDS)?,
            trusted: reads.cache(&TRUSTED)?,
            likes: reads.cache(&LIKES)?,
            lists: reads.cache(&LISTS)?,
            own: reads.cache(&OWN)?,
            liked: reads.cache(&LIKED)?,
            boards: reads.cache(&BOARDS)?,
            rows,
        })
    }

    /// Every class.
    pub(super) async fn classes(&self) -> Result<Cached<ClassList>, ApiError> {
        let rows = self.rows.clone();
        self.classes.find(&(), "list", move |_| loads::classes(rows)).await
    }

    /// The class of this name, in any case.
    pub(super) async fn class(&self, name: &str) -> Result<Cached<Class>, ApiError> {
        let (rows, key) = (self.rows.clone(), ClassKey::of(name));
        let wanted = key.clone();
        self.class.find(&key, "class", move |_| loads::class(rows, wanted)).await
    }

    /// The tags of the class of this name, in any case.
    pub(super) async fn class_tags(&self, name: &str) -> Result<Cached<TagList>, ApiError> {
        let (rows, key) = (self.rows.clone(), ClassKey::of(name));
        let wanted = key.clone();
        self.class_tags.find(&key, "class", move |_| loads::class_tags(rows, wanted)).await
    }

    /// Which builds a list of public ones shows.
    pub(super) async fn list(&self, query: ListQuery) -> Result<Cached<BuildList>, ApiError> {
        let ListQuery { class, user: owner, slice, .. } = query;
        if !slice.is_cached() {
            let listed = Listed::Public { class, owner };
            return Ok(self.lists.bypass(self.rows.list(listed, slice).await?));
        }
        let Slice { limit, offset } = slice;
        let key = ListKey { class, owner: owner.map(|owner| owner.0), limit, offset };
        let (rows, wanted) = (self.rows.clone(), key.clone());
        self.lists.find(&key, "list", move |_| loads::list(rows, wanted)).await
    }

    /// Which builds this user made.
    pub(super) async fn own(
        &self,
        owner: UserId,
        OwnQuery { class, private, slice }: OwnQuery,
    ) -> Result<Cached<BuildList>, ApiError> {
        let listed = Listed::Own { owner, class, private };
        if !slice.is_cached() {
            return Ok(self.own.bypass(self.rows.list(listed, slice).await?));
        }
        let Slice { limit, offset } = slice;
        let key = OwnKey { owner: owner.0, class, private, limit, offset };
        let tags = vec![Tag::new("builds"), keys::own_tag(owner)];
        let rows = self.rows.clone();
        let load = move |_| async move { loads::tagged(rows.list(listed, slice).await?, tags) };
        self.own.find(&key, "list", load).await
    }

    /// Which builds this user likes and may see.
    pub(super) async fn liked(
        &self,
        user: UserId,
        slice: Slice,
    ) -> Result<Cached<BuildList>, ApiError> {
        if !slice.is_cached() {
            return Ok(self.liked.bypass(self.rows.liked(user, slice).await?));
        }
        let key = LikedKey { user: user.0, limit: slice.limit, offset: slice.offset };
        let tags = vec![Tag::new("builds"), keys::liked_tag(user)];
        let rows = self.rows.clone();
        let load = move |_| async move { loads::tagged(rows.liked(user, slice).await?, tags) };
        self.liked.find(&key, "list", load).await
    }

    /// Which public builds most users like.
    pub(super) async fn board(
        &self,
        BoardQuery { class, limit }: BoardQuery,
    ) -> Result<Cached<BuildList>, ApiError> {
        let (rows, key) = (self.rows.clone(), BoardKey { class, limit });
        let wanted = key.clone();
        self.boards.find(&key, "leaderboard", move |_| loads::board(rows, wanted)).await
    }
}
