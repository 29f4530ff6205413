//! Decides what an admin must say of a class.

use super::{DESCRIPTION, IMAGE, LEVEL_LIMIT, OF_A_SKILL_MAX, SKILLS_MAX, WORD, note_twice};
use crate::domains::builds::model::{Choice, LEVEL_MAX, NewClass, Skill, Skills};
use crate::http::{Fields, Input, id, id_list, integer, lines};

/// The most tags of a class.
const TAGS_MAX: usize = 12;

impl Input for Choice {
    fn read(fields: &mut Fields) -> Option<Self> {
        let id = fields.required("id", id());
        let description = fields.or("description", String::new(), DESCRIPTION);
        let unlock_level = fields.required("unlockLevel", integer(LEVEL_LIMIT));
        Some(Choice { id: id?, description: description?, unlock_level: unlock_level? })
    }
}

impl Input for Skill {
    fn read(fields: &mut Fields) -> Option<Self> {
        let id = fields.required("id", id());
        let name = fields.required("name", WORD);
        let description = fields.or("description", String::new(), DESCRIPTION);
        let icon = fields.picture("icon", IMAGE);
        let max_level = fields.or("maxLevel", LEVEL_MAX, integer(LEVEL_LIMIT));
        let choices = fields.list::<Choice>("choices", OF_A_SKILL_MAX);
        let chains = fields.optional("chains", id_list(OF_A_SKILL_MAX));
        Some(Skill {
            id: id?,
            name: name?,
            description: description?,
            icon: icon?,
            max_level: max_level?,
            choices: choices?.unwrap_or_default(),
            chains: chains?.unwrap_or_default(),
        })
    }
}

impl Input for NewClass {
    fn read(fields: &mut Fields) -> Option<Self> {
        let description = fields.or("description", String::new(), DESCRIPTION);
        let icon = fields.picture("icon", IMAGE);
        let banner = fields.picture("banner", IMAGE);
        let character_image = fields.picture("characterImage", IMAGE);
        let tags = fields.optional("tags", lines(WORD, TAGS_MAX));
        let abilities = skills(fields, "abilities");
        let passives = skills(fields, "passives");
        let stigmas = skills(fields, "stigmas");
        Some(NewClass {
            description: description?,
            icon: icon?,
            banner: banner?,
            character_image: character_image?,
            tags: tags?.unwrap_or_default(),
            skills: Skills { abilities: abilities?, passives: passives?, stigmas: stigmas? },
        })
    }
}

fn skills(fields: &mut Fields, name: &'static str) -> Option<Vec<Skill>> {
    let skills: Vec<Skill> = fields.list(name, SKILLS_MAX)?.unwrap_or_default();
    let known: Vec<i64> = skills.iter().map(|skill| skill.id).collect();
    for (place, skill) in skills.iter().enumerate() {
        if !skill.chains.iter().all(|chain| known.contains(chain)) {
            let path = format!("{name}[{place}].chains");
            fields.mistake(&path, "must name skills of this list", "their ids");
        }
    }
    note_twice(fields, name, known);
    Some(skills)
}
