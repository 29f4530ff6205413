//! Decides who may make, change and use game systems and templates, and what that does: first the
//! database, then the cache, and never one without the other.

use std::sync::Arc;

use larder::Rule;

use super::cache::{SystemCaches, thing};
use super::input::{Label, NewSystem, SystemChange};
use super::model::{Applied, Rated, Shelf, System};
use super::ratings;
use super::rows::SystemRows;
use crate::auth::{CurrentUser, Role};
use crate::bundles::{self, Bundle};
use crate::http::{ApiError, Detail};
use crate::storage::{StorageError, new_id};
use crate::tabletop::{Fault, LockedRoom, attempted, seat_of};
use crate::wall;
use crate::writes::{Change, Writes};

/// Game systems and templates: reads through the cache, changes through its verbs. Clones share
/// everything.
///
/// # Cancel safety
/// Once polled, a change and its invalidation run to their end even if the future is dropped.
#[derive(Debug, Clone)]
pub struct Systems {
    caches: Arc<SystemCaches>,
    writes: Writes,
}

impl Systems {
    /// Every change goes through `writes`.
    pub fn new(caches: SystemCaches, writes: Writes) -> Self {
        Systems { caches: Arc::new(caches), writes }
    }

    pub(super) fn caches(&self) -> &SystemCaches {
        &self.caches
    }

    /// The rule by which this domain drops a bundle.
    pub fn rule(&self) -> Rule<Bundle> {
        bundles::rule(&self.caches)
    }

    /// Puts a new one on a shelf.
    pub(super) async fn create(
        &self,
        shelf: Shelf,
        user: CurrentUser,
        new: NewSystem,
    ) -> Result<System, ApiError> {
        let NewSystem { label, content } = new;
        may_be_official(user, label.official)?;
        let system = label.on(shelf, new_id(), user.id, content, wall::now_ms());
        let Systems { caches, writes } = self.clone();
        let created = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                put(&mut change, &system, &caches).await?;
                change.commit().await?;
                Ok(system.clone())
            })
            .await
        };
        self.writes.to_its_end(created).await
    }

    /// Makes a template of a room: a matter of those who lead the game there.
    pub(super) async fn save(
        &self,
        room: i64,
        user: CurrentUser,
        label: Label,
    ) -> Result<System, ApiError> {
        may_be_official(user, label.official)?;
        let Systems { caches, writes } = self.clone();
        let saved = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let seat = seat_of(&mut change, room, user).await?;
                let content = SystemRows::content_of_room(&mut change, room).await?;
                let (seat, content) = seat.zip(content).ok_or(ApiError::NotFound("room"))?;
                seat.must_lead()?;
                let label = label.clone();
                let system = label.on(Shelf::Template, new_id(), user.id, content, wall::now_ms());
                put(&mut change, &system, &caches).await?;
                change.commit().await?;
                Ok(system)
            })
            .await
        };
        self.writes.to_its_end(saved).await
    }

    /// Changes one: a matter of its maker.
    pub(super) async fn change(
        &self,
        shelf: Shelf,
        id: i64,
        user: CurrentUser,
        wish: SystemChange,
    ) -> Result<System, ApiError> {
        may_be_official(user, wish.official == Some(true))?;
        let Systems { caches, writes } = self.clone();
        let changed = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let before = own(&mut change, shelf, id, user).await?;
                let after = wish.clone().over(before.clone(), wall::now_ms());
                // What it vouches for must not change behind its back.
                may_be_official(user, after.official)?;
                fits(&after)?;
                SystemRows::change(&mut change, &after).await?;
                change.drops(caches.changed(&before, &after));
                change.commit().await?;
                Ok(after)
            })
            .await
        };
        self.writes.to_its_end(changed).await
    }

    /// Takes one off its shelf: a matter of its maker. Rooms that were set up with it stay.
    pub(super) async fn remove(
        &self,
        shelf: Shelf,
        id: i64,
        user: CurrentUser,
    ) -> Result<(), ApiError> {
        let Systems { caches, writes } = self.clone();
        let removed = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let system = own(&mut change, shelf, id, user).await?;
                SystemRows::remove(&mut change, id).await.map_err(unremoved)?;
                change.drops(caches.removed(&system));
                change.commit().await?;
                Ok(())
            })
            .await
        };
        self.writes.to_its_end(removed).await
    }

    /// Sets a room up with one: a matter of those who lead the game there.
    pub(super) async fn apply(
        &self,
        shelf: Shelf,
        id: i64,
        user: CurrentUser,
        room: i64,
    ) -> Result<Applied, ApiError> {
        let Systems { caches, writes } = self.clone();
        let applied = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let (locked, seat) =
                    LockedRoom::entered(&mut change, room, user, wall::now_ms()).await?;
                seat.must_lead()?;
                let system = seen(&mut change, shelf, id, user).await?;
                SystemRows::apply(&mut change, &system, room).await?;
                change.drops(caches.applied(id, room));
                change.commit().await?;
                Ok(Applied { system_id: id, room_id: room, version: locked.version })
            })
            .await
        };
        self.writes.to_its_end(applied).await
    }

    /// Keeps what a user thinks of one; `None` takes it back. Its maker has no say.
    pub(super) async fn rate(
        &self,
        shelf: Shelf,
        id: i64,
        user: CurrentUser,
        stars: Option<i64>,
    ) -> Result<Rated, ApiError> {
        let Systems { caches, writes } = self.clone();
        let rated = async move {
            attempted(async || {
                let mut change = writes.begin().await?;
                let system = seen(&mut change, shelf, id, user).await?;
                if system.owner_id == user.id.0 {
                    return Err(ApiError::NotAllowed("its maker does not rate it").into());
                }
                let rating = ratings::rate(&mut change, id, user.id, stars).await;
                let rating = rating.map_err(of_nobody)?;
                change.drops(caches.rated(id));
                change.commit().await?;
                Ok(Rated { system_id: id, stars, rating })
            })
            .await
        };
        self.writes.to_its_end(rated).await
    }
}

/// The platform stands behind what is official, so only its admins call something so.
fn may_be_official(user: CurrentUser, official: bool) -> Result<(), ApiError> {
    match official && user.role != Role::Admin {
        true => Err(ApiError::NotAllowed("only an admin makes something official")),
        false => Ok(()),
    }
}

/// A change may name one bound of two.
fn fits(system: &System) -> Result<(), ApiError> {
    if system.players_min <= system.players_max {
        return Ok(());
    }
    let limit = format!("{} or more", system.players_min);
    let message = "must not be below playersMin".to_owned();
    Err(ApiError::BadInput(vec![Detail { path: "playersMax".to_owned(), message, limit }]))
}

async fn put(change: &mut Change, system: &System, caches: &SystemCaches) -> Result<(), Fault> {
    let written = SystemRows::insert(change, std::slice::from_ref(system)).await;
    written.map_err(of_nobody)?;
    change.drops(caches.came(system));
    Ok(())
}

/// One of this shelf that `user` sees, locked.
async fn seen(
    change: &mut Change,
    shelf: Shelf,
    id: i64,
    user: CurrentUser,
) -> Result<System, Fault> {
    let system = SystemRows::locked(change, id).await?;
    let system = system.filter(|system| system.shelf == shelf && system.is_shown_to(user));
    Ok(system.ok_or(ApiError::NotFound(thing(shelf)))?)
}

/// One of this shelf that `user` may change, locked.
async fn own(change: &mut Change, shelf: Shelf, id: i64, user: CurrentUser) -> Result<System, Fault> {
    let system = seen(change, shelf, id, user).await?;
    match system.is_own(user) {
        true => Ok(system),
        false => Err(ApiError::NotFound(thing(shelf)).into()),
    }
}

/// A good token outlives its user.
fn of_nobody(fault: StorageError) -> Fault {
    match fault.is_dangling() {
        true => ApiError::NotFound("user").into(),
        false => fault.into(),
    }
}

fn unremoved(fault: StorageError) -> Fault {
    match fault.is_dangling() {
        true => ApiError::Conflict("an asset of it lies on a board").into(),
        false => fault.into(),
    }
}
