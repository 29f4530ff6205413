//! Decides how builds are put together for an answer: many at once, in the order that was asked for,
//! and only those that this viewer may see.

use std::collections::HashMap;
use std::sync::Arc;

use larder::Tag;

use super::keys::{BuildKey, LikesKey, TrustedKey, build_tag};
use super::{BuildCaches, loads};
use crate::auth::{CurrentUser, Role};
use crate::domains::builds::model::{Build, LikeCount, ShownBuild, ShownHead};
use crate::http::{ApiError, Cached, Provenance};
use crate::reads::Many;

/// A build, and how many like it.
type Counted = (Arc<Build>, u64);

impl BuildCaches {
    /// A build by itself. Without a `viewer`, if everybody may see it.
    pub(in crate::domains::builds) async fn shown(
        &self,
        id: i64,
        viewer: Option<CurrentUser>,
    ) -> Result<Cached<ShownBuild>, ApiError> {
        let Cached { value, provenance } = self.seen(&[id], viewer).await?;
        match value.first() {
            Some((build, likes)) => {
                Ok(Cached { value: Arc::new(ShownBuild::of(build, *likes)), provenance })
            }
            None => Err(ApiError::Absent { thing: "build", provenance }),
        }
    }

    /// Those of these builds that the viewer may see, in their order.
    pub(in crate::domains::builds) async fn shown_heads(
        &self,
        ids: &[i64],
        viewer: Option<CurrentUser>,
    ) -> Result<Cached<Vec<ShownHead>>, ApiError> {
        let Cached { value, provenance } = self.seen(ids, viewer).await?;
        let heads = value.iter().map(|(build, likes)| ShownHead::of(build, *likes)).collect();
        Ok(Cached { value: Arc::new(heads), provenance })
    }

    async fn seen(
        &self,
        ids: &[i64],
        viewer: Option<CurrentUser>,
    ) -> Result<Cached<Vec<Counted>>, ApiError> {
        let public = self.public(ids).await?;
        let hidden: Vec<i64> = missing(ids, &public.value);
        let mut provenance = public.provenance;
        let trusted = match viewer {
            Some(viewer) if !hidden.is_empty() => {
                let trusted = self.trusted(&hidden, viewer).await?;
                provenance = provenance.and(trusted.provenance);
                Arc::clone(&trusted.value)
            }
            _ => Arc::default(),
        };
        let mut trusted: HashMap<i64, Arc<Build>> = by_id(&trusted);
        let both = ids.iter().zip(public.value.iter());
        let found: Vec<Arc<Build>> =
            both.filter_map(|(id, public)| public.clone().or_else(|| trusted.remove(id))).collect();
        self.counted(found, provenance).await
    }

    async fn counted(
        &self,
        builds: Vec<Arc<Build>>,
        provenance: Provenance,
    ) -> Result<Cached<Vec<Counted>>, ApiError> {
        let keys: Vec<LikesKey> = builds.iter().map(|build| LikesKey { id: build.head.id }).collect();
        let rows = self.rows.clone();
        let counts =
            self.likes.find_many(&keys, |_| Vec::new(), move |keys| loads::likes(rows.clone(), keys));
        let counts = counts.await?;
        // Who counts nothing finds a build that is just being removed.
        let likes = |count: &Option<Arc<LikeCount>>| count.as_ref().map_or(0, |count| count.likes);
        let counted = builds.into_iter().zip(counts.value.iter().map(likes)).collect();
        Ok(Cached { value: Arc::new(counted), provenance: provenance.and(counts.provenance) })
    }

    /// What everybody may see of these.
    async fn public(&self, ids: &[i64]) -> Result<Cached<Many<Build>>, ApiError> {
        let keys: Vec<BuildKey> = ids.iter().map(|id| BuildKey { id: *id }).collect();
        let rows = self.rows.clone();
        let load = move |keys| loads::public(rows.clone(), keys);
        self.builds.find_many(&keys, tags, load).await
    }

    /// What this owner or admin may see of these.
    async fn trusted(
        &self,
        ids: &[i64],
        viewer: CurrentUser,
    ) -> Result<Cached<Many<Build>>, ApiError> {
        let key =
            move |id: i64| TrustedKey { id, viewer: viewer.id.0, admin: viewer.role == Role::Admin };
        let keys: Vec<TrustedKey> = ids.iter().map(|id| key(*id)).collect();
        let rows = self.rows.clone();
        let load = move |keys: Vec<TrustedKey>| {
            let (rows, ids): (_, Vec<i64>) = (rows.clone(), keys.iter().map(|key| key.id).collect());
            async move {
                let found = rows.trusted(&ids, viewer).await?.into_iter();
                Ok(found.map(|build| (key(build.head.id), Arc::new(build))).collect())
            }
        };
        self.trusted.find_many(&keys, tags, load).await
    }
}

pub(super) fn tags(build: &Build) -> Vec<Tag> {
    vec![Tag::new("builds"), Tag::new("builds-detail"), build_tag(build.head.id)]
}

/// Those of `ids` for which nothing was found.
fn missing(ids: &[i64], found: &Many<Build>) -> Vec<i64> {
    let both = ids.iter().zip(found);
    both.filter(|(_, found)| found.is_none()).map(|(id, _)| *id).collect()
}

fn by_id(builds: &Many<Build>) -> HashMap<i64, Arc<Build>> {
    builds.iter().flatten().map(|build| (build.head.id, Arc::clone(build))).collect()
}
