//! Decides what a change of a match may say.

use super::note;
use crate::domains::tournaments::mistakes;
use crate::domains::tournaments::words::MatchStatus;
use crate::http::{Choice, Fields, Input, Integer, choice, id, integer};

const STATUS: Choice<MatchStatus> = choice(MatchStatus::WORDS);
const SCORE: Integer<u32> = integer(0..=999);
const TABLE: Integer<u32> = integer(1..=999);

/// What is to be another way; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatchChange {
    /// How far it is.
    pub status: Option<MatchStatus>,
    /// The frames of player A.
    pub score_a: Option<u32>,
    /// The frames of player B.
    pub score_b: Option<u32>,
    /// Who won.
    pub winner: Option<i64>,
    /// At which table.
    pub table: Option<u32>,
}

impl Input for MatchChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        let status = fields.optional("status", STATUS);
        let score_a = fields.optional("scoreA", SCORE);
        let score_b = fields.optional("scoreB", SCORE);
        let winner = fields.optional("winner", id());
        let table = fields.optional("table", TABLE);
        if let (Some(status), Some(winner)) = (status, winner) {
            note(fields, mistakes::winner_told(status, winner));
        }
        let change = MatchChange {
            status: status?,
            score_a: score_a?,
            score_b: score_b?,
            winner: winner?,
            table: table?,
        };
        if change == MatchChange::default() {
            fields.mistake("", "must name what is to change", "at least one field");
        }
        Some(change)
    }
}
