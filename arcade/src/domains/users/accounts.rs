//! Decides how somebody becomes a user and gets a session. An unknown address and a wrong password
//! get the same answer after the same work, so that nobody can list who is here.

use std::sync::Arc;

use larder::Rule;

use super::cache::UserCaches;
use super::input::{Credentials, Registration, Renewal};
use super::model::{Account, TokenPair};
use super::rows::{self, Known, UserRows};
use crate::auth::{Claimed, PasswordError, Passwords, RefreshToken, Tokens};
use crate::bundles::{self, Bundle};
use crate::http::ApiError;
use crate::sessions::{Lifetime, Sessions};
use crate::settings;
use crate::storage::{StorageError, retried};
use crate::wall;
use crate::writes::Writes;

/// Users: reads through the cache, logins past it. Clones share everything.
#[derive(Debug, Clone)]
pub struct Users {
    caches: Arc<UserCaches>,
    rows: UserRows,
    pub(super) writes: Writes,
    pub(super) sessions: Sessions,
    passwords: Passwords,
    tokens: Tokens,
    lifetimes: settings::Sessions,
}

impl Users {
    /// The users in `rows`, whose `sessions` last as `lifetimes` say. Every change goes through
    /// `writes`.
    pub fn new(
        (caches, rows): (UserCaches, UserRows),
        writes: Writes,
        (sessions, lifetimes): (Sessions, settings::Sessions),
        passwords: Passwords,
        tokens: Tokens,
    ) -> Self {
        Users { caches: Arc::new(caches), rows, writes, sessions, passwords, tokens, lifetimes }
    }

    pub(super) fn caches(&self) -> &UserCaches {
        &self.caches
    }

    /// The rule by which this domain drops a bundle.
    pub fn rule(&self) -> Rule<Bundle> {
        bundles::rule(&self.caches)
    }

    pub(super) async fn register(&self, new: Registration) -> Result<Account, ApiError> {
        let Registration { name, email, password } = new;
        let hash = self.passwords.hash(password).await.map_err(not_hashed)?;
        let registered = async {
            let mut change = self.writes.begin().await?;
            let made = UserRows::register(&mut change, &name, &email, &hash, wall::now_ms()).await?;
            change.commit().await?;
            Ok(made)
        };
        registered.await.map_err(|fault: StorageError| match fault.is_duplicate() {
            true => ApiError::Conflict("this email has an account already"),
            false => fault.into(),
        })
    }

    pub(super) async fn log_in(&self, credentials: Credentials) -> Result<TokenPair, ApiError> {
        let Credentials { email, password } = credentials;
        let known = self.rows.by_email(&email).await?;
        let hash = known.as_ref().map(|known| known.password_hash.clone());
        let fits = self.passwords.check(password, hash).await.map_err(not_hashed)?;
        let known = known.filter(|_| fits).ok_or(ApiError::WrongCredentials)?;
        let Known { id: user, role, .. } = known;
        let (token, lifetime) = (made()?, self.lifetime());
        let Users { sessions, writes, .. } = self.clone();
        // It may end the oldest session, and that must be told to its end.
        let begun = async move {
            let begun = retried(async || {
                let mut change = writes.begin().await?;
                let session = sessions.begin(&mut change, user, &token, lifetime).await?;
                change.commit().await.map(|()| session)
            });
            begun.await.map(|session| (session, token))
        };
        let (session, token) = self.writes.to_its_end(begun).await?;
        self.pair(Claimed { user, role, session: Some(session) }, &token)
    }

    pub(super) async fn refresh(&self, Renewal(old): Renewal) -> Result<TokenPair, ApiError> {
        let (next, lifetime) = (made()?, self.lifetime());
        let Users { sessions, writes, .. } = self.clone();
        // It may end a stolen session, and that must be told to its end.
        let continued = async move {
            let claimed = retried(async || {
                let mut change = writes.begin().await?;
                let claimed = match sessions.go_on(&mut change, &old, &next, lifetime).await? {
                    Some((user, session)) => rows::known(&mut change, user)
                        .await?
                        .map(|Known { role, .. }| Claimed { user, role, session: Some(session) }),
                    None => None,
                };
                change.commit().await.map(|()| claimed)
            });
            claimed.await.map(|claimed| (claimed, next))
        };
        let (claimed, next) = self.writes.to_its_end(continued).await?;
        self.pair(claimed.ok_or(ApiError::SessionEnded)?, &next)
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime { now_ms: wall::now_ms(), refresh: self.lifetimes.refresh }
    }

    fn pair(&self, claimed: Claimed, token: &RefreshToken) -> Result<TokenPair, ApiError> {
        let access = self.tokens.issue_for(claimed, self.lifetimes.access);
        Ok(TokenPair {
            access_token: access.map_err(|fault| ApiError::Internal(Box::new(fault)))?,
            expires_in_s: self.lifetimes.access.as_secs(),
            refresh_token: token.reveal().to_owned(),
        })
    }
}

fn made() -> Result<RefreshToken, ApiError> {
    RefreshToken::made().map_err(|fault| ApiError::Internal(Box::new(fault)))
}

fn not_hashed(fault: PasswordError) -> ApiError {
    match fault {
        PasswordError::Busy => ApiError::Unavailable(Box::new(fault)),
        _ => ApiError::Internal(Box::new(fault)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::demo::World;
    use crate::scene::Scene;
    use crate::settings::Secret;

    const WORLD: World = World { seed: 7, users: 1, tournaments: 0, items: 0, notifications: 0 };

    #[tokio::test]
    async fn an_unknown_email_takes_as_much_work_as_a_wrong_password() {
        let scene = Scene::of(WORLD).await;
        let passwords = Passwords::new(8).expect("passwords");
        let rows = UserRows::new(scene.store.clone());
        let none = Duration::ZERO;
        let lifetimes = settings::Sessions { access: none, refresh: none, activity_every: none };
        let caches = UserCaches::build(&scene.reads, rows.clone()).expect("caches");
        let users = Users::new(
            (caches, rows),
            scene.writes.clone(),
            (scene.sessions().await, lifetimes),
            passwords.clone(),
            Tokens::new(&Secret::new("a secret of tests, with more than 32 bytes")),
        );
        let mut compared = Vec::new();
        for email in ["user1@arcade.example", "nobody@arcade.example"] {
            let (email, password) = (email.to_owned(), Secret::new("not the password"));
            let refused = users.log_in(Credentials { email, password }).await;
            assert!(matches!(refused, Err(ApiError::WrongCredentials)), "{refused:?}");
            compared.push(passwords.compared());
        }
        assert!(compared[0].len() == 1 && compared[0] == compared[1], "{compared:?}");
    }
}
