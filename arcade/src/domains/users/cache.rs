//! What of users is cached, for how long, and what drops it. The only place of this domain that
//! calls the cache.

use std::sync::Arc;
use std::time::Duration;

use larder::{BuildError, Invalidation, Key, Loaded, ReadableKey};

use super::model::Account;
use super::rows::UserRows;
use crate::auth::UserId;
use crate::balances;
use crate::bundles::{Bundle, Bundled};
use crate::http::{ApiError, Audience, CachePlan, Cached};
use crate::reads::{CachedReads, Reads};
use crate::sessions;
use crate::storage::StorageError;
use crate::warming::{Sets, WarmSet};

/// A user's own account.
pub(super) const ACCOUNTS: CachePlan = CachePlan {
    name: "accounts",
    fresh: |cache| cache.account_fresh,
    absent: Duration::ZERO,
    stale: |_| Duration::ZERO,
    tags: &["balance-{user}", "user-{user}"],
    audience: Audience::Private,
};

#[derive(Clone, Copy, Key, ReadableKey)]
struct AccountKey {
    user: i64,
}

/// Accounts as their owners see them: through the cache.
#[derive(Debug)]
pub struct UserCaches {
    accounts: CachedReads<AccountKey, Account>,
    rows: UserRows,
}

impl UserCaches {
    /// The caches of this domain.
    ///
    /// # Errors
    /// The lifetimes are not what the cache takes.
    pub fn build(reads: &Reads, rows: UserRows) -> Result<Self, BuildError> {
        Ok(UserCaches { accounts: reads.cache(&ACCOUNTS)?, rows })
    }

    /// The account; every change of its balance drops it by the tag, and every change of who the
    /// user is.
    pub(super) async fn account(&self, user: UserId) -> Result<Cached<Account>, ApiError> {
        let (rows, key) = (self.rows.clone(), AccountKey { user: user.0 });
        self.accounts.find(&key, "user", move |_| load_account(rows, key)).await
    }

    /// What of this domain is warmed: the accounts of those who were here last.
    pub fn warmed(&self, sets: Sets) -> Sets {
        let rows = self.rows.clone();
        let accounts = self.accounts.supplied(move |key| load_account(rows.clone(), key));
        let rows = self.rows.clone();
        let active = move |limit| {
            let rows = rows.clone();
            async move {
                Ok(rows.active(limit).await?.into_iter().map(|user| AccountKey { user }).collect())
            }
        };
        sets.set(WarmSet::ActiveUsers, &accounts, active).restored(&accounts)
    }
}

impl Bundled for UserCaches {
    const NAME: &'static str = "users";

    fn held_of(&self, bundle: Bundle) -> Option<Invalidation> {
        match bundle {
            Bundle::User(user) => {
                Some(Invalidation::new().key(&self.accounts, &AccountKey { user: user.0 }))
            }
            _ => None,
        }
    }
}

async fn load_account(
    rows: UserRows,
    AccountKey { user }: AccountKey,
) -> Result<Loaded<Arc<Account>>, StorageError> {
    let user = UserId(user);
    Ok(match rows.account(user).await? {
        Some(account) => {
            let loaded = Loaded::value(Arc::new(account)).tag(balances::tag(user));
            loaded.tag(sessions::user_tag(user))
        }
        None => Loaded::absent(),
    })
}
