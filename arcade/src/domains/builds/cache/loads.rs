//! How entries of builds and classes are loaded, given their keys alone, and which tags they carry.

use std::collections::HashMap;
use std::sync::Arc;

use larder::{Loaded, Tag};

use super::keys::{BoardKey, BuildKey, ClassKey, LikesKey, ListKey, class_tag};
use crate::auth::UserId;
use crate::domains::builds::model::{Build, BuildList, Class, ClassList, LikeCount, TagList};
use crate::domains::builds::rows::{BuildRows, Listed};
use crate::http::Slice;
use crate::storage::StorageError;

pub(super) async fn classes(rows: BuildRows) -> Result<Loaded<Arc<ClassList>>, StorageError> {
    Ok(Loaded::value(Arc::new(rows.classes().await?)).tag("classes"))
}

pub(super) async fn class(
    rows: BuildRows,
    ClassKey { name }: ClassKey,
) -> Result<Loaded<Arc<Class>>, StorageError> {
    Ok(of_class(&name, rows.class(&name).await?))
}

pub(super) async fn class_tags(
    rows: BuildRows,
    ClassKey { name }: ClassKey,
) -> Result<Loaded<Arc<TagList>>, StorageError> {
    Ok(of_class(&name, rows.tags(&name).await?))
}

fn of_class<T>(name_lower: &str, found: Option<T>) -> Loaded<Arc<T>> {
    match found {
        Some(found) => Loaded::value(Arc::new(found)).tag("classes").tag(class_tag(name_lower)),
        None => Loaded::absent(),
    }
}

/// A list of public builds.
pub(super) async fn list(
    rows: BuildRows,
    ListKey { class, owner, limit, offset }: ListKey,
) -> Result<Loaded<Arc<BuildList>>, StorageError> {
    let listed = Listed::Public { class, owner: owner.map(UserId) };
    let tags = vec![Tag::new("builds"), Tag::new("builds-listing")];
    tagged(rows.list(listed, Slice { limit, offset }).await?, tags)
}

/// The builds that most users like.
pub(super) async fn board(
    rows: BuildRows,
    BoardKey { class, limit }: BoardKey,
) -> Result<Loaded<Arc<BuildList>>, StorageError> {
    let tags = vec![Tag::new("builds"), Tag::new("build-leaderboards")];
    tagged(rows.most_liked(class, limit).await?, tags)
}

pub(super) fn tagged(
    list: BuildList,
    tags: Vec<Tag>,
) -> Result<Loaded<Arc<BuildList>>, StorageError> {
    Ok(tags.into_iter().fold(Loaded::value(Arc::new(list)), Loaded::tag))
}

/// What everybody may see of these.
pub(super) async fn public(
    rows: BuildRows,
    keys: Vec<BuildKey>,
) -> Result<HashMap<BuildKey, Arc<Build>>, StorageError> {
    let ids: Vec<i64> = keys.iter().map(|key| key.id).collect();
    let found = rows.public(&ids).await?.into_iter();
    Ok(found.map(|build| (BuildKey { id: build.head.id }, Arc::new(build))).collect())
}

/// How many like each of these.
pub(super) async fn likes(
    rows: BuildRows,
    keys: Vec<LikesKey>,
) -> Result<HashMap<LikesKey, Arc<LikeCount>>, StorageError> {
    let ids: Vec<i64> = keys.iter().map(|key| key.id).collect();
    let counted = rows.likes(&ids).await?.into_iter();
    Ok(counted.map(|(id, likes)| (LikesKey { id }, Arc::new(LikeCount { likes }))).collect())
}
