//! Decides what is said of the caches in which more than one domain drops entries.

use std::time::Duration;

use crate::http::{Audience, CachePlan};

/// How long it is remembered that there is no such thing. Making it drops that knowledge.
pub const ABSENT: Duration = Duration::from_secs(60);

/// Everything about a room, once for all who look at it.
pub const ROOM_STATE: CachePlan = CachePlan {
    name: "room-state",
    fresh: |cache| cache.room_state_fresh,
    // A game goes on: nobody is shown the board as it was.
    stale: |_| Duration::ZERO,
    absent: ABSENT,
    tags: &["room-{id}"],
    // Who sees what of it differs.
    audience: Audience::Private,
};

/// What is known of one asset.
pub const ASSET_META: CachePlan = CachePlan {
    name: "asset-meta",
    fresh: |cache| cache.asset_meta_fresh,
    stale: |_| Duration::ZERO,
    absent: ABSENT,
    tags: &["asset-meta:{id}", "assets-of-room-{room}", "assets-of-system-{system}"],
    // Who sees it differs.
    audience: Audience::Private,
};

/// Which assets a room has.
pub const ROOM_ASSETS: CachePlan = CachePlan {
    name: "batch-assets",
    fresh: |cache| cache.batch_assets_fresh,
    stale: |_| Duration::ZERO,
    absent: ABSENT,
    tags: &["assets-of-room-{room}", "batch-assets:{room}"],
    audience: Audience::Private,
};
