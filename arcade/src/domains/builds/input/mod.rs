//! Decides which input of builds and classes is good, before anything is read. Whether a build fits
//! its class is for the rules, which know the class.

mod build;
mod class;
mod graph;
mod listed;

pub(super) use listed::{BoardQuery, LikedQuery, ListQuery, OwnQuery};

use std::ops::RangeInclusive;

use crate::http::{Fields, Integer, Text, integer, line, text};

/// What people call things that they make.
const NAME: Text = line(1..=255);

/// What skills and tags are called.
const WORD: Text = line(1..=60);

const DESCRIPTION: Text = text(0..=2_000);

const IMAGE: Text = line(1..=500);

/// Far above what a player can collect.
const POINTS: Integer<i64> = integer(0..=10_000);

/// Skill points of a character of the highest level.
const BASE_SP: i64 = 231;

/// Stigma points of a character of the highest level.
const BASE_STP: i64 = 40;

const LEVEL: RangeInclusive<i64> = 0..=super::model::LEVEL_MAX;

const LEVEL_LIMIT: RangeInclusive<i64> = 1..=super::model::LEVEL_MAX;

/// The most skills of a kind that a class has.
const SKILLS_MAX: usize = 60;

/// The most specialties of a skill, and the longest chain behind one.
const OF_A_SKILL_MAX: usize = 12;

/// Notes what is there twice of what may be there once.
fn note_twice(fields: &mut Fields, name: &str, mut numbers: Vec<i64>) {
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() < all {
        fields.mistake(name, "must name each thing once", "no two with one number");
    }
}
