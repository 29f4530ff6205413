//! Decides what a change makes wrong: those entries and no others.

use larder::Invalidation;

use super::BuildCaches;
use super::keys::{self, BuildKey, ClassKey, LikesKey};
use super::plans::LIKED;
use crate::auth::UserId;
use crate::bundles::{Bundle, Bundled};
use crate::domains::builds::model::{Build, Class};

/// The most users whose liked lists are dropped by name. With more, all liked lists go: one name
/// instead of thousands.
pub(in crate::domains::builds) const LIKERS_MAX: usize = 200;

/// Who likes a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::domains::builds) enum Likers {
    /// These.
    These(Vec<UserId>),
    /// More than are worth naming.
    Many,
}

impl Likers {
    /// Out of at most one more than [`LIKERS_MAX`].
    pub(in crate::domains::builds) fn of(users: Vec<UserId>) -> Self {
        match users.len() > LIKERS_MAX {
            true => Likers::Many,
            false => Likers::These(users),
        }
    }
}

impl BuildCaches {
    /// What is wrong once a build was made: also that there was none.
    pub(in crate::domains::builds) fn created(&self, build: &Build) -> Invalidation {
        let wrong = self.with_own(self.with_build(Invalidation::new(), build.head.id), build);
        match build.head.private {
            true => wrong,
            false => self.with_lists(wrong, build),
        }
    }

    /// What is wrong once a build was changed. A list stays as long as it has the same members.
    pub(in crate::domains::builds) fn updated(
        &self,
        before: &Build,
        after: &Build,
        likers: &Likers,
    ) -> Invalidation {
        let mut wrong = self.with_build(Invalidation::new(), after.head.id);
        let moved = before.head.class_id != after.head.class_id;
        let shown_or_hidden = before.head.private != after.head.private;
        if !moved && !shown_or_hidden {
            return wrong;
        }
        wrong = self.with_own(wrong, after);
        for build in [before, after].into_iter().filter(|build| !build.head.private) {
            wrong = self.with_boards(self.with_lists(wrong, build), build);
        }
        match shown_or_hidden {
            true => self.with_liked(wrong, likers),
            false => wrong,
        }
    }

    /// What is wrong once a build is gone.
    pub(in crate::domains::builds) fn removed(&self, was: &Build, likers: &Likers) -> Invalidation {
        let id = was.head.id;
        let wrong = self.with_own(self.with_build(Invalidation::new(), id), was);
        let wrong = self.with_liked(wrong, likers).key(&self.likes, &LikesKey { id });
        match was.head.private {
            true => wrong,
            false => self.with_boards(self.with_lists(wrong, was), was),
        }
    }

    /// What is wrong once this user likes a build, or no longer.
    pub(in crate::domains::builds) fn liked_or_not(
        &self,
        build: &Build,
        user: UserId,
    ) -> Invalidation {
        let wrong = Invalidation::new()
            .key(&self.likes, &LikesKey { id: build.head.id })
            .tag(keys::liked_tag(user));
        match build.head.private {
            true => wrong,
            false => self.with_boards(wrong, build),
        }
    }

    /// What is wrong once a class was made or changed: also that there was none.
    pub(in crate::domains::builds) fn class_put(&self, class: &Class) -> Invalidation {
        let key = ClassKey::of(&class.head.name);
        Invalidation::new().cache(&self.classes).key(&self.class, &key).key(&self.class_tags, &key)
    }

    /// A build as anybody sees it. By key, because the knowledge that there is none has no tag.
    fn with_build(&self, wrong: Invalidation, id: i64) -> Invalidation {
        wrong.key(&self.builds, &BuildKey { id }).prefix(&self.trusted, &(id,))
    }

    /// The lists of its owner; a starter build has none.
    fn with_own(&self, wrong: Invalidation, build: &Build) -> Invalidation {
        match build.head.user_id {
            Some(owner) => wrong.tag(keys::own_tag(UserId(owner))),
            None => wrong,
        }
    }

    /// Every list of public builds that this one is in.
    fn with_lists(&self, wrong: Invalidation, build: &Build) -> Invalidation {
        let (class, owner) = (Some(build.head.class_id), build.head.user_id);
        let of_everybody: Option<i64> = None;
        let wrong = [None, class].into_iter().fold(wrong, |wrong, class: Option<i64>| {
            wrong.prefix(&self.lists, &(class, of_everybody))
        });
        match owner {
            None => wrong,
            owner => [None, class]
                .into_iter()
                .fold(wrong, |wrong, class: Option<i64>| wrong.prefix(&self.lists, &(class, owner))),
        }
    }

    /// The leaderboards that this build can be in.
    fn with_boards(&self, wrong: Invalidation, build: &Build) -> Invalidation {
        let all: Option<i64> = None;
        wrong.prefix(&self.boards, &(all,)).prefix(&self.boards, &(Some(build.head.class_id),))
    }

    fn with_liked(&self, wrong: Invalidation, likers: &Likers) -> Invalidation {
        match likers {
            Likers::Many => wrong.cache(LIKED.name),
            Likers::These(users) => {
                users.iter().fold(wrong, |wrong, user| wrong.tag(keys::liked_tag(*user)))
            }
        }
    }
}

impl Bundled for BuildCaches {
    const NAME: &'static str = "builds";

    fn held_of(&self, bundle: Bundle) -> Option<Invalidation> {
        match bundle {
            Bundle::User(user) => {
                Some(Invalidation::new().tag(keys::own_tag(user)).tag(keys::liked_tag(user)))
            }
            Bundle::Build(id) => {
                Some(self.with_build(Invalidation::new(), id).key(&self.likes, &LikesKey { id }))
            }
            Bundle::Listings => Some(Invalidation::new().cache(&self.lists)),
            Bundle::UserBuilds(user) => Some(Invalidation::new().tag(keys::own_tag(user))),
            Bundle::LikedBuilds(user) => Some(Invalidation::new().tag(keys::liked_tag(user))),
            Bundle::Leaderboards => Some(Invalidation::new().cache(&self.boards)),
            Bundle::Classes => Some(
                Invalidation::new().cache(&self.classes).cache(&self.class).cache(&self.class_tags),
            ),
            _ => None,
        }
    }
}
