//! A class: what there is to choose from in its builds.

use larder::Entry;
use serde::{Deserialize, Serialize};

/// What is said of a class in the list of classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct ClassHead {
    /// Its number.
    pub id: i64,
    /// What it is called; no other class has this name, in any case.
    pub name: String,
    /// What it is like.
    pub description: String,
    /// Where its icon is: a path of this site or an https URL.
    pub icon: String,
    /// Where its banner is.
    pub banner: String,
    /// Where the picture of a character is.
    pub character_image: String,
    /// What it is good for, in the order of the alphabet.
    pub tags: Vec<String>,
}

/// A specialty of a skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// Its number; no other specialty of the class has it.
    pub id: i64,
    /// What it does.
    pub description: String,
    /// The level of the skill from which on it can be active.
    pub unlock_level: i64,
}

/// A skill of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Skill {
    /// Its number; no other skill of this kind in the class has it.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Where its icon is: a path of this site or an https URL.
    pub icon: String,
    /// How far it can be learned.
    pub max_level: i64,
    /// Its specialties; a passive has none.
    pub choices: Vec<Choice>,
    /// The skills of its kind that can follow it in a chain; a passive has none.
    pub chains: Vec<i64>,
}

/// What there is to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct Skills {
    /// Its abilities.
    pub abilities: Vec<Skill>,
    /// Its passives.
    pub passives: Vec<Skill>,
    /// Its stigmas.
    pub stigmas: Vec<Skill>,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct Class {
    /// What is said of it in the list.
    pub head: ClassHead,
    /// What there is to choose from.
    pub skills: Skills,
}

/// A class by itself.
#[derive(Debug, Clone, Serialize)]
pub(in crate::domains::builds) struct ShownClass {
    #[serde(flatten)]
    head: ClassHead,
    #[serde(flatten)]
    skills: Skills,
}

impl ShownClass {
    pub(in crate::domains::builds) fn of(class: Class) -> Self {
        let Class { head, skills } = class;
        ShownClass { head, skills }
    }
}

/// Every class, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub(in crate::domains::builds) struct ClassList {
    pub(in crate::domains::builds) classes: Vec<ClassHead>,
}

/// The tags of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub(in crate::domains::builds) struct TagList {
    pub(in crate::domains::builds) tags: Vec<String>,
}

/// What an admin says of a class. Its name is in the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClass {
    /// What it is like.
    pub description: String,
    /// Where its icon is.
    pub icon: String,
    /// Where its banner is.
    pub banner: String,
    /// Where the picture of a character is.
    pub character_image: String,
    /// What it is good for.
    pub tags: Vec<String>,
    /// What there is to choose from.
    pub skills: Skills,
}

impl NewClass {
    /// The class of this name and number.
    pub fn named(self, id: i64, name: String) -> Class {
        let NewClass { description, icon, banner, character_image, mut tags, skills } = self;
        tags.sort_unstable();
        let head = ClassHead { id, name, description, icon, banner, character_image, tags };
        Class { head, skills }
    }
}
