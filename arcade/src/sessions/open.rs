//! Decides which sessions are open, and what begins and ends one.

use std::sync::Arc;
use std::time::Duration;

use larder::behind::OpenError;
use larder::{BuildError, Rule};

use super::activity::Activity;
use super::cache::SessionCaches;
use super::families::{self, Lifetime, Taken};
use super::figures::ActivityFigures;
use super::model::{OwnSessionShown, OwnSessions, Session, SessionShown};
use super::rows::{self, SessionRows};
use crate::auth::{RefreshToken, SessionId, UserId};
use crate::bundles::{self, Bundle};
use crate::http::{ApiError, Cached};
use crate::journal::Journals;
use crate::reads::Reads;
use crate::storage::{StorageError, Store, new_id, retried};
use crate::writes::{Change, Writes};

/// Sessions. Clones share everything.
#[derive(Debug, Clone)]
pub struct Sessions {
    caches: Arc<SessionCaches>,
    activity: Activity,
    writes: Writes,
}

/// Sessions cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionsError {
    /// The cache refuses its settings.
    #[error("cannot build the caches of sessions")]
    Cache(#[from] BuildError),
    /// The journal cannot be opened, or what an earlier process has acknowledged not be read.
    #[error("cannot open the journal of activity, {place}")]
    Journal {
        /// Where it is kept.
        place: String,
        /// Why.
        #[source]
        source: OpenError,
    },
}

impl Sessions {
    /// The sessions in `store`. Every change goes through `writes`; activity goes through one of `journals`,
    /// at most once in `every` for each session and process.
    ///
    /// # Errors
    /// The lifetimes are not what the cache takes, or the journal is required and cannot be read.
    pub async fn open(
        reads: &Reads,
        store: &Store,
        writes: &Writes,
        journals: &Journals,
        every: Duration,
    ) -> Result<Self, SessionsError> {
        let caches = Arc::new(SessionCaches::build(reads, SessionRows::new(store.clone()))?);
        let opened = Activity::open(&caches, journals, writes.clone(), every).await;
        let activity = opened.map_err(|source| {
            let place = journals.to_string();
            SessionsError::Journal { place, source }
        })?;
        Ok(Sessions { caches, activity, writes: writes.clone() })
    }

    /// The rule by which sessions drop a bundle.
    pub fn rule(&self) -> Rule<Bundle> {
        bundles::rule(&self.caches)
    }

    /// The session in which somebody asks now, if it is open.
    ///
    /// # Errors
    /// It is over, or the database is away and nobody knows.
    pub async fn asked_in(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Cached<Session>, ApiError> {
        let found = self.caches.session(user, session).await.map_err(|fault| match fault {
            ApiError::Absent { .. } => ApiError::SessionEnded,
            fault => fault,
        })?;
        self.activity.note(&found.value).await;
        Ok(found)
    }

    /// A session as its user sees it, with the last activity that this process knows of.
    ///
    /// # Errors
    /// The activity cannot be loaded.
    pub async fn shown(&self, session: Cached<Session>) -> Result<Cached<SessionShown>, ApiError> {
        let active = self.caches.active_at(&[session.value.id]).await?;
        Ok(session.join(&active, |session, active| {
            session.shown(active.iter().flatten().map(|at| **at).max().unwrap_or(0))
        }))
    }

    /// The open sessions of a user, the newest first. `current` is the one in which they ask.
    ///
    /// # Errors
    /// They cannot be loaded.
    pub async fn of_user(
        &self,
        user: UserId,
        current: Option<SessionId>,
    ) -> Result<Cached<OwnSessions>, ApiError> {
        let own = self.caches.of_user(user).await?;
        let ids: Vec<i64> = own.value.iter().map(|session| session.id).collect();
        let active = self.caches.active_at(&ids).await?;
        Ok(own.join(&active, |own, active| {
            let shown = own.iter().zip(active).map(|(session, active)| OwnSessionShown {
                id: session.id,
                started_at_ms: session.started_at_ms,
                last_activity_ms: active.as_ref().map_or(session.active_at_ms, |at| **at),
                expires_at_ms: session.expires_at_ms,
                current: current == Some(SessionId(session.id)),
            });
            OwnSessions { items: shown.collect() }
        }))
    }

    /// Begins a session of `user` that goes on with `token`; ends the oldest if there are too many.
    ///
    /// # Errors
    /// The database refuses.
    pub(crate) async fn begin(
        &self,
        change: &mut Change,
        user: UserId,
        token: &RefreshToken,
        lifetime: Lifetime,
    ) -> Result<SessionId, StorageError> {
        for oldest in rows::oldest(change, user).await? {
            self.end_in(change, (user, oldest)).await?;
        }
        let session = SessionId(new_id());
        rows::begin(change, (user, session), lifetime.now_ms, lifetime.end_ms()).await?;
        families::keep(change, (user, session), token, lifetime).await?;
        change.drops(self.caches.begun(user));
        Ok(session)
    }

    /// Takes `old`, and lets its session go on with `next`. `None` if `old` is not good; its session
    /// is over then, if it was good once.
    ///
    /// # Errors
    /// The database refuses.
    pub(crate) async fn go_on(
        &self,
        change: &mut Change,
        old: &RefreshToken,
        next: &RefreshToken,
        lifetime: Lifetime,
    ) -> Result<Option<(UserId, SessionId)>, StorageError> {
        let (user, session) = match families::take(change, old, lifetime).await? {
            Taken::Unknown => return Ok(None),
            Taken::Twice(user, session) => {
                self.end_in(change, (user, session)).await?;
                return Ok(None);
            }
            Taken::Good(user, session) => (user, session),
        };
        // It may have been ended while this token was taken.
        if !rows::go_on(change, (user, session), lifetime.end_ms()).await? {
            return Ok(None);
        }
        families::keep(change, (user, session), next, lifetime).await?;
        change.drops(self.caches.changed(user, session));
        Ok(Some((user, session)))
    }

    /// Ends a session of `user`: from now on its tokens are worthless, on every node.
    ///
    /// # Errors
    /// The user has no such session, or the database refuses.
    ///
    /// # Cancel safety
    /// Once polled, it goes on although the future is dropped.
    pub async fn end(&self, user: UserId, session: SessionId) -> Result<(), ApiError> {
        let sessions = self.clone();
        let ended = async move {
            retried(async || {
                let mut change = sessions.writes.begin().await?;
                let was_there = sessions.end_in(&mut change, (user, session)).await?;
                change.commit().await.map(|()| was_there)
            })
            .await
        };
        match self.writes.to_its_end(ended).await? {
            true => Ok(()),
            false => Err(ApiError::NotFound("session")),
        }
    }

    async fn end_in(
        &self,
        change: &mut Change,
        (user, session): (UserId, SessionId),
    ) -> Result<bool, StorageError> {
        // The tokens first, as where one is taken: two that end and go on must not wait for each other.
        families::end(change, (user, session)).await?;
        let was_there = rows::end(change, (user, session)).await?;
        if was_there {
            change.drops(self.caches.changed(user, session));
        }
        Ok(was_there)
    }

    /// What write-behind of activity says of itself.
    pub fn figures(&self) -> ActivityFigures {
        self.activity.figures()
    }

    /// Lets the database have the activity that waits.
    pub async fn close(&self) {
        self.activity.close().await;
    }
}
