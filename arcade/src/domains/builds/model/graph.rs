//! What is chosen in a build.

use larder::Entry;
use serde::{Deserialize, Serialize};

/// The highest level of a skill.
pub const LEVEL_MAX: i64 = 20;

/// What a stigma costs where the build names no cost, in stigma points.
pub const STIGMA_COST: i64 = 10;

/// An ability at some level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Ability {
    /// Which ability of the class.
    pub ability_id: i64,
    /// How far it is learned; 0 is not at all.
    pub level: i64,
    /// How far it can be learned in this build.
    pub max_level: i64,
    /// The specialties that are active.
    pub choices: Vec<i64>,
    /// The abilities that follow it in a chain.
    pub chains: Vec<i64>,
}

/// A passive at some level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Passive {
    /// Which passive of the class.
    pub passive_id: i64,
    /// How far it is learned; 0 is not at all.
    pub level: i64,
    /// How far it can be learned in this build.
    pub max_level: i64,
}

/// A stigma at some level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Stigma {
    /// Which stigma of the class.
    pub stigma_id: i64,
    /// How far it is learned; 0 is not at all.
    pub level: i64,
    /// How far it can be learned in this build.
    pub max_level: i64,
    /// What it costs in this build, in stigma points.
    pub cost: i64,
    /// The specialties that are active.
    pub choices: Vec<i64>,
    /// The stigmas that follow it in a chain.
    pub chains: Vec<i64>,
}

/// The nodes that are taken on each of the six boards, in the order in which they were taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct Daevanion {
    /// The board of Nezekan.
    pub nezekan: Vec<i64>,
    /// The board of Zikel.
    pub zikel: Vec<i64>,
    /// The board of Vaizel.
    pub vaizel: Vec<i64>,
    /// The board of Triniel.
    pub triniel: Vec<i64>,
    /// The board of Ariel.
    pub ariel: Vec<i64>,
    /// The board of Azphel.
    pub azphel: Vec<i64>,
}

/// What a shortcut can stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "lowercase")]
pub enum SkillKind {
    /// An ability.
    Ability,
    /// A stigma.
    Stigma,
}

impl SkillKind {
    /// Every kind by its name.
    pub const ALL: &[(&str, SkillKind)] =
        &[("ability", SkillKind::Ability), ("stigma", SkillKind::Stigma)];
}

/// A skill under a key of the player.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Shortcut {
    /// The place on the bar; each once.
    pub slot: i64,
    /// What it stands for.
    #[serde(rename = "type")]
    pub kind: SkillKind,
    /// Which one.
    pub skill_id: i64,
    /// What the player calls it.
    pub label: Option<String>,
}

/// Everything that is chosen in a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct BuildGraph {
    /// Abilities, each once.
    pub abilities: Vec<Ability>,
    /// Passives, each once.
    pub passives: Vec<Passive>,
    /// Stigmas, each once.
    pub stigmas: Vec<Stigma>,
    /// The nodes of the boards.
    pub daevanion: Daevanion,
    /// What lies under which key.
    pub shortcuts: Vec<Shortcut>,
}
