//! Decides what the parts of a build must say.

use super::{LEVEL, LEVEL_LIMIT, OF_A_SKILL_MAX, WORD, note_twice};
use crate::domains::builds::model::{
    Ability, Daevanion, LEVEL_MAX, Passive, STIGMA_COST, Shortcut, SkillKind, Stigma,
};
use crate::http::{Fields, Input, Integer, choice, id, id_list, integer};

/// The most skills of a kind in a build: as many as a class has.
const PARTS_MAX: usize = super::SKILLS_MAX;

const COST: Integer<i64> = integer(0..=1_000);

/// The places on the bar.
const SLOT: Integer<i64> = integer(1..=48);

const SHORTCUTS_MAX: usize = 48;

/// The most nodes that can be taken on a board.
const NODES_MAX: usize = 250;

/// Level and limit of a skill; the level must be within.
fn level(fields: &mut Fields) -> Option<(i64, i64)> {
    let level = fields.required("level", integer(LEVEL));
    let most = fields.or("maxLevel", LEVEL_MAX, integer(LEVEL_LIMIT));
    let (level, most) = (level?, most?);
    if level > most {
        fields.mistake("level", "must not be above maxLevel", &format!("0 to {most}"));
        return None;
    }
    Some((level, most))
}

/// Specialties and chain of a skill.
fn options(fields: &mut Fields) -> Option<(Vec<i64>, Vec<i64>)> {
    let choices = fields.optional("choices", id_list(OF_A_SKILL_MAX));
    let chains = fields.optional("chains", id_list(OF_A_SKILL_MAX));
    Some((choices?.unwrap_or_default(), chains?.unwrap_or_default()))
}

impl Input for Ability {
    fn read(fields: &mut Fields) -> Option<Self> {
        let ability_id = fields.required("abilityId", id());
        let level = level(fields);
        let options = options(fields);
        let ((level, max_level), (choices, chains)) = (level?, options?);
        Some(Ability { ability_id: ability_id?, level, max_level, choices, chains })
    }
}

impl Input for Passive {
    fn read(fields: &mut Fields) -> Option<Self> {
        let passive_id = fields.required("passiveId", id());
        let (level, max_level) = level(fields)?;
        Some(Passive { passive_id: passive_id?, level, max_level })
    }
}

impl Input for Stigma {
    fn read(fields: &mut Fields) -> Option<Self> {
        let stigma_id = fields.required("stigmaId", id());
        let level = level(fields);
        let cost = fields.or("cost", STIGMA_COST, COST);
        let options = options(fields);
        let ((level, max_level), (choices, chains)) = (level?, options?);
        Some(Stigma { stigma_id: stigma_id?, level, max_level, cost: cost?, choices, chains })
    }
}

impl Input for Shortcut {
    fn read(fields: &mut Fields) -> Option<Self> {
        let slot = fields.required("slot", SLOT);
        let kind = fields.required("type", choice(SkillKind::ALL));
        let skill_id = fields.required("skillId", id());
        let label = fields.optional("label", WORD);
        Some(Shortcut { slot: slot?, kind: kind?, skill_id: skill_id?, label: label? })
    }
}

impl Input for Daevanion {
    fn read(fields: &mut Fields) -> Option<Self> {
        let mut board =
            |name| fields.optional(name, id_list(NODES_MAX)).map(Option::unwrap_or_default);
        let (nezekan, zikel, vaizel) = (board("nezekan"), board("zikel"), board("vaizel"));
        let (triniel, ariel, azphel) = (board("triniel"), board("ariel"), board("azphel"));
        Some(Daevanion {
            nezekan: nezekan?,
            zikel: zikel?,
            vaizel: vaizel?,
            triniel: triniel?,
            ariel: ariel?,
            azphel: azphel?,
        })
    }
}

/// The parts of a build, each of which may be missing.
pub(super) struct Parts {
    pub(super) abilities: Option<Vec<Ability>>,
    pub(super) passives: Option<Vec<Passive>>,
    pub(super) stigmas: Option<Vec<Stigma>>,
    pub(super) daevanion: Option<Daevanion>,
    pub(super) shortcuts: Option<Vec<Shortcut>>,
}

impl Parts {
    pub(super) fn read(fields: &mut Fields) -> Option<Self> {
        let abilities = part(fields, "abilities", PARTS_MAX, |ability: &Ability| ability.ability_id);
        let passives = part(fields, "passives", PARTS_MAX, |passive: &Passive| passive.passive_id);
        let stigmas = part(fields, "stigmas", PARTS_MAX, |stigma: &Stigma| stigma.stigma_id);
        let daevanion = fields.object("daevanion");
        let shortcuts = part(fields, "shortcuts", SHORTCUTS_MAX, |shortcut: &Shortcut| shortcut.slot);
        Some(Parts {
            abilities: abilities?,
            passives: passives?,
            stigmas: stigmas?,
            daevanion: daevanion?,
            shortcuts: shortcuts?,
        })
    }
}

/// A list in which no two have the same number.
fn part<I: Input>(
    fields: &mut Fields,
    name: &'static str,
    most: usize,
    number: impl Fn(&I) -> i64,
) -> Option<Option<Vec<I>>> {
    let part = fields.list(name, most)?;
    note_twice(fields, name, part.iter().flatten().map(number).collect());
    Some(part)
}
