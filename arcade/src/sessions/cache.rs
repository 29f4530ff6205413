//! What of sessions is cached, under which keys, for how long, and what a change drops. An entry
//! slides while its session is used, and ends with it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use larder::{BuildError, Invalidation, Key, Loaded, Tag};
use serde::{Deserialize, Serialize};

use super::model::{OwnSession, Session};
use super::rows::SessionRows;
use crate::auth::{SessionId, UserId};
use crate::bundles::{Bundle, Bundled};
use crate::http::{ApiError, Audience, CachePlan, Cached};
use crate::reads::{CachedReads, Many, Reads};
use crate::storage::StorageError;
use crate::wall;

/// How long it is remembered that a session is over. None comes back.
const ENDED: Duration = Duration::from_secs(60);

/// A session with its user, which each of its requests reads.
pub const SESSIONS: CachePlan = CachePlan {
    name: "user-session",
    fresh: |cache| cache.user_session_fresh,
    stale: |_| Duration::ZERO,
    absent: ENDED,
    tags: &["user-session:{user}:{session}", "user-{user}"],
    audience: Audience::Private,
};

/// The open sessions of a user.
pub const OF_USER: CachePlan = CachePlan {
    name: "user-sessions",
    fresh: |cache| cache.user_session_fresh,
    stale: |_| Duration::ZERO,
    absent: Duration::ZERO,
    tags: &["user-sessions:{user}"],
    audience: Audience::Private,
};

/// When somebody has asked last in a session. Written behind: nobody else may write it.
pub const ACTIVITY: CachePlan = CachePlan {
    name: "session-activity",
    fresh: |cache| cache.user_session_fresh,
    stale: |_| Duration::ZERO,
    absent: Duration::ZERO,
    tags: &["session-activity:{session}"],
    audience: Audience::Private,
};

/// What a cached answer carries that shows who a user is, and what every change of that drops.
pub fn user_tag(user: UserId) -> Tag {
    Tag::new(format!("user-{user}"))
}

/// The user comes first, so that one prefix names all sessions of a user.
#[derive(Key)]
struct SessionKey {
    user: i64,
    session: i64,
}

#[derive(Key)]
struct OwnKey {
    user: i64,
}

/// The key of a session's activity; the journal keeps it as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Key, Serialize, Deserialize)]
pub(super) struct ActivityKey {
    pub(super) session: i64,
}

/// Sessions as requests see them: through the cache.
#[derive(Debug)]
pub(super) struct SessionCaches {
    sessions: CachedReads<SessionKey, Session>,
    of_users: CachedReads<OwnKey, Vec<OwnSession>>,
    activity: CachedReads<ActivityKey, i64>,
    rows: SessionRows,
}

impl SessionCaches {
    /// # Errors
    /// The lifetimes are not what the cache takes.
    pub(super) fn build(reads: &Reads, rows: SessionRows) -> Result<Self, BuildError> {
        Ok(SessionCaches {
            sessions: reads.sliding(&SESSIONS)?,
            of_users: reads.cache(&OF_USER)?,
            activity: reads.cache(&ACTIVITY)?,
            rows,
        })
    }

    /// The cache that activity is written behind.
    pub(super) fn activity(&self) -> &CachedReads<ActivityKey, i64> {
        &self.activity
    }

    /// The session, if it is open.
    pub(super) async fn session(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Cached<Session>, ApiError> {
        let rows = self.rows.clone();
        let load = move |_| async move {
            let now_ms = wall::now_ms();
            Ok::<_, StorageError>(match rows.open((user, session), now_ms).await? {
                Some(session) => {
                    let left = session.left(now_ms);
                    Loaded::value(Arc::new(session)).tag(user_tag(user)).kept_at_most(left)
                }
                None => Loaded::absent(),
            })
        };
        let key = SessionKey { user: user.0, session: session.0 };
        self.sessions.find(&key, "session", load).await
    }

    /// The open sessions of a user, the newest first. The list ends with the first of them.
    pub(super) async fn of_user(&self, user: UserId) -> Result<Cached<Vec<OwnSession>>, ApiError> {
        let rows = self.rows.clone();
        let load = move |_| async move {
            let now_ms = wall::now_ms();
            let sessions = rows.of_user(user, now_ms).await?;
            let first_end = sessions.iter().map(|session| session.expires_at_ms).min();
            let loaded = Loaded::value(Arc::new(sessions));
            Ok::<_, StorageError>(match first_end {
                Some(end_ms) => loaded.kept_at_most(wall::until(end_ms, now_ms)),
                None => loaded,
            })
        };
        self.of_users.find(&OwnKey { user: user.0 }, "user", load).await
    }

    /// When somebody has asked last in each of these sessions, as this process knows it.
    pub(super) async fn active_at(&self, sessions: &[i64]) -> Result<Cached<Many<i64>>, ApiError> {
        let keys: Vec<ActivityKey> =
            sessions.iter().map(|&session| ActivityKey { session }).collect();
        let rows = self.rows.clone();
        let load = move |keys: Vec<ActivityKey>| {
            let rows = rows.clone();
            async move {
                let ids: Vec<i64> = keys.into_iter().map(|key| key.session).collect();
                let known = rows.activity(&ids).await?.into_iter();
                let keyed = known.map(|(session, at)| (ActivityKey { session }, Arc::new(at)));
                Ok::<HashMap<_, _>, StorageError>(keyed.collect())
            }
        };
        self.activity.find_many(&keys, |_| Vec::new(), load).await
    }

    /// What is wrong once a user has one session more.
    pub(super) fn begun(&self, user: UserId) -> Invalidation {
        Invalidation::new().key(&self.of_users, &OwnKey { user: user.0 })
    }

    /// What is wrong once a session lasts longer, or is over.
    pub(super) fn changed(&self, user: UserId, session: SessionId) -> Invalidation {
        let key = SessionKey { user: user.0, session: session.0 };
        self.begun(user).key(&self.sessions, &key)
    }
}

impl Bundled for SessionCaches {
    const NAME: &'static str = "sessions";

    /// Activity stays: this process knows better than the database.
    fn held_of(&self, bundle: Bundle) -> Option<Invalidation> {
        match bundle {
            Bundle::User(user) | Bundle::Sessions(user) => {
                Some(self.begun(user).prefix(&self.sessions, &(user.0,)))
            }
            _ => None,
        }
    }
}
