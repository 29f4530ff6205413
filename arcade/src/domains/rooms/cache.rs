//! What of rooms is cached, under which keys, for how long, and what a change drops. The only place
//! of this domain that calls the cache.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use larder::{BuildError, Invalidation, Key, Loaded, ReadableKey, Tag};

use super::model::{OwnRoomPage, PlayerList, RoomState};
use super::rows::RoomRows;
use crate::auth::UserId;
use crate::bundles::{Bundle, Bundled};
use crate::http::{ApiError, Audience, CachePlan, Cached, Page};
use crate::reads::{CachedReads, Reads};
use crate::storage::StorageError;
use crate::tabletop::{ABSENT, ROOM_STATE, room_assets_tag, room_tag};
use crate::warming::{Sets, WarmSet};

/// Which room has a name.
pub(super) const NAMES: CachePlan = CachePlan {
    name: "room-name",
    fresh: |cache| cache.room_state_fresh,
    stale: |_| Duration::ZERO,
    absent: ABSENT,
    tags: &["room-name:{name}"],
    audience: Audience::Private,
};

/// Who sits in a room.
pub(super) const PLAYERS: CachePlan = CachePlan {
    name: "room-players",
    fresh: |cache| cache.room_players_fresh,
    stale: |_| Duration::ZERO,
    absent: ABSENT,
    tags: &["room-players:{id}"],
    audience: Audience::Private,
};

/// The rooms that a user sits in.
pub(super) const OF_USER: CachePlan = CachePlan {
    name: "user-rooms",
    fresh: |cache| cache.user_rooms_fresh,
    stale: |_| Duration::ZERO,
    absent: Duration::ZERO,
    tags: &["user-rooms:{user}"],
    audience: Audience::Private,
};

/// The key of what exists once for each room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Key, ReadableKey)]
struct RoomKey {
    room: i64,
}

#[derive(Key)]
struct NameKey {
    name: String,
}

/// The user comes first, so that one prefix names all pages of a user's rooms.
#[derive(Clone, Key, ReadableKey)]
struct OwnRoomsKey {
    user: i64,
    page: u32,
    limit: u32,
}

/// Rooms as readers see them: through the cache.
#[derive(Debug)]
pub struct RoomCaches {
    states: CachedReads<RoomKey, RoomState>,
    names: CachedReads<NameKey, i64>,
    players: CachedReads<RoomKey, PlayerList>,
    of_users: CachedReads<OwnRoomsKey, OwnRoomPage>,
    rows: RoomRows,
}

impl RoomCaches {
    /// The caches of this domain.
    ///
    /// # Errors
    /// The lifetimes are not what the cache takes.
    pub fn build(reads: &Reads, rows: RoomRows) -> Result<Self, BuildError> {
        Ok(RoomCaches {
            states: reads.cache(&ROOM_STATE)?,
            names: reads.cache(&NAMES)?,
            players: reads.cache(&PLAYERS)?,
            of_users: reads.cache(&OF_USER)?,
            rows,
        })
    }

    pub(super) async fn room(&self, room: i64) -> Result<Cached<RoomState>, ApiError> {
        let rows = self.rows.clone();
        let load = move |_| async move {
            let state = rows.states(&[room]).await?.remove(&room).map(Arc::new);
            let loaded = state.map_or_else(Loaded::absent, Loaded::value);
            Ok::<_, StorageError>(loaded.tag(room_tag(room)))
        };
        self.states.find(&RoomKey { room }, "room", load).await
    }

    /// The room of this name. The answer is as bad as the worse of two reads.
    pub(super) async fn named(&self, name: String) -> Result<Cached<RoomState>, ApiError> {
        let (rows, wanted) = (self.rows.clone(), name.clone());
        let load = move |_| async move {
            let id = rows.by_name(&wanted).await?;
            Ok::<_, StorageError>(id.map(Arc::new))
        };
        let id = self.names.find(&NameKey { name }, "room", load).await?;
        let room = self.room(*id.value).await?;
        Ok(Cached { provenance: room.provenance.and(id.provenance), ..room })
    }

    /// These rooms, in this order: one read of each tier, and one of the source.
    pub(super) async fn rooms(
        &self,
        ids: &[i64],
    ) -> Result<Cached<Vec<Option<Arc<RoomState>>>>, ApiError> {
        let keys: Vec<RoomKey> = ids.iter().map(|&room| RoomKey { room }).collect();
        let rows = self.rows.clone();
        let load = move |keys| load_states(rows.clone(), keys);
        self.states.find_many(&keys, tags, load).await
    }

    pub(super) async fn players(&self, room: i64) -> Result<Cached<PlayerList>, ApiError> {
        let (rows, key) = (self.rows.clone(), RoomKey { room });
        self.players.find(&key, "room", move |_| load_players(rows, key)).await
    }

    pub(super) async fn of_user(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<Cached<OwnRoomPage>, ApiError> {
        if !page.is_cached() {
            return Ok(self.of_users.bypass(self.rows.of_user(user, page).await?));
        }
        let key = OwnRoomsKey { user: user.0, page: page.number, limit: page.limit };
        let (rows, wanted) = (self.rows.clone(), key.clone());
        self.of_users.get_or_load(&key, move |_| load_of_user(rows, wanted)).await
    }

    /// What of this domain is warmed: the rooms in which most users sit.
    pub fn warmed(&self, sets: Sets) -> Sets {
        let rows = self.rows.clone();
        let states = self.states.supplied_many(tags, move |keys| load_states(rows.clone(), keys));
        let rows = self.rows.clone();
        let players = self.players.supplied(move |key| load_players(rows.clone(), key));
        let rows = self.rows.clone();
        let of_users = self.of_users.supplied(move |key| load_of_user(rows.clone(), key));
        let rows = self.rows.clone();
        let popular = move |limit| {
            let rows = rows.clone();
            async move {
                let ids = rows.popular(limit).await?.into_iter();
                Ok(ids.map(|room| RoomKey { room }).collect())
            }
        };
        let sets = sets.set(WarmSet::PopularRooms, &states, popular);
        sets.restored(&states).restored(&players).restored(&of_users)
    }

    /// What is wrong once a room was made by `owner`.
    pub(super) fn made(&self, room: i64, name: &str, owner: UserId) -> Invalidation {
        self.renamed(room, [name], &[owner]).key(&self.players, &RoomKey { room })
    }

    /// What is wrong once the board of a room was changed, or what lies on it.
    pub(super) fn board_changed(&self, room: i64) -> Invalidation {
        Invalidation::new().key(&self.states, &RoomKey { room })
    }

    /// What is wrong once somebody in a room has other points, or is there or not.
    pub(super) fn player_changed(&self, room: i64) -> Invalidation {
        self.board_changed(room).key(&self.players, &RoomKey { room })
    }

    /// What is wrong once somebody's seat in a room was taken, changed or left: also this user's own
    /// lists, and those of nobody else.
    pub(super) fn seat_changed(&self, room: i64, user: UserId) -> Invalidation {
        self.player_changed(room).prefix(&self.of_users, &(user.0,))
    }

    /// What is wrong once a room is another in the lists of its members.
    pub(super) fn listed(&self, room: i64, members: &[UserId]) -> Invalidation {
        let wrong = self.board_changed(room);
        members.iter().fold(wrong, |wrong, user| wrong.prefix(&self.of_users, &(user.0,)))
    }

    /// What is wrong once these names stand for another room than before, or for none.
    pub(super) fn renamed<const N: usize>(
        &self,
        room: i64,
        names: [&str; N],
        members: &[UserId],
    ) -> Invalidation {
        names.iter().fold(self.listed(room, members), |wrong, name| {
            wrong.key(&self.names, &NameKey { name: (*name).to_owned() })
        })
    }

    /// What is wrong once a room is gone, and with it the assets that were its own.
    pub(super) fn removed(&self, room: i64, name: &str, members: &[UserId]) -> Invalidation {
        let wrong = self.renamed(room, [name], members).key(&self.players, &RoomKey { room });
        let tags: [Tag; 2] = [room_tag(room), room_assets_tag(room)];
        tags.into_iter().fold(wrong, Invalidation::tag)
    }
}

impl Bundled for RoomCaches {
    const NAME: &'static str = "rooms";

    fn held_of(&self, bundle: Bundle) -> Option<Invalidation> {
        match bundle {
            Bundle::User(user) => Some(Invalidation::new().prefix(&self.of_users, &(user.0,))),
            // Nobody knows any more under which name it was asked for, nor who sat in it.
            Bundle::Room(room) => {
                Some(self.player_changed(room).cache(&self.names).cache(&self.of_users))
            }
            _ => None,
        }
    }
}

fn tags(room: &RoomState) -> Vec<Tag> {
    vec![room_tag(room.id)]
}

async fn load_states(
    rows: RoomRows,
    keys: Vec<RoomKey>,
) -> Result<HashMap<RoomKey, Arc<RoomState>>, StorageError> {
    let ids: Vec<i64> = keys.into_iter().map(|key| key.room).collect();
    let states = rows.states(&ids).await?.into_iter();
    Ok(states.map(|(room, state)| (RoomKey { room }, Arc::new(state))).collect())
}

async fn load_players(
    rows: RoomRows,
    RoomKey { room }: RoomKey,
) -> Result<Option<Arc<PlayerList>>, StorageError> {
    Ok(rows.players(room).await?.map(Arc::new))
}

async fn load_of_user(
    rows: RoomRows,
    OwnRoomsKey { user, page, limit }: OwnRoomsKey,
) -> Result<Arc<OwnRoomPage>, StorageError> {
    rows.of_user(UserId(user), Page { number: page, limit }).await.map(Arc::new)
}
