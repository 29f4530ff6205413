//! Decides who may bring an asset and take it away, and what that does: first the database, then the
//! cache, and never one without the other.

use std::sync::Arc;

use larder::Rule;

use super::cache::AssetCaches;
use super::model::Asset;
use super::rows::AssetRows;
use crate::auth::CurrentUser;
use crate::bundles::{self, Bundle};
use crate::http::ApiError;
use crate::storage::StorageError;
use crate::tabletop::{Fault, attempted, seat_of};
use crate::writes::{Change, Writes};

/// Assets: reads through the cache, changes through its verbs. Clones share everything.
///
/// # Cancel safety
/// Once polled, a change and its invalidation run to their end even if the future is dropped.
#[derive(Debug, Clone)]
pub struct Assets {
    caches: Arc<AssetCaches>,
    writes: Writes,
}

impl Assets {
    /// Every change goes through `writes`.
    pub fn new(caches: AssetCaches, writes: Writes) -> Self {
        Assets { caches: Arc::new(caches), writes }
    }

    pub(super) fn caches(&self) -> &AssetCaches {
        &self.caches
    }

    /// The rule by which this domain drops a bundle.
    pub fn rule(&self) -> Rule<Bundle> {
        bundles::rule(&self.caches)
    }

    /// Keeps what is known of a new asset. Into a room those bring it who play there, into a game
    /// system its owner.
    pub(super) async fn create(&self, user: CurrentUser, asset: Asset) -> Result<Asset, ApiError> {
        let Assets { caches, writes } = self.clone();
        let created = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                may_add(&mut change, user, &asset).await?;
                let assets = std::slice::from_ref(&asset);
                AssetRows::insert(&mut change, assets).await.map_err(unwritten)?;
                change.drops(caches.came_or_went(&asset));
                change.commit().await?;
                Ok(asset.clone())
            })
            .await
        };
        self.writes.to_its_end(created).await
    }

    /// Takes an asset away: a matter of its uploader. What lies on a board stays.
    pub(super) async fn remove(&self, user: CurrentUser, id: i64) -> Result<(), ApiError> {
        let Assets { caches, writes } = self.clone();
        let removed = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let asset = AssetRows::remove(&mut change, id, user).await.map_err(unremoved)?;
                let asset = asset.ok_or(ApiError::NotFound("asset"))?;
                change.drops(caches.came_or_went(&asset));
                change.commit().await?;
                Ok(())
            })
            .await
        };
        self.writes.to_its_end(removed).await
    }
}

async fn may_add(change: &mut Change, user: CurrentUser, asset: &Asset) -> Result<(), Fault> {
    if let Some(room) = asset.room_id {
        let seat = seat_of(change, room, user).await?.ok_or(ApiError::NotFound("room"))?;
        seat.must_play()?;
    }
    if let Some(system) = asset.system_id
        && !AssetRows::owns_system(change, system, user).await?
    {
        return Err(ApiError::NotFound("game system").into());
    }
    Ok(())
}

/// A good token outlives its user, and an admin may name a room that is not there.
fn unwritten(fault: StorageError) -> Fault {
    match fault.is_dangling() {
        true => ApiError::NotFound("user or room").into(),
        false => fault.into(),
    }
}

fn unremoved(fault: StorageError) -> Fault {
    match fault.is_dangling() {
        true => ApiError::Conflict("the asset lies on a board").into(),
        false => fault.into(),
    }
}
