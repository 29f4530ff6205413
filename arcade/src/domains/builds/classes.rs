//! Decides how a class is put: whole, with its tags, and with the starter build that comes with it.

use super::changes::Builds;
use super::model::{Ability, Build, BuildGraph, BuildHead, Class, NewClass, Passive};
use super::rows::BuildRows;
use crate::http::ApiError;
use crate::storage::{StorageError, new_id, retried};
use crate::wall;

/// Points of a starter build: what a character of the highest level has.
const BASE_SP: i64 = 231;
const BASE_STP: i64 = 40;

/// Whether a class is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is, and its starter build was made with it.
    Made,
    /// It took the place of the one that was there. Builds stay as they are, and are judged by the
    /// new class when they are changed.
    Replaced,
}

impl Builds {
    /// Makes the class of this name, or puts it in place of the one that was there.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn put_class(&self, name: String, new: NewClass) -> Result<(Class, Put), ApiError> {
        let Builds { caches, writes } = self.clone();
        let put = async move {
            retried(async || {
                let mut change = writes.begin().await?;
                let known = BuildRows::class_number(&mut change, &name.to_lowercase()).await?;
                let class = new.clone().named(known.unwrap_or_else(new_id), name.clone());
                match known {
                    Some(_) => BuildRows::change_class(&mut change, &class).await?,
                    None => {
                        let classes = std::slice::from_ref(&class);
                        let inserted = BuildRows::insert_classes(&mut change, classes).await;
                        inserted.map_err(made_meanwhile)?;
                        let starter = starter(&class, new_id(), wall::now_ms());
                        BuildRows::insert(&mut change, std::slice::from_ref(&starter)).await?;
                        change.drops(caches.created(&starter));
                    }
                }
                change.drops(caches.class_put(&class));
                change.commit().await?;
                let put = if known.is_some() { Put::Replaced } else { Put::Made };
                Ok::<_, StorageError>((class, put))
            })
            .await
        };
        self.writes.to_its_end(put).await
    }
}

/// Somebody else made the class first: tried again, it is there to be replaced.
fn made_meanwhile(fault: StorageError) -> StorageError {
    if fault.is_duplicate() { StorageError::Overtaken } else { fault }
}

/// The build that comes with a class: everything is learned to the first level, and nobody owns it.
pub(crate) fn starter(class: &Class, id: i64, now_ms: i64) -> Build {
    let ability = |skill: &super::model::Skill| Ability {
        ability_id: skill.id,
        level: 1,
        max_level: skill.max_level,
        choices: Vec::new(),
        chains: Vec::new(),
    };
    let passive = |skill: &super::model::Skill| Passive {
        passive_id: skill.id,
        level: 1,
        max_level: skill.max_level,
    };
    let head = BuildHead {
        id,
        name: format!("{} starter build", class.head.name),
        class_id: class.head.id,
        user_id: None,
        private: false,
        base_sp: BASE_SP,
        extra_sp: 0,
        base_stp: BASE_STP,
        extra_stp: 0,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    let graph = BuildGraph {
        abilities: class.skills.abilities.iter().map(ability).collect(),
        passives: class.skills.passives.iter().map(passive).collect(),
        ..BuildGraph::default()
    };
    Build { head, graph }
}
