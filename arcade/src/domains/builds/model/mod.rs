//! What builds, their likes and their classes look like in an answer and in the cache.

mod build;
mod class;
mod graph;

pub use build::{Build, BuildChange, BuildHead, NewBuild, Toggled};
pub(super) use build::{BuildList, LikeCount, ShownBuild, ShownHead};
pub use class::{Choice, Class, ClassHead, NewClass, Skill, Skills};
pub(super) use class::{ClassList, ShownClass, TagList};
pub use graph::{
    Ability, BuildGraph, Daevanion, LEVEL_MAX, Passive, STIGMA_COST, Shortcut, SkillKind, Stigma,
};
