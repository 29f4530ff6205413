//! A build, and what is said of it in lists.

use larder::Entry;
use serde::{Deserialize, Serialize};

use super::graph::{Ability, BuildGraph, Daevanion, Passive, Shortcut, Stigma};
use crate::auth::UserId;

/// What is said of a build in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct BuildHead {
    /// Its number.
    pub id: i64,
    /// What its owner calls it.
    pub name: String,
    /// Of which class it is.
    pub class_id: i64,
    /// Whose it is; `null` for the starter build of a class, which nobody can change.
    pub user_id: Option<i64>,
    /// Whether only its owner and admins see it.
    pub private: bool,
    /// Skill points of the level.
    #[serde(rename = "baseSP")]
    pub base_sp: i64,
    /// Skill points from elsewhere.
    #[serde(rename = "extraSP")]
    pub extra_sp: i64,
    /// Stigma points of the level.
    #[serde(rename = "baseSTP")]
    pub base_stp: i64,
    /// Stigma points from elsewhere.
    #[serde(rename = "extraSTP")]
    pub extra_stp: i64,
    /// When it was made, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub updated_at_ms: i64,
}

/// A build. How many like it is kept apart, because it changes much more often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct Build {
    /// What is said of it in a list.
    pub head: BuildHead,
    /// What is chosen in it.
    pub graph: BuildGraph,
}

impl Build {
    /// Whether it comes with its class and belongs to nobody.
    pub fn is_starter(&self) -> bool {
        self.head.user_id.is_none()
    }

    /// Whether it is this user's.
    pub fn is_of(&self, user: UserId) -> bool {
        self.head.user_id == Some(user.0)
    }
}

/// A build that somebody wants to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBuild {
    /// What it is to be called.
    pub name: String,
    /// Of which class.
    pub class_id: i64,
    /// Whether only its owner and admins are to see it.
    pub private: bool,
    /// Skill points of the level.
    pub base_sp: i64,
    /// Skill points from elsewhere.
    pub extra_sp: i64,
    /// Stigma points of the level.
    pub base_stp: i64,
    /// Stigma points from elsewhere.
    pub extra_stp: i64,
    /// What is chosen in it.
    pub graph: BuildGraph,
}

impl NewBuild {
    /// The build of this user, made now.
    pub fn of(self, user: UserId, id: i64, now_ms: i64) -> Build {
        let NewBuild { name, class_id, private, base_sp, extra_sp, base_stp, extra_stp, graph } =
            self;
        let head = BuildHead {
            id,
            name,
            class_id,
            user_id: Some(user.0),
            private,
            base_sp,
            extra_sp,
            base_stp,
            extra_stp,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
        };
        Build { head, graph }
    }
}

/// What is to be changed of a build, where it is given. A list takes the place of the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildChange {
    /// What it is called.
    pub name: Option<String>,
    /// Of which class it is.
    pub class_id: Option<i64>,
    /// Whether only its owner and admins see it.
    pub private: Option<bool>,
    /// Skill points of the level.
    pub base_sp: Option<i64>,
    /// Skill points from elsewhere.
    pub extra_sp: Option<i64>,
    /// Stigma points of the level.
    pub base_stp: Option<i64>,
    /// Stigma points from elsewhere.
    pub extra_stp: Option<i64>,
    /// Abilities.
    pub abilities: Option<Vec<Ability>>,
    /// Passives.
    pub passives: Option<Vec<Passive>>,
    /// Stigmas.
    pub stigmas: Option<Vec<Stigma>>,
    /// The nodes of the boards.
    pub daevanion: Option<Daevanion>,
    /// What lies under which key.
    pub shortcuts: Option<Vec<Shortcut>>,
}

impl BuildChange {
    /// Whether it changes nothing but who sees the build.
    pub fn is_only_private(&self) -> bool {
        *self == BuildChange { private: self.private, ..BuildChange::default() }
    }
}

impl BuildChange {
    /// The build as it is after the change.
    pub fn applied(self, Build { head, graph }: &Build, now_ms: i64) -> Build {
        let (head, graph) = (head.clone(), graph.clone());
        Build {
            head: BuildHead {
                name: self.name.unwrap_or(head.name),
                class_id: self.class_id.unwrap_or(head.class_id),
                private: self.private.unwrap_or(head.private),
                base_sp: self.base_sp.unwrap_or(head.base_sp),
                extra_sp: self.extra_sp.unwrap_or(head.extra_sp),
                base_stp: self.base_stp.unwrap_or(head.base_stp),
                extra_stp: self.extra_stp.unwrap_or(head.extra_stp),
                updated_at_ms: now_ms,
                ..head
            },
            graph: BuildGraph {
                abilities: self.abilities.unwrap_or(graph.abilities),
                passives: self.passives.unwrap_or(graph.passives),
                stigmas: self.stigmas.unwrap_or(graph.stigmas),
                daevanion: self.daevanion.unwrap_or(graph.daevanion),
                shortcuts: self.shortcuts.unwrap_or(graph.shortcuts),
            },
        }
    }
}

/// What a part of a list shows: which builds, and how many there are in all. What is said of them
/// is kept with each build, so a change of one drops no list that still has the same members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub(in crate::domains::builds) struct BuildList {
    pub(in crate::domains::builds) ids: Vec<i64>,
    pub(in crate::domains::builds) total: u64,
}

/// How many like a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub(in crate::domains::builds) struct LikeCount {
    pub(in crate::domains::builds) likes: u64,
}

/// What a toggle of a like did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Toggled {
    /// Whether the user likes the build now.
    pub liked: bool,
    /// How many do.
    pub likes_count: u64,
}

/// A build in a list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::domains::builds) struct ShownHead {
    #[serde(flatten)]
    pub(in crate::domains::builds) head: BuildHead,
    pub(in crate::domains::builds) starter: bool,
    pub(in crate::domains::builds) likes_count: u64,
}

/// A build by itself.
#[derive(Debug, Clone, Serialize)]
pub(in crate::domains::builds) struct ShownBuild {
    #[serde(flatten)]
    pub(in crate::domains::builds) head: ShownHead,
    #[serde(flatten)]
    pub(in crate::domains::builds) graph: BuildGraph,
}

impl ShownBuild {
    pub(in crate::domains::builds) fn of(build: &Build, likes_count: u64) -> Self {
        ShownBuild { head: ShownHead::of(build, likes_count), graph: build.graph.clone() }
    }
}

impl ShownHead {
    pub(in crate::domains::builds) fn of(build: &Build, likes_count: u64) -> Self {
        ShownHead { head: build.head.clone(), starter: build.is_starter(), likes_count }
    }
}
