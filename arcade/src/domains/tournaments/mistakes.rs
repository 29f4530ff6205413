//! Decides which fields do not fit each other, whether they come together or one of them is there
//! already.

use super::words::MatchStatus;

/// A field that does not fit the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) path: &'static str,
    pub(super) message: &'static str,
    pub(super) limit: &'static str,
}

const ENDS_TOO_EARLY: Mistake = Mistake {
    path: "endsAtMs",
    message: "must be after startsAtMs",
    limit: "startsAtMs + 1 to 253402300799999",
};
const NO_SPONSOR_NAME: Mistake = Mistake {
    path: "sponsorName",
    message: "is required of a sponsored tournament",
    limit: "1 to 80 characters",
};
const NOT_SPONSORED: Mistake =
    Mistake { path: "sponsored", message: "must be true where a sponsor is named", limit: "true" };

const NO_WINNER: Mistake = Mistake {
    path: "winner",
    message: "is required of a match that is won",
    limit: "one of its players",
};
const WINNER_TOO_EARLY: Mistake = Mistake {
    path: "winner",
    message: "must come with the status of a match that is won",
    limit: "COMPLETED, FORFEITED",
};

/// What is wrong with these times together.
pub(super) fn times(starts_at_ms: i64, ends_at_ms: i64) -> Option<Mistake> {
    (ends_at_ms <= starts_at_ms).then_some(ENDS_TOO_EARLY)
}

/// What is wrong with these words about a sponsor together.
pub(super) fn sponsor(
    sponsored: bool,
    name: Option<&str>,
    banner_url: Option<&str>,
) -> Option<Mistake> {
    match (sponsored, name, banner_url) {
        (true, None, _) => Some(NO_SPONSOR_NAME),
        (false, Some(_), _) | (false, _, Some(_)) => Some(NOT_SPONSORED),
        _ => None,
    }
}

/// What is wrong with a status and a winner together.
pub(super) fn winner_told(status: Option<MatchStatus>, winner: Option<i64>) -> Option<Mistake> {
    let won = status.is_some_and(MatchStatus::has_winner);
    match (won, winner) {
        (true, None) => Some(NO_WINNER),
        (false, Some(_)) => Some(WINNER_TOO_EARLY),
        _ => None,
    }
}
