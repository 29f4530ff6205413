//! Decides what a change of a build does: first the database, then the cache, and never one without
//! the other.

use std::sync::Arc;

use larder::Rule;
use sqlx::AnyConnection;

use super::cache::{BuildCaches, LIKERS_MAX, Likers};
use super::model::{Build, BuildChange, NewBuild, Toggled};
use super::rows::{BuildRows, Locked};
use super::rules::{self, Refusal};
use crate::auth::{CurrentUser, UserId};
use crate::bundles::{self, Bundle};
use crate::http::ApiError;
use crate::storage::{StorageError, new_id, retried};
use crate::wall;
use crate::writes::Writes;

/// Builds and classes: reads through the cache, changes through its verbs. Clones share everything.
///
/// # Cancel safety
/// Once polled, a change and its invalidation run to their end even if the future is dropped: a
/// caller that hangs up between the two must not leave an old entry behind.
#[derive(Debug, Clone)]
pub struct Builds {
    pub(super) caches: Arc<BuildCaches>,
    pub(super) writes: Writes,
}

impl Builds {
    /// Every change goes through `writes`.
    pub fn new(caches: BuildCaches, writes: Writes) -> Self {
        Builds { caches: Arc::new(caches), writes }
    }

    pub(super) fn caches(&self) -> &BuildCaches {
        &self.caches
    }

    /// The rule by which this domain drops a bundle.
    pub fn rule(&self) -> Rule<Bundle> {
        bundles::rule(&self.caches)
    }

    /// Makes a build of this user, with all that is chosen in it.
    ///
    /// # Errors
    /// The build is refused, or the database is away.
    pub async fn create(&self, user: UserId, new: NewBuild) -> Result<Build, ApiError> {
        let Builds { caches, writes } = self.clone();
        let build = new.of(user, new_id(), wall::now_ms());
        let create = async move {
            let created = retried(async || {
                let mut change = writes.begin().await?;
                if !BuildRows::is_user(&mut change, user).await? {
                    return Ok(Err(Refusal::NoUser));
                }
                if let Err(refusal) = judged(&mut change, &build).await? {
                    return Ok(Err(refusal));
                }
                BuildRows::insert(&mut change, std::slice::from_ref(&build)).await?;
                change.drops(caches.created(&build));
                change.commit().await?;
                Ok(Ok(()))
            });
            created.await?.map(|()| build).map_err(ApiError::from)
        };
        self.writes.to_its_end(create).await
    }

    /// Changes what is given, whole or not at all, and tells how many like the build.
    ///
    /// # Errors
    /// The change is refused, or the database is away.
    pub async fn change(
        &self,
        actor: CurrentUser,
        id: i64,
        wish: BuildChange,
    ) -> Result<(Build, u64), ApiError> {
        let Builds { caches, writes } = self.clone();
        let changed = async move {
            let changed = retried(async || {
                let mut change = writes.begin().await?;
                let Locked { build: before, likes } = match editable(&mut change, actor, id).await? {
                    Ok(locked) => locked,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let after = wish.clone().applied(&before, wall::now_ms());
                // Whoever only hides a build need not mend what a change of its class has broken.
                let only_hides = after.head.private && wish.is_only_private();
                if !only_hides && let Err(refusal) = judged(&mut change, &after).await? {
                    return Ok(Err(refusal));
                }
                BuildRows::change(&mut change, &after).await?;
                let likers = match before.head.private == after.head.private {
                    true => Likers::These(Vec::new()),
                    false => likers(&mut change, id).await?,
                };
                change.drops(caches.updated(&before, &after, &likers));
                change.commit().await?;
                Ok(Ok((after, likes)))
            });
            changed.await?.map_err(ApiError::from)
        };
        self.writes.to_its_end(changed).await
    }

    /// Removes a build with its likes.
    ///
    /// # Errors
    /// The change is refused, or the database is away.
    pub async fn remove(&self, actor: CurrentUser, id: i64) -> Result<(), ApiError> {
        let Builds { caches, writes } = self.clone();
        let removed = async move {
            let removed = retried(async || {
                let mut change = writes.begin().await?;
                let Locked { build, .. } = match editable(&mut change, actor, id).await? {
                    Ok(locked) => locked,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let likers = likers(&mut change, id).await?;
                BuildRows::remove(&mut change, id).await?;
                change.drops(caches.removed(&build, &likers));
                change.commit().await?;
                Ok(Ok(()))
            });
            removed.await?.map_err(ApiError::from)
        };
        self.writes.to_its_end(removed).await
    }

    /// Likes a build, or no longer.
    ///
    /// # Errors
    /// There is no such build for this user, or the database is away.
    pub async fn toggle_like(&self, user: UserId, id: i64) -> Result<Toggled, ApiError> {
        let Builds { caches, writes } = self.clone();
        let toggled = async move {
            let toggled = retried(async || {
                let mut change = writes.begin().await?;
                // Its row is held until the commit: no two likes count at a time, and none comes
                // between a build that hides and the lists that it leaves.
                let Some(Locked { build, likes }) = BuildRows::lock(&mut change, id).await? else {
                    return Ok(Err(Refusal::NoBuild));
                };
                if let Err(refusal) = rules::like(&build, user) {
                    return Ok(Err(refusal));
                }
                if !BuildRows::is_user(&mut change, user).await? {
                    return Ok(Err(Refusal::NoUser));
                }
                let liked = BuildRows::toggle(&mut change, id, user, wall::now_ms()).await?;
                change.drops(caches.liked_or_not(&build, user));
                change.commit().await?;
                let likes_count = if liked { likes + 1 } else { likes.saturating_sub(1) };
                Ok(Ok(Toggled { liked, likes_count }))
            });
            toggled.await?.map_err(ApiError::from)
        };
        self.writes.to_its_end(toggled).await
    }
}

/// The build, held until the commit, if this user may change it.
async fn editable(
    connection: &mut AnyConnection,
    actor: CurrentUser,
    id: i64,
) -> Result<Result<Locked, Refusal>, StorageError> {
    let locked = BuildRows::lock(connection, id).await?.ok_or(Refusal::NoBuild);
    Ok(locked.and_then(|locked| rules::edit(&locked.build, actor).map(|()| locked)))
}

/// Whether a build fits its class as it is now.
async fn judged(
    connection: &mut AnyConnection,
    build: &Build,
) -> Result<Result<(), Refusal>, StorageError> {
    let skills = BuildRows::skills(connection, build.head.class_id).await?;
    Ok(match skills {
        Some(skills) => rules::fits(&build.graph, &skills),
        None => Err(rules::no_class()),
    })
}

async fn likers(connection: &mut AnyConnection, id: i64) -> Result<Likers, StorageError> {
    Ok(Likers::of(BuildRows::likers(connection, id, LIKERS_MAX + 1).await?))
}
