//! Decides who may do what with a build, and whether a build fits its class. Pure: reads nothing.

use std::collections::BTreeMap;

use super::model::{Build, BuildGraph, Skill, SkillKind, Skills};
use crate::auth::{CurrentUser, Role, UserId};
use crate::http::{ApiError, Detail};

/// Why a build was not made, changed, removed or liked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such build, or the caller may not know of it.
    NoBuild,
    /// The caller is no user any more.
    NoUser,
    /// It belongs to another user.
    NotYours,
    /// It is a starter build, which nobody changes.
    Locked,
    /// It does not fit its class.
    Unfit(Vec<Detail>),
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        match refusal {
            Refusal::NoBuild => ApiError::NotFound("build"),
            Refusal::NoUser => ApiError::NotFound("user"),
            Refusal::NotYours => ApiError::Forbidden,
            Refusal::Locked => ApiError::Conflict("a starter build is locked"),
            Refusal::Unfit(mistakes) => ApiError::BadInput(mistakes),
        }
    }
}

/// Who may change or remove a build: its owner and admins, and nobody a starter build. Whoever may
/// not see it is not told that it is there.
pub(super) fn edit(build: &Build, actor: CurrentUser) -> Result<(), Refusal> {
    let trusted = build.is_of(actor.id) || actor.role == Role::Admin;
    match (build.is_starter(), trusted, build.head.private) {
        (true, ..) => Err(Refusal::Locked),
        (false, true, _) => Ok(()),
        (false, false, true) => Err(Refusal::NoBuild),
        (false, false, false) => Err(Refusal::NotYours),
    }
}

/// Who may like a build: everybody whom it is shown to as a build like any other.
pub(super) fn like(build: &Build, user: UserId) -> Result<(), Refusal> {
    match build.head.private && !build.is_of(user) {
        true => Err(Refusal::NoBuild),
        false => Ok(()),
    }
}

/// Every mistake of a build of a class that is not there.
pub(super) fn no_class() -> Refusal {
    Refusal::Unfit(vec![Detail {
        path: "classId".to_owned(),
        message: "must be a class".to_owned(),
        limit: "one that is there".to_owned(),
    }])
}

/// Whether everything in a build is there to choose from.
pub(super) fn fits(graph: &BuildGraph, skills: &Skills) -> Result<(), Refusal> {
    let abilities = numbered(&skills.abilities);
    let stigmas = numbered(&skills.stigmas);
    let passives = numbered(&skills.passives);
    let mut mistakes = Vec::new();
    for (place, ability) in graph.abilities.iter().enumerate() {
        let at = At { list: "abilities", place, id: "abilityId" };
        at.skill(&mut mistakes, &abilities, ability.ability_id, ability.level, |skill| {
            options(skill, ability.level, &ability.choices, &ability.chains)
        });
    }
    for (place, passive) in graph.passives.iter().enumerate() {
        let at = At { list: "passives", place, id: "passiveId" };
        at.skill(&mut mistakes, &passives, passive.passive_id, passive.level, |_| None);
    }
    for (place, stigma) in graph.stigmas.iter().enumerate() {
        let at = At { list: "stigmas", place, id: "stigmaId" };
        at.skill(&mut mistakes, &stigmas, stigma.stigma_id, stigma.level, |skill| {
            options(skill, stigma.level, &stigma.choices, &stigma.chains)
        });
    }
    for (place, shortcut) in graph.shortcuts.iter().enumerate() {
        let of_kind = match shortcut.kind {
            SkillKind::Ability => &abilities,
            SkillKind::Stigma => &stigmas,
        };
        let at = At { list: "shortcuts", place, id: "skillId" };
        at.skill(&mut mistakes, of_kind, shortcut.skill_id, 0, |_| None);
    }
    match mistakes.is_empty() {
        true => Ok(()),
        false => Err(Refusal::Unfit(mistakes)),
    }
}

fn numbered(skills: &[Skill]) -> BTreeMap<i64, &Skill> {
    skills.iter().map(|skill| (skill.id, skill)).collect()
}

/// A place in a list of the graph.
struct At {
    list: &'static str,
    place: usize,
    id: &'static str,
}

/// A field that does not fit, and what would.
type Misfit = (&'static str, String);

impl At {
    /// Notes what does not fit the skill of this number.
    fn skill(
        &self,
        mistakes: &mut Vec<Detail>,
        known: &BTreeMap<i64, &Skill>,
        id: i64,
        level: i64,
        more: impl Fn(&Skill) -> Option<Misfit>,
    ) {
        let misfit = match known.get(&id) {
            None => Some((self.id, "one of the class".to_owned())),
            Some(skill) if level > skill.max_level => {
                Some(("level", format!("0 to {}", skill.max_level)))
            }
            Some(skill) => more(skill),
        };
        mistakes.extend(misfit.map(|(field, limit)| Detail {
            path: format!("{}[{}].{field}", self.list, self.place),
            message: "must fit the class".to_owned(),
            limit,
        }));
    }
}

/// Specialties must be those of the skill, at a level that unlocks them; a chain goes on with
/// skills that the skill names.
fn options(skill: &Skill, level: i64, choices: &[i64], chains: &[i64]) -> Option<Misfit> {
    let open = |choice: &i64| {
        skill.choices.iter().any(|known| known.id == *choice && known.unlock_level <= level)
    };
    if !choices.iter().all(open) {
        return Some(("choices", "specialties of the skill that its level unlocks".to_owned()));
    }
    let follows = chains.iter().all(|chain| skill.chains.contains(chain));
    (!follows).then(|| ("chains", "what can follow the skill".to_owned()))
}
