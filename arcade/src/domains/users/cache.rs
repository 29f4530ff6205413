//! What of users is cached, for how long, and what drops it. The only place of this domain that
//! calls the cache.

use std::sync::Arc;
use std::time::Duration;

use larder::{BuildError, Key, Loaded};

use super::model::Account;
use super::rows::UserRows;
use crate::auth::UserId;
use crate::balances;
use crate::http::{ApiError, Audience, CachePlan, Cached};
use crate::reads::{CachedReads, Reads};
use crate::sessions;

/// A user's own account.
pub(super) const ACCOUNTS: CachePlan = CachePlan {
    name: "accounts",
    fresh: |cache| cache.account_fresh,
    absent: Duration::ZERO,
    stale: |_| Duration::ZERO,
    tags: &["balance-{user}", "user-{user}"],
    audience: Audience::Private,
};

#[derive(Key)]
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
        let rows = self.rows.clone();
        let load = move |_| async move {
            let found = rows.account(user).await?;
            Ok::<_, crate::storage::StorageError>(match found {
                Some(account) => {
                    let loaded = Loaded::value(Arc::new(account)).tag(balances::tag(user));
                    loaded.tag(sessions::user_tag(user))
                }
                None => Loaded::absent(),
            })
        };
        self.accounts.find(&AccountKey { user: user.0 }, "user", load).await
    }
}
