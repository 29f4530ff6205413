//! Decides what a change does: first the database, then the cache, and never one without the
//! other.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use super::cache::TournamentCaches;
use super::input::{MatchChange, NewTournament, TournamentChange};
use super::model::{Match, Tournament};
use super::rows::{Failure, Registration, Started, TournamentRows, Updated};
use crate::auth::UserId;
use crate::http::ApiError;
use crate::wall;

/// A change of tournaments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Announces one.
    Create(NewTournament),
    /// Changes one.
    Update(i64, TournamentChange),
    /// Removes one.
    Delete(i64),
    /// Takes a place in one for a user.
    Register(i64, UserId),
    /// Gives the place of a user in one free.
    Unregister(i64, UserId),
    /// Draws the first round of one.
    Start(i64),
    /// Changes a match.
    UpdateMatch {
        /// Its tournament.
        tournament: i64,
        /// Its number.
        id: i64,
        /// What is to be another way.
        change: MatchChange,
    },
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// There is one more.
    Created(Tournament),
    /// One is another way.
    Updated(Updated),
    /// One is gone; this is what it was.
    Deleted(Tournament),
    /// A user has a place.
    Registered(Registration),
    /// A user has no place any more.
    Unregistered(Registration),
    /// One has begun.
    Started(Started),
    /// A match is another way.
    MatchUpdated(Match),
}

/// Tournaments: reads through the cache, changes through [`Change`]. Clones share everything.
#[derive(Debug, Clone)]
pub struct Tournaments {
    caches: Arc<TournamentCaches>,
    rows: TournamentRows,
    running: TaskTracker,
}

impl Tournaments {
    /// `running` owns the changes under way; a shutdown waits for them.
    pub fn new(caches: TournamentCaches, rows: TournamentRows, running: TaskTracker) -> Self {
        Tournaments { caches: Arc::new(caches), rows, running }
    }

    pub(super) fn caches(&self) -> &TournamentCaches {
        &self.caches
    }

    /// Commits `change`, then drops what the cache shows otherwise.
    ///
    /// # Errors
    /// The change is not allowed, or the database refuses. Nothing has changed then, unless the
    /// database failed at the very end; then nobody knows, and the whole cache is dropped.
    ///
    /// # Cancel safety
    /// Once polled, the change and its invalidation run to their end even if this future is
    /// dropped: a caller that hangs up between the two must not leave an old entry behind.
    pub async fn apply(&self, change: Change) -> Result<Changed, ApiError> {
        let Tournaments { caches, rows, .. } = self.clone();
        let work = async move {
            let changed = commit(&rows, change).await;
            match &changed {
                Ok(changed) => caches.changed(changed).await,
                Err(Failure::Doubtful(_)) => caches.doubted().await,
                Err(Failure::Refused(_) | Failure::Storage(_)) => {}
            }
            changed
        };
        let ended = self.running.spawn(work).await;
        ended.map_err(|fault| ApiError::Internal(Box::new(fault)))?.map_err(ApiError::from)
    }
}

async fn commit(rows: &TournamentRows, change: Change) -> Result<Changed, Failure> {
    let now_ms = wall::now_ms();
    Ok(match change {
        Change::Create(new) => Changed::Created(rows.create(new, now_ms).await?),
        Change::Update(id, change) => Changed::Updated(rows.update(id, change, now_ms).await?),
        Change::Delete(id) => Changed::Deleted(rows.delete(id).await?),
        Change::Register(id, user) => Changed::Registered(rows.register(id, user, now_ms).await?),
        Change::Unregister(id, user) => Changed::Unregistered(rows.unregister(id, user).await?),
        Change::Start(id) => Changed::Started(rows.start(id, now_ms).await?),
        Change::UpdateMatch { tournament, id, change } => {
            Changed::MatchUpdated(rows.update_match(tournament, id, &change, now_ms).await?)
        }
    })
}
