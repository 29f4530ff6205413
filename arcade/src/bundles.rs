//! What an operator may drop as one: all that is cached of a user, a room, a build. Decides no key:
//! each domain says what that is in its own caches.

use std::sync::Arc;

use larder::{Invalidation, Rule};

use crate::auth::UserId;

/// All that is cached of one thing, in every domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bundle {
    /// Of a user: account, balance, inventory, notifications, sessions, and the lists of their rooms
    /// and builds.
    User(UserId),
    /// Of the sessions of a user.
    Sessions(UserId),
    /// Of a room: its state, its name, its players, its assets.
    Room(i64),
    /// Of an asset, with the lists that it may be in.
    Asset(i64),
    /// Of a game system or template, with the lists of them.
    System(i64),
    /// Of a tournament, with its matches and the lists of tournaments.
    Tournament(i64),
    /// Of an item of the marketplace, with the pages that show it.
    Item(i64),
    /// Of a build, as anybody sees it.
    Build(i64),
    /// The lists of public builds.
    Listings,
    /// The lists of what a user made.
    UserBuilds(UserId),
    /// The lists of what a user likes.
    LikedBuilds(UserId),
    /// Which builds most users like.
    Leaderboards,
    /// The classes, and what there is to choose from.
    Classes,
}

/// The caches of a domain, which know what they hold of a bundle.
pub trait Bundled: Send + Sync + 'static {
    /// The domain.
    const NAME: &'static str;

    /// What to drop; `None` if nothing of it is ever cached here.
    fn held_of(&self, bundle: Bundle) -> Option<Invalidation>;
}

/// The rule by which these caches drop a bundle.
pub fn rule<C: Bundled>(caches: &Arc<C>) -> Rule<Bundle> {
    let caches = Arc::clone(caches);
    Rule::new(C::NAME, move |bundle: &Bundle| caches.held_of(*bundle))
}
