//! Decides how somebody becomes a user and gets a session. An unknown address and a wrong password
//! get the same answer after the same work, so that nobody can list who is here.

use std::sync::Arc;

use larder::Rule;

use super::cache::UserCaches;
use super::input::{Credentials, Registration, Renewal};
use super::model::{Account, Session};
use super::rows::{Known, UserRows};
use super::sessions::{self, Lifetime};
use crate::auth::{PasswordError, Passwords, RefreshToken, Role, Tokens, UserId};
use crate::bundles::{self, Bundle};
use crate::http::ApiError;
use crate::settings;
use crate::storage::StorageError;
use crate::wall;
use crate::writes::Writes;

/// Users: reads through the cache, logins past it. Clones share everything.
#[derive(Debug, Clone)]
pub struct Users {
    caches: Arc<UserCaches>,
    rows: UserRows,
    writes: Writes,
    passwords: Passwords,
    tokens: Tokens,
    lifetimes: settings::Sessions,
}

impl Users {
    /// The users in `rows`, whose sessions last as `lifetimes` say. Every change goes through
    /// `writes`.
    pub fn new(
        caches: UserCaches,
        rows: UserRows,
        writes: Writes,
        passwords: Passwords,
        tokens: Tokens,
        lifetimes: settings::Sessions,
    ) -> Self {
        Users { caches: Arc::new(caches), rows, writes, passwords, tokens, lifetimes }
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

    pub(super) async fn log_in(&self, credentials: Credentials) -> Result<Session, ApiError> {
        let Credentials { email, password } = credentials;
        let known = self.rows.by_email(&email).await?;
        let hash = known.as_ref().map(|known| known.password_hash.clone());
        let fits = self.passwords.check(password, hash).await.map_err(not_hashed)?;
        let Known { id, role, .. } = known.filter(|_| fits).ok_or(ApiError::WrongCredentials)?;
        let token = made()?;
        let mut change = self.writes.begin().await?;
        sessions::begin(&mut change, id, &token, self.lifetime()).await?;
        change.commit().await?;
        self.session(id, role, &token)
    }

    pub(super) async fn refresh(&self, Renewal(old): Renewal) -> Result<Session, ApiError> {
        let next = made()?;
        let mut change = self.writes.begin().await?;
        let continued = sessions::go_on(&mut change, &old, &next, self.lifetime()).await?;
        change.commit().await?;
        let continued = continued.ok_or(ApiError::SessionEnded)?;
        self.session(continued.user, continued.role, &next)
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime { now_ms: wall::now_ms(), refresh: self.lifetimes.refresh }
    }

    fn session(&self, user: UserId, role: Role, token: &RefreshToken) -> Result<Session, ApiError> {
        let access = self.tokens.issue(user, role, self.lifetimes.access);
        Ok(Session {
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
        let lifetimes = settings::Sessions { access: Duration::ZERO, refresh: Duration::ZERO };
        let users = Users::new(
            UserCaches::build(&scene.reads, rows.clone()).expect("caches"),
            rows,
            scene.writes.clone(),
            passwords.clone(),
            Tokens::new(&Secret::new("a secret of tests, with more than 32 bytes")),
            lifetimes,
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
