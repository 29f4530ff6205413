//! Decides what a new build and the change of one must say.

use super::graph::Parts;
use super::{BASE_SP, BASE_STP, NAME, POINTS};
use crate::domains::builds::model::{BuildChange, BuildGraph, NewBuild};
use crate::http::{Fields, Input, flag, id};

impl Input for NewBuild {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", NAME);
        let class_id = fields.required("classId", id());
        let private = fields.or("private", true, flag());
        let base_sp = fields.or("baseSP", BASE_SP, POINTS);
        let extra_sp = fields.or("extraSP", 0, POINTS);
        let base_stp = fields.or("baseSTP", BASE_STP, POINTS);
        let extra_stp = fields.or("extraSTP", 0, POINTS);
        let Parts { abilities, passives, stigmas, daevanion, shortcuts } = Parts::read(fields)?;
        let graph = BuildGraph {
            abilities: abilities.unwrap_or_default(),
            passives: passives.unwrap_or_default(),
            stigmas: stigmas.unwrap_or_default(),
            daevanion: daevanion.unwrap_or_default(),
            shortcuts: shortcuts.unwrap_or_default(),
        };
        Some(NewBuild {
            name: name?,
            class_id: class_id?,
            private: private?,
            base_sp: base_sp?,
            extra_sp: extra_sp?,
            base_stp: base_stp?,
            extra_stp: extra_stp?,
            graph,
        })
    }
}

impl Input for BuildChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", NAME);
        let class_id = fields.optional("classId", id());
        let private = fields.optional("private", flag());
        let base_sp = fields.optional("baseSP", POINTS);
        let extra_sp = fields.optional("extraSP", POINTS);
        let base_stp = fields.optional("baseSTP", POINTS);
        let extra_stp = fields.optional("extraSTP", POINTS);
        let Parts { abilities, passives, stigmas, daevanion, shortcuts } = Parts::read(fields)?;
        let change = BuildChange {
            name: name?,
            class_id: class_id?,
            private: private?,
            base_sp: base_sp?,
            extra_sp: extra_sp?,
            base_stp: base_stp?,
            extra_stp: extra_stp?,
            abilities,
            passives,
            stigmas,
            daevanion,
            shortcuts,
        };
        fields.changing(change)
    }
}
