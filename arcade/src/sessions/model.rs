//! What a session looks like in the cache and in an answer.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use larder::Entry;
use serde::{Deserialize, Serialize};

use crate::auth::Role;
use crate::wall;

/// An open session, as every request of it finds it.
#[derive(Debug, Serialize, Deserialize, Entry)]
pub struct Session {
    pub(super) id: i64,
    pub(super) user: i64,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) image: Option<String>,
    pub(super) role: Role,
    pub(super) started_at_ms: i64,
    pub(super) expires_at_ms: i64,
    /// When activity was last noted, or was to be: the entry itself remembers it, so that a request
    /// needs no other look-up to know that there is nothing to note.
    #[entry(flat)]
    pub(super) tried_at_ms: AtomicI64,
}

impl Session {
    /// What its user may do, as of the last change of it.
    pub fn role(&self) -> Role {
        self.role
    }

    /// How long it is still open.
    pub(super) fn left(&self, now_ms: i64) -> Duration {
        wall::until(self.expires_at_ms, now_ms)
    }

    /// Whether activity at `now_ms` is to be noted, because none was for `every`. True for one of
    /// those who ask at the same time.
    pub(super) fn is_due(&self, now_ms: i64, every: Duration) -> bool {
        let tried = self.tried_at_ms.load(Ordering::Relaxed);
        let passed = Duration::from_millis(now_ms.abs_diff(tried));
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        passed >= every && self.tried_at_ms.compare_exchange(tried, now_ms, success, failure).is_ok()
    }

    /// As its user sees it.
    pub(super) fn shown(&self, active_at_ms: i64) -> SessionShown {
        SessionShown {
            id: self.id,
            user_id: self.user,
            email: self.email.clone(),
            name: self.name.clone(),
            image: self.image.clone(),
            roles: [self.role.name()],
            permissions: self.role.permissions(),
            started_at_ms: self.started_at_ms,
            last_activity_ms: active_at_ms,
            expires_at_ms: self.expires_at_ms,
        }
    }
}

/// A session with its user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionShown {
    /// The session's number.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// The address that the user logs in with.
    pub email: String,
    /// What others call the user.
    pub name: String,
    /// Where the user's picture is, if there is one.
    pub image: Option<String>,
    /// `player` or `admin`.
    pub roles: [&'static str; 1],
    /// What the roles allow.
    pub permissions: &'static [&'static str],
    /// When it began, in milliseconds since 1970 UTC.
    pub started_at_ms: i64,
    /// When somebody has asked in it last.
    pub last_activity_ms: i64,
    /// When it ends unless it goes on.
    pub expires_at_ms: i64,
}

/// A session in the list of its user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct OwnSession {
    pub(super) id: i64,
    pub(super) started_at_ms: i64,
    pub(super) active_at_ms: i64,
    pub(super) expires_at_ms: i64,
}

/// The open sessions of a user, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnSessions {
    /// All of them.
    pub items: Vec<OwnSessionShown>,
}

/// A session as its user sees it in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnSessionShown {
    /// The session's number.
    pub id: i64,
    /// When it began, in milliseconds since 1970 UTC.
    pub started_at_ms: i64,
    /// When somebody has asked in it last.
    pub last_activity_ms: i64,
    /// When it ends unless it goes on.
    pub expires_at_ms: i64,
    /// Whether this request was sent in it.
    pub current: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activity_is_due_once_for_all_who_ask_within_the_time() {
        let session = Session {
            id: 1,
            user: 1,
            email: String::new(),
            name: String::new(),
            image: None,
            role: Role::Player,
            started_at_ms: 0,
            expires_at_ms: 100_000,
            tried_at_ms: AtomicI64::new(10_000),
        };
        let every = Duration::from_secs(30);
        let due = [39_999, 40_000, 40_000, 69_999, 70_000].map(|now| session.is_due(now, every));
        assert_eq!(due, [false, true, false, false, true]);
        // A clock that was set back must not silence a session for good.
        assert!(session.is_due(20_000, every));
        assert!(session.is_due(20_000, Duration::ZERO) && session.is_due(20_000, Duration::ZERO));
    }
}
