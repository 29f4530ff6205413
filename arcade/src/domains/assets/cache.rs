//! What of assets is cached, under which keys, for how long, and what a change drops. The only place
//! of this domain that calls the cache.

use std::collections::HashMap;
use std::sync::Arc;

use larder::{BuildError, Invalidation, Key, Loaded, ReadableKey, Tag};

use super::model::{Asset, AssetNumbers};
use super::rows::AssetRows;
use crate::auth::{CurrentUser, Role, UserId};
use crate::bundles::{Bundle, Bundled};
use crate::http::{ApiError, Cached, Page};
use crate::reads::{CachedReads, Reads};
use crate::storage::StorageError;
use crate::tabletop::{ASSET_META, ROOM_ASSETS, room_assets_tag, system_assets_tag};
use crate::warming::{Sets, WarmSet};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Key, ReadableKey)]
struct AssetKey {
    asset: i64,
}

/// The room comes first, so that one prefix names all that is known of its assets.
#[derive(Clone, Key, ReadableKey)]
struct RoomAssetsKey {
    room: i64,
    viewer: Option<i64>,
    page: u32,
    limit: u32,
}

/// Assets as readers see them: through the cache.
#[derive(Debug)]
pub struct AssetCaches {
    assets: CachedReads<AssetKey, Asset>,
    of_rooms: CachedReads<RoomAssetsKey, AssetNumbers>,
    rows: AssetRows,
}

impl AssetCaches {
    /// The caches of this domain.
    ///
    /// # Errors
    /// The lifetimes are not what the cache takes.
    pub fn build(reads: &Reads, rows: AssetRows) -> Result<Self, BuildError> {
        Ok(AssetCaches {
            assets: reads.cache(&ASSET_META)?,
            of_rooms: reads.cache(&ROOM_ASSETS)?,
            rows,
        })
    }

    /// An asset, for `viewer`. One that they do not see is not there.
    pub(super) async fn asset(
        &self,
        id: i64,
        viewer: CurrentUser,
    ) -> Result<Cached<Asset>, ApiError> {
        let rows = self.rows.clone();
        let load = move |_| async move {
            let found = rows.assets(&[id]).await?.remove(&id).map(Arc::new);
            Ok::<_, StorageError>(match found {
                Some(asset) => tags(&asset).into_iter().fold(Loaded::value(asset), Loaded::tag),
                None => Loaded::absent(),
            })
        };
        let asset = self.assets.find(&AssetKey { asset: id }, "asset", load).await?;
        match asset.value.is_shown_to(viewer) {
            true => Ok(asset),
            false => Err(ApiError::Absent { thing: "asset", provenance: asset.provenance }),
        }
    }

    /// These assets, in this order, `None` where `viewer` sees none: one read of each tier, and one
    /// of the source.
    pub(super) async fn assets(
        &self,
        ids: &[i64],
        viewer: CurrentUser,
    ) -> Result<Cached<Vec<Option<Arc<Asset>>>>, ApiError> {
        let keys: Vec<AssetKey> = ids.iter().map(|&asset| AssetKey { asset }).collect();
        let rows = self.rows.clone();
        let load = move |keys| load_assets(rows.clone(), keys);
        let found = self.assets.find_many(&keys, tags, load).await?;
        let shown = |asset: &Option<Arc<Asset>>| {
            asset.as_ref().filter(|asset| asset.is_shown_to(viewer)).map(Arc::clone)
        };
        Ok(found.map(|found| found.iter().map(shown).collect()))
    }

    /// The numbers of a page of a room's assets, as `viewer` sees them.
    pub(super) async fn of_room(
        &self,
        room: i64,
        viewer: CurrentUser,
        page: Page,
    ) -> Result<Cached<AssetNumbers>, ApiError> {
        // Who sees all of them sees the same as all others who do.
        let viewer = (viewer.role != Role::Admin).then_some(viewer.id);
        let rows = self.rows.clone();
        if !page.is_cached() {
            let numbers = rows.of_room(room, viewer, page).await?;
            return Ok(self.of_rooms.bypass(numbers.ok_or(ApiError::NotFound("room"))?));
        }
        let key = RoomAssetsKey {
            room,
            viewer: viewer.map(|viewer| viewer.0),
            page: page.number,
            limit: page.limit,
        };
        let wanted = key.clone();
        self.of_rooms.find(&key, "room", move |_| load_of_room(rows, wanted)).await
    }

    /// What of this domain is warmed: the newest assets.
    pub fn warmed(&self, sets: Sets) -> Sets {
        let rows = self.rows.clone();
        let assets = self.assets.supplied_many(tags, move |keys| load_assets(rows.clone(), keys));
        let rows = self.rows.clone();
        let of_rooms = self.of_rooms.supplied(move |key| load_of_room(rows.clone(), key));
        let rows = self.rows.clone();
        let recent = move |limit| {
            let rows = rows.clone();
            async move {
                let ids = rows.recent(limit).await?.into_iter();
                Ok(ids.map(|asset| AssetKey { asset }).collect())
            }
        };
        let sets = sets.set(WarmSet::RecentAssets, &assets, recent);
        sets.restored(&assets).restored(&of_rooms)
    }

    /// What is wrong once an asset came or went: itself, and the lists of the room that it belongs
    /// to, as those have them who see it.
    pub(super) fn came_or_went(&self, asset: &Asset) -> Invalidation {
        let wrong = Invalidation::new().key(&self.assets, &AssetKey { asset: asset.id });
        match (asset.room_id, asset.public) {
            (Some(room), true) => wrong.prefix(&self.of_rooms, &(room,)),
            // Its uploader sees it, and who sees everything.
            (Some(room), false) => [Some(asset.uploader_id), None]
                .into_iter()
                .fold(wrong, |wrong, viewer| wrong.prefix(&self.of_rooms, &(room, viewer))),
            (None, _) => wrong,
        }
    }
}

impl Bundled for AssetCaches {
    const NAME: &'static str = "assets";

    fn held_of(&self, bundle: Bundle) -> Option<Invalidation> {
        match bundle {
            Bundle::Asset(asset) => {
                Some(Invalidation::new().key(&self.assets, &AssetKey { asset }).cache(&self.of_rooms))
            }
            Bundle::Room(room) => {
                Some(Invalidation::new().prefix(&self.of_rooms, &(room,)).tag(room_assets_tag(room)))
            }
            Bundle::System(system) => Some(Invalidation::new().tag(system_assets_tag(system))),
            _ => None,
        }
    }
}

/// An asset goes with what it belongs to.
fn tags(asset: &Asset) -> Vec<Tag> {
    let room = asset.room_id.map(room_assets_tag);
    room.into_iter().chain(asset.system_id.map(system_assets_tag)).collect()
}

async fn load_assets(
    rows: AssetRows,
    keys: Vec<AssetKey>,
) -> Result<HashMap<AssetKey, Arc<Asset>>, StorageError> {
    let ids: Vec<i64> = keys.into_iter().map(|key| key.asset).collect();
    let found = rows.assets(&ids).await?.into_iter();
    Ok(found.map(|(asset, meta)| (AssetKey { asset }, Arc::new(meta))).collect())
}

async fn load_of_room(
    rows: AssetRows,
    RoomAssetsKey { room, viewer, page, limit }: RoomAssetsKey,
) -> Result<Loaded<Arc<AssetNumbers>>, StorageError> {
    let page = Page { number: page, limit };
    let numbers = rows.of_room(room, viewer.map(UserId), page).await?.map(Arc::new);
    let loaded = numbers.map_or_else(Loaded::absent, Loaded::value);
    Ok(loaded.tag(room_assets_tag(room)))
}
