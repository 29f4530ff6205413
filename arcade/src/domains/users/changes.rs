//! Decides what a change of a user does: the database first, then all that is cached of who the user
//! is, in every session, and of nobody else.

use larder::Invalidation;

use super::accounts::Users;
use super::model::Account;
use super::rows::UserRows;
use crate::auth::{Role, UserId};
use crate::http::ApiError;
use crate::sessions::user_tag;
use crate::storage::retried;

/// A change of a user.
#[derive(Debug, Clone)]
pub(super) enum UserChange {
    /// Where the user's picture is.
    Image(String),
    /// What the user may do.
    Role(Role),
}

impl Users {
    /// Makes the change; it holds for every session of the user at once.
    ///
    /// # Errors
    /// There is no such user, or the database refuses.
    ///
    /// # Cancel safety
    /// Once polled, it goes on although the future is dropped.
    pub(super) async fn change(&self, user: UserId, wanted: UserChange) -> Result<Account, ApiError> {
        let writes = self.writes.clone();
        let changed = async move {
            retried(async || {
                let mut change = writes.begin().await?;
                let was_there = match &wanted {
                    UserChange::Image(image) => UserRows::set_image(&mut change, user, image).await?,
                    UserChange::Role(role) => UserRows::set_role(&mut change, user, *role).await?,
                };
                if !was_there {
                    return Ok(None);
                }
                let account = UserRows::account_in(&mut change, user).await?;
                change.drops(Invalidation::new().tag(user_tag(user)));
                change.commit().await.map(|()| account)
            })
            .await
        };
        self.writes.to_its_end(changed).await?.ok_or(ApiError::NotFound("user"))
    }
}
