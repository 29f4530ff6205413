//! The keys and the tags of builds and classes.

use larder::{Key, ReadableKey, Tag};

use crate::auth::UserId;

/// A class by its name, in lower case.
#[derive(Clone, Key, ReadableKey)]
pub(super) struct ClassKey {
    pub(super) name: String,
}

impl ClassKey {
    /// Of a name in any case.
    pub(super) fn of(name: &str) -> Self {
        ClassKey { name: name.to_lowercase() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Key, ReadableKey)]
pub(super) struct BuildKey {
    pub(super) id: i64,
}

/// A build as this owner or admin sees it. The build comes first, so that one prefix names what
/// anybody was told of it, also that there is none. The role belongs to it: who is no admin any more
/// must not find what the admin was shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Key)]
pub(super) struct TrustedKey {
    pub(super) id: i64,
    pub(super) viewer: i64,
    pub(super) admin: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Key, ReadableKey)]
pub(super) struct LikesKey {
    pub(super) id: i64,
}

/// Class and owner come first, so that one prefix names all parts of a list.
#[derive(Clone, Key, ReadableKey)]
pub(super) struct ListKey {
    pub(super) class: Option<i64>,
    pub(super) owner: Option<i64>,
    pub(super) limit: u32,
    pub(super) offset: u32,
}

#[derive(Key)]
pub(super) struct OwnKey {
    pub(super) owner: i64,
    pub(super) class: Option<i64>,
    pub(super) private: Option<bool>,
    pub(super) limit: u32,
    pub(super) offset: u32,
}

#[derive(Key)]
pub(super) struct LikedKey {
    pub(super) user: i64,
    pub(super) limit: u32,
    pub(super) offset: u32,
}

/// The class comes first, so that one prefix names its leaderboards of every length.
#[derive(Clone, Key, ReadableKey)]
pub(super) struct BoardKey {
    pub(super) class: Option<i64>,
    pub(super) limit: u32,
}

/// What everything carries that is said of a class.
pub(super) fn class_tag(name_lower: &str) -> Tag {
    Tag::new(larder::key::text("class", name_lower))
}

/// What everything carries that is said of a build.
pub(super) fn build_tag(id: i64) -> Tag {
    Tag::new(format!("build-{id}"))
}

/// What every list carries of the builds that this user made.
pub(super) fn own_tag(owner: UserId) -> Tag {
    Tag::new(format!("user-builds-{owner}"))
}

/// What every list carries of the builds that this user likes.
pub(super) fn liked_tag(user: UserId) -> Tag {
    Tag::new(format!("liked-builds-{user}"))
}
