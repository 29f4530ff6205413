//! The build planner: classes with what there is to choose from, builds, and who likes which. A
//! private build is seen by its owner and by admins, and nobody else learns that it is there.

mod cache;
mod changes;
mod classes;
mod input;
mod model;
mod routes;
mod rows;
mod rules;

pub use cache::BuildCaches;
pub use changes::Builds;
pub use classes::Put;
pub(crate) use classes::starter;
pub use model::{
    Ability, Build, BuildChange, BuildGraph, BuildHead, Choice, Class, ClassHead, Daevanion,
    LEVEL_MAX, NewBuild, NewClass, Passive, STIGMA_COST, Shortcut, Skill, SkillKind, Skills, Stigma,
    Toggled,
};
pub use routes::router;
pub use rows::BuildRows;
pub use rules::Refusal;
