//! Decides which changes of a match are good.

use super::{Refusal, ensure};
use crate::domains::tournaments::input::MatchChange;
use crate::domains::tournaments::mistakes::Mistake;
use crate::domains::tournaments::model::Match;
use crate::domains::tournaments::words::{MatchStatus, Status};

const NOT_PLAYED: Refusal = Refusal::Conflict("the tournament is not being played");
const FINISHED: Refusal = Refusal::Conflict("the match is over and does not change");
const NO_WAY: Refusal = Refusal::Conflict("the match cannot have this status after its own");
const NOT_BEGUN: Refusal = Refusal::Conflict("a match has scores once it is ACTIVE");

const STRANGER: Mistake =
    Mistake { path: "winner", message: "must play in this match", limit: "one of its players" };
const LOWER_SCORE: Mistake = Mistake {
    path: "winner",
    message: "must have the higher score of a match that is COMPLETED",
    limit: "one of its players",
};

impl MatchStatus {
    fn may_become(self, next: MatchStatus) -> bool {
        use MatchStatus::{Active, Cancelled, Completed, Forfeited, Paused, Ready, Scheduled};
        matches!(
            (self, next),
            (Scheduled, Ready | Active | Forfeited | Cancelled)
                | (Ready, Scheduled | Active | Forfeited | Cancelled)
                | (Active, Paused | Completed | Forfeited | Cancelled)
                | (Paused, Active | Completed | Forfeited | Cancelled)
        )
    }
}

impl Match {
    /// This match after `change`, made at `now_ms` in a tournament that is as far as `tournament`.
    pub(in crate::domains::tournaments) fn after(
        &self,
        change: &MatchChange,
        tournament: Status,
        now_ms: i64,
    ) -> Result<Match, Refusal> {
        ensure(tournament.is_played(), NOT_PLAYED)?;
        ensure(!self.status.is_final(), FINISHED)?;
        let status = change.status.unwrap_or(self.status);
        ensure(status == self.status || self.status.may_become(status), NO_WAY)?;
        let mut next = Match {
            status,
            score_a: change.score_a.unwrap_or(self.score_a),
            score_b: change.score_b.unwrap_or(self.score_b),
            table: change.table.or(self.table),
            ..self.clone()
        };
        let begun = !matches!(status, MatchStatus::Scheduled | MatchStatus::Ready);
        let scored = (next.score_a, next.score_b) != (self.score_a, self.score_b);
        ensure(begun || !scored, NOT_BEGUN)?;
        if status == MatchStatus::Active {
            next.started_at_ms = next.started_at_ms.or(Some(now_ms));
        }
        if status.is_final() {
            next.ended_at_ms = Some(now_ms);
        }
        match change.winner {
            Some(winner) => next.won_by(winner),
            None => Ok(next),
        }
    }

    fn won_by(self, winner: i64) -> Result<Match, Refusal> {
        let (own, other, loser) = match winner == self.player_a {
            true => (self.score_a, self.score_b, self.player_b),
            false => (self.score_b, self.score_a, Some(self.player_a)),
        };
        let plays = winner == self.player_a || Some(winner) == self.player_b;
        ensure(plays, Refusal::Wrong(STRANGER))?;
        let outscored = self.status == MatchStatus::Completed && own <= other;
        ensure(!outscored, Refusal::Wrong(LOWER_SCORE))?;
        Ok(Match { winner: Some(winner), loser, ..self })
    }
}
